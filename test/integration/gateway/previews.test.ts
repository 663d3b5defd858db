// Addresses of single versions: by number and by alias, without traffic and without taking any.
import { expect, test } from 'vitest';
import { reflect, routeFunction } from '../../support/gateway-fakes.ts';
import { call, problemCode, until, useGateway } from '../../support/gateway-stand.ts';

const seen = (text: string): { readonly function: string } => JSON.parse(text) as { readonly function: string };
const versions = { 1: 'd1', 2: 'd2', 7: 'd7' };

test('an alias reaches its version, moves with the next revision, and is no_version when there is none', async () => {
  const fn = (aliases: Readonly<Record<string, number>>): ReturnType<typeof routeFunction> => routeFunction('card', { versions, aliases });
  const { port, control } = await useGateway({ functions: [fn({ next: 2, stable: 1 }), routeFunction('plain')], hosts: [reflect] });
  const at = async (host: string, headers: Readonly<Record<string, string>> = {}): Promise<string> => {
    const answer = await call(port, '/x', { headers: { host, ...headers } });
    return answer.status === 200 ? `${seen(answer.text).function}@${answer.version}` : `${answer.status} ${problemCode(answer)} ${answer.version ?? ''}`.trim();
  };
  expect(await at('next--card.localhost')).toBe('card@2');
  expect(await at(`NEXT--card.localhost:${port}`)).toBe('card@2');
  expect(await at('stable--card.localhost')).toBe('card@1');
  expect(await at('v7--card.localhost')).toBe('card@7');
  expect(await at('card.localhost')).toBe('card@1');
  for (const host of ['nope--card.localhost', 'constructor--card.localhost', 'tostring--card.localhost', 'next--plain.localhost']) expect(await at(host)).toBe('404 no_version');
  const refused = await call(port, '/x', { headers: { host: 'nope--card.localhost' } });
  expect((JSON.parse(refused.text) as { readonly detail: string }).detail).toBe('function card has no alias nope');
  // No function of that name: found by what comes next.
  expect(await at('next--nobody.localhost')).toBe('404 no_route');
  expect(await at('next--nobody.localhost', { 'x-thimble-function': 'card' })).toBe('card@1');
  control.push([fn({ next: 7 })]);
  await until(() => control.applied.includes(2));
  expect(await at('next--card.localhost')).toBe('card@7');
  expect(await at('stable--card.localhost')).toBe('404 no_version');
});

test('a preview holds for a path that a trigger of the same function takes, not for one of another', async () => {
  const card = routeFunction('card', { versions, aliases: { next: 2 }, triggers: [{ type: 'http', path: '/cards/:id' }] });
  const items = routeFunction('items', { versions, triggers: [{ type: 'http', path: '/items/:id' }] });
  const { port } = await useGateway({ functions: [card, items], hosts: [reflect] });
  const at = async (host: string, path: string): Promise<string> => {
    const answer = await call(port, path, { headers: { host } });
    return `${seen(answer.text).function}@${answer.version}`;
  };
  expect(await at('x.example', '/cards/1')).toBe('card@1');
  expect(await at('next--card.localhost', '/cards/1')).toBe('card@2');
  expect(await at('v7--card.localhost', '/cards/1')).toBe('card@7');
  expect(await at('v7--card.localhost', '/items/1')).toBe('items@1');
  expect(problemCode(await call(port, '/cards/1', { headers: { host: 'nope--card.localhost' } }))).toBe('no_version');
});

test('a version is reached by its address although nothing is live, and no rule or split sends anything there', async () => {
  const draft = routeFunction('draft', { versions, traffic: null, aliases: { next: 2 } });
  const split = routeFunction('split', { versions, aliases: { next: 7 }, traffic: { rules: [], split: [{ version: 1, weight: 50 }, { version: 2, weight: 50 }] } });
  const { port } = await useGateway({ functions: [draft, split], hosts: [reflect] });
  expect(problemCode(await call(port, '/', { fn: 'draft' }))).toBe('no_version');
  expect((await call(port, '/', { headers: { host: 'next--draft.localhost' } })).version).toBe('2');
  const served = new Set<number>();
  for (let i = 0; i < 60; i++) served.add(Number((await call(port, '/', { fn: 'split' })).version));
  expect(served).toEqual(new Set([1, 2]));
  expect((await call(port, '/', { headers: { host: 'next--split.localhost' } })).version).toBe('7');
});
