// Floods at the gateway's own bounds: whatever one function, or all functions of one tenant, send, the others are served.
import { expect, onTestFinished, test } from 'vitest';
import { newEpoch } from '../../../core/ids/index.ts';
import { FRAME, ReconnectingPeer } from '../../../core/protocol/index.ts';
import type { OutcomeFrame } from '../../../core/protocol/index.ts';
import { routeFunction } from '../../support/gateway-fakes.ts';
import type { FakeInvocation } from '../../support/gateway-fakes.ts';
import { call, problemCode, until, useGateway } from '../../support/gateway-stand.ts';
import type { Stand } from '../../support/gateway-stand.ts';

const flood = { tenant: 'loud', limits: { concurrency: 10_000, wallMs: 60_000 } };
const functions = [routeFunction('a', flood), routeFunction('b', flood), routeFunction('good', { tenant: 'quiet' })];

/** Sends events, which need no socket each; outcomes by code. */
async function useFlood(stand: Stand): Promise<{ send(fn: string, count: number): void; readonly refused: Map<string, number> }> {
  const refused = new Map<string, number>();
  let id = 0;
  return await new Promise((resolve) => {
    const peer = new ReconnectingPeer(stand.hostSocket, { self: { role: 'control', name: 'control', epoch: newEpoch() }, accepts: ['gateway'] }, {
      onOpen: (connection) => setImmediate(() => resolve({
        refused,
        send: (fn, count) => {
          for (let i = 0; i < count; i++) connection.send([FRAME.event, (id += 1), fn, 0, 'scheduled', '{}', '']);
        },
      })),
      onFrame: (frame) => {
        if (frame[0] !== FRAME.outcome || (frame as OutcomeFrame)[2] === 200) return;
        const { code, detail } = JSON.parse((frame as OutcomeFrame)[8]) as { code: string; detail?: string };
        const what = `${code} ${/of its tenant|run and/.exec(detail ?? '')?.[0] ?? ''}`;
        refused.set(what, (refused.get(what) ?? 0) + 1);
      },
      onClose: () => {},
    });
    onTestFinished(() => peer.close());
  });
}

test('a tenant that floods gets two thirds of all slots; others find the rest free', async () => {
  const held: FakeInvocation[] = [];
  const stand = await useGateway({ functions, hosts: [(i) => {
    if (i.target.function === 'good') i.respond(200, [], 'good');
    else held.push(i);
  }] });
  const { dispatcher } = stand.gateway;
  const loud = await useFlood(stand);
  // All that its concurrency allows, 1,000 in line, and 500 too many.
  loud.send('a', 11_500);
  await until(() => held.length === 10_000 && loud.refused.get('overloaded run and') === 500, 20_000);
  loud.send('b', 1_000);
  // 10,667 of 16,000: then the tenant has had its share, though this function has not.
  await until(() => held.length === 10_667 && loud.refused.get('overloaded of its tenant') === 333, 20_000);
  expect([dispatcher.inFlight, dispatcher.queued]).toEqual([10_667, 1_000]);
  const answers = await Promise.all(Array.from({ length: 50 }, () => call(stand.port, '/', { fn: 'good' })));
  expect(answers.map(({ status, text }) => `${status} ${text}`)).toEqual(Array(50).fill('200 good'));
  // What ends makes room again: for those in line first.
  for (const one of held.splice(0, 2_000)) one.respond(200, [], '{}');
  await until(() => dispatcher.queued === 0, 20_000);
  for (let left = held.splice(0); left.length > 0; left = held.splice(0)) {
    for (const one of left) one.respond(200, [], '{}');
    await until(() => held.length > 0 || dispatcher.inFlight === 0, 20_000);
  }
  expect([dispatcher.inFlight, dispatcher.queued, dispatcher.activeCount]).toEqual([0, 0, 0]);
  expect(functions.map(({ name }) => stand.gateway.table.get(name)?.gate.tenant.running)).toEqual([0, 0, 0]);
}, 90_000);

test('what is refused is refused at once, with Retry-After', async () => {
  const one = routeFunction('one', { limits: { concurrency: 1 } });
  const stand = await useGateway({ functions: [one, routeFunction('good')], hosts: [(i) => {
    if (i.target.function === 'good') i.respond(200, [], 'good');
  }] });
  void Promise.allSettled(Array.from({ length: 3 }, () => call(stand.port, '/', { fn: 'one' })));
  await until(() => stand.gateway.dispatcher.queued === 2);
  const refused = await Promise.all(Array.from({ length: 20 }, () => call(stand.port, '/', { fn: 'one' })));
  expect(new Set(refused.map(problemCode))).toEqual(new Set(['overloaded']));
  expect(refused.every(({ headers }) => Number(headers['retry-after']) >= 1)).toBe(true);
  expect((await call(stand.port, '/', { fn: 'good' })).status).toBe(200);
});
