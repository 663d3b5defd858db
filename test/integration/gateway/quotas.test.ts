// Quotas of tenants at the gateway's door: invocations per second over all functions of a tenant.
import { expect, test } from 'vitest';
import { reflect, routeFunction } from '../../support/gateway-fakes.ts';
import { call, useGateway } from '../../support/gateway-stand.ts';
import type { Answer } from '../../support/gateway-stand.ts';

test('functions of a tenant share its rate; other tenants have theirs', async () => {
  const quotas = { rps: 4, memoryMb: 0 };
  const functions = [routeFunction('a', { tenant: 'shop', quotas }), routeFunction('b', { tenant: 'shop', quotas }), routeFunction('c', { tenant: 'lab' })];
  const stand = await useGateway({ functions, hosts: [reflect] });
  const ask = (fn: string): Promise<Answer> => call(stand.port, '/', { fn });
  const answers: Answer[] = [];
  for (let i = 0; i < 12; i++) answers.push(await ask(i % 2 === 0 ? 'a' : 'b'));
  const refused = answers.filter(({ status }) => status === 429);
  expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThanOrEqual(4);
  expect(refused.length).toBeGreaterThanOrEqual(4);
  expect(new Set(refused.map(({ text }) => (JSON.parse(text) as { code: string }).code))).toEqual(new Set(['tenant_rate_limited']));
  expect(refused.every(({ headers }) => Number(headers['retry-after']) >= 1 && String(headers['x-thimble-reason']).startsWith('tenant_rate_limited;'))).toBe(true);
  for (let i = 0; i < 12; i++) expect((await ask('c')).status).toBe(200);
});
