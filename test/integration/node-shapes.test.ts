// A whole node: functions of several shapes, deployed over REST, called over HTTP and run as events.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootNode } from '../support/node.ts';
import type { Answer, TestNode } from '../support/node.ts';

let node: TestNode;
beforeAll(async () => {
  node = await bootNode();
});
afterAll(async () => void (await node?.stop()));

const business = (name: string, args: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
  node.call('cards', name, { method: 'POST', body: JSON.stringify({ args }), headers: { 'content-type': 'application/json', ...headers } });

test('a business function over HTTP and as an event, with a user whom no client can forge', async () => {
  await node.deploy('cards', `
    export async function getCard(ctx, id, limit = 10) { return { id, limit, user: ctx.user, traced: /^[0-9a-f]{32}$/.test(ctx.trace.traceId), left: ctx.deadline.remainingMs() > 0 }; }
    export function block() { throw Object.assign(new Error('is blocked'), { status: 409, code: 'card_blocked' }); }
    export function crash() { throw new Error('secret detail'); }
    export function spin() { for (;;); }
  `, { user: 'header:x-user-id' });
  const called = await business('/getCard', ['c1'], { 'x-user-id': 'u1', 'x-thimble-user': 'admin' });
  expect([called.status, JSON.parse(called.text)]).toEqual([200, { result: { id: 'c1', limit: 10, user: 'u1', traced: true, left: true } }]);
  expect(JSON.parse((await business('/getCard', ['c1'], { 'x-thimble-user': 'admin' })).text)).toMatchObject({ result: { user: null } });

  expect(await business('/block', [])).toMatchObject({ status: 409, code: 'card_blocked' });
  const crashed = await business('/crash', []);
  expect(crashed).toMatchObject({ status: 500, code: 'function_threw' });
  expect(crashed.text).not.toContain('secret');
  expect(await business('/nothing', [])).toMatchObject({ status: 404, code: 'no_route' });
  const got = await node.call('cards', '/getCard');
  expect([got.status, got.code, got.headers['allow']]).toEqual([405, 'method_not_allowed', 'POST']);
  expect(await business('/getCard', 'x')).toMatchObject({ status: 400, code: 'bad_request' });

  const run = await node.api('POST', '/v1/functions/cards/invoke', { event: { type: 'business', export: 'getCard', args: ['c2', 3], user: 'ü' } });
  expect(run).toMatchObject({ status: 200, body: { outcome: 'ok', version: 1, result: { id: 'c2', limit: 3, user: 'ü', traced: true } } });
  expect(await node.api('POST', '/v1/functions/cards/invoke', { event: { type: 'business', export: 'spin' } })).toMatchObject({
    status: 503, code: 'cpu_limit_exceeded', body: { version: 1, reason: expect.stringMatching(/^cpu_limit_exceeded;limit=50;used=/) as string },
  });
  expect(await node.api('POST', '/v1/functions/cards/invoke', { event: { type: 'business', export: 'missing' } })).toMatchObject({ status: 422, code: 'invalid', body: { errors: [{ path: 'event.export' }] } });
});

test('scheduled and queue run now, and their log has the invocation\'s id', async () => {
  await node.deploy('jobs', `
    export default {
      fetch: () => new Response('web'),
      async scheduled(event, env, ctx) { await new Promise((r) => setTimeout(r, 5)); console.log('tick ' + event.cron); ctx.waitUntil(Promise.resolve()); },
      async queue(batch) { for (const m of batch.messages) if (m.body.bad) m.retry({ delaySeconds: 60 }); if (batch.queue === 'broken') throw new Error('no'); },
    };
  `);
  const ticked = await node.api('POST', '/v1/functions/jobs/invoke', { event: { type: 'scheduled', cron: '0 * * * *' } });
  expect(ticked).toMatchObject({ status: 200, body: { outcome: 'ok', version: 1, durationMs: expect.any(Number) as number, cpuMs: expect.any(Number) as number } });
  // It was started with its deploy: no cold start, and no reason.
  expect(ticked.body['reason']).toBeUndefined();
  await expect.poll(async () => {
    const { body } = await node.api('GET', '/v1/functions/jobs/logs');
    return (body['items'] as { message: string; invocation: string }[]).map(({ message, invocation }) => [message, invocation]);
  }).toEqual([['tick 0 * * * *', ticked.body['invocation']]]);

  const messages = [{ id: 'a', body: {} }, { id: 'b', body: { bad: true } }];
  expect((await node.api('POST', '/v1/functions/jobs/invoke', { event: { type: 'queue', queue: 'q', messages } })).body['messages']).toEqual([{ id: 'a', outcome: 'ack' }, { id: 'b', outcome: 'retry', delaySeconds: 60 }]);
  expect(await node.api('POST', '/v1/functions/jobs/invoke', { event: { type: 'queue', queue: 'broken', messages } })).toMatchObject({
    status: 500, code: 'function_threw', body: { messages: [{ id: 'a', outcome: 'retry' }, { id: 'b', outcome: 'retry', delaySeconds: 60 }] },
  });
  expect((await node.call('jobs')).text).toBe('web');
});

test('a result larger than a frame comes whole', async () => {
  await node.deploy('big', `export const make = (ctx, n) => 'x'.repeat(n);`);
  const run = await node.api('POST', '/v1/functions/big/invoke', { event: { type: 'business', export: 'make', args: [2_000_000] } });
  expect(run.body['result']).toHaveLength(2_000_000);
  expect(await node.api('POST', '/v1/functions/big/invoke', { event: { type: 'business', export: 'make', args: [6_000_000] } })).toMatchObject({ status: 500, code: 'bad_response' });
});

test('adapters by the shape setting', async () => {
  await node.deploy('lambda', `export const handler = async (event, context) => ({ statusCode: 201, headers: { 'x-fn': context.functionName }, body: JSON.stringify([event.version, event.rawPath, event.body]) });`, { shape: 'lambda' });
  const answer = await node.call('lambda', '/a/b', { method: 'POST', body: 'text', headers: { 'content-type': 'text/plain' } });
  expect([answer.status, answer.headers['x-fn'], answer.text]).toEqual([201, 'lambda', '["2.0","/a/b","text"]']);
});
