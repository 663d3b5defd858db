// POST /v1/functions/:name/invoke against a gateway that answers as it is told: what is sent, what is answered, what is refused.
import type { Server } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { newEpoch } from '../../../core/ids/index.ts';
import { FRAME, listenPeers } from '../../../core/protocol/index.ts';
import type { EventFrame, FrameConnection } from '../../../core/protocol/index.ts';
import { HELLO, useControl } from '../../support/control-plane.ts';
import type { ControlUnderTest, Reply } from '../../support/control-plane.ts';

type Answer = (frame: EventFrame) => { status?: number; version?: number; reason?: string; body: unknown } | undefined;

async function useDispatcher(control: ControlUnderTest, answer: Answer): Promise<{ readonly frames: EventFrame[]; readonly cut: () => void }> {
  const frames: EventFrame[] = [];
  const connections: FrameConnection[] = [];
  const opened = Promise.withResolvers<void>();
  const server: Server = await listenPeers(control.socket.replace('control.sock', 'gateway.sock'), { self: { role: 'gateway', name: 'gateway', epoch: newEpoch() }, accepts: ['control'] }, {
    onOpen: (connection) => {
      connections.push(connection);
      opened.resolve();
    },
    onFrame: (frame, connection) => {
      if (frame[0] !== FRAME.event) return;
      frames.push(frame);
      const given = answer(frame);
      if (given === undefined) return;
      connection.send([FRAME.outcome, frame[1], given.status ?? 200, given.version ?? 3, 'inv-1', 1_500, 12.3456, given.reason ?? '', JSON.stringify(given.body)]);
    },
    onClose: () => {},
  });
  onTestFinished(() => void server.close());
  await opened.promise;
  await new Promise((resolve) => setTimeout(resolve, 20));
  return { frames, cut: () => connections.forEach((connection) => connection.destroy()) };
}

async function useInvoke(answer: Answer): Promise<{ readonly invoke: (body: unknown, name?: string) => Promise<Reply>; readonly frames: EventFrame[]; readonly cut: () => void; readonly control: ControlUnderTest }> {
  const control = await useControl();
  await control.call('PUT', '/v1/functions/card');
  const dispatcher = await useDispatcher(control, answer);
  return { ...dispatcher, control, invoke: (body, name = 'card') => control.call('POST', `/v1/functions/${name}/invoke`, body) };
}

const sent = (frame: EventFrame | undefined): unknown => JSON.parse(frame?.[5] ?? 'null');

describe('an event', () => {
  it('of a timer is sent with what was left out, and answered with what the run cost', async () => {
    const { invoke, frames } = await useInvoke(() => ({ body: {}, reason: 'cold_start;queue=0.1' }));
    const before = Date.now();
    const reply = await invoke({ event: { type: 'scheduled' } });
    expect(reply.status).toBe(200);
    expect(reply.body).toEqual({ outcome: 'ok', version: 3, invocation: 'inv-1', durationMs: 12.346, cpuMs: 1.5, reason: 'cold_start;queue=0.1' });
    expect(frames[0]?.slice(2, 5)).toEqual(['card', 0, 'scheduled']);
    const { cron, scheduledTime } = sent(frames[0]) as { cron: string; scheduledTime: number };
    expect(cron).toBe('');
    expect(scheduledTime).toBeGreaterThanOrEqual(before);
    await invoke({ event: { type: 'scheduled', cron: '* * * * *', scheduledTime: 5 }, version: 7 });
    expect(sent(frames[1])).toEqual({ cron: '* * * * *', scheduledTime: 5 });
    expect(frames[1]?.[3]).toBe(7);
  });

  it('of a queue gets ids, times and attempts, and answers for each message', async () => {
    const { invoke, frames } = await useInvoke((frame) => ({
      body: { messages: (JSON.parse(frame[5]) as { messages: { id: string }[] }).messages.map(({ id }, i) => (i === 0 ? { id, outcome: 'ack' } : { id, outcome: 'retry', delaySeconds: 9 })) },
    }));
    const reply = await invoke({ event: { type: 'queue', queue: 'jobs', messages: [{ id: 'a', body: { n: 1 }, timestamp: 7, attempts: 4 }, { body: null }] } });
    const event = sent(frames[0]) as { queue: string; messages: Record<string, unknown>[] };
    expect(event.queue).toBe('jobs');
    expect(event.messages[0]).toEqual({ id: 'a', body: { n: 1 }, timestamp: 7, attempts: 4 });
    expect(event.messages[1]).toMatchObject({ id: expect.stringMatching(/^[0-9a-f-]{36}$/) as string, body: null, attempts: 1, timestamp: expect.any(Number) as number });
    expect(reply.body['messages']).toEqual([{ id: 'a', outcome: 'ack' }, { id: event.messages[1]?.['id'], outcome: 'retry', delaySeconds: 9 }]);
  });

  it('of a business call carries arguments and user, and answers the result', async () => {
    const { invoke, frames } = await useInvoke(() => ({ body: { result: { a: [1, null] } } }));
    expect((await invoke({ event: { type: 'business', export: 'getCard', args: [1, { b: 2 }], user: 'u1' } })).body).toMatchObject({ outcome: 'ok', result: { a: [1, null] } });
    expect(sent(frames[0])).toEqual({ export: 'getCard', args: [1, { b: 2 }] });
    expect(frames[0]?.[6]).toBe('u1');
  });

  it('that fails keeps status and problem, with the run beside it', async () => {
    const { invoke } = await useInvoke((frame) => (frame[4] === 'business'
      ? { status: 410, body: { type: 'about:blank', title: 'gone', status: 410, code: 'gone', detail: 'no more', retryable: false } }
      : { status: 503, reason: 'cpu_limit_exceeded;limit=50;used=53', body: { code: 'cpu_limit_exceeded', status: 503 } }));
    const reply = await invoke({ event: { type: 'scheduled' } });
    expect(reply.status).toBe(503);
    expect(reply.headers['content-type']).toBe('application/problem+json');
    expect(reply.body).toMatchObject({ code: 'cpu_limit_exceeded', version: 3, invocation: 'inv-1', cpuMs: 1.5, reason: 'cpu_limit_exceeded;limit=50;used=53' });
    expect(await invoke({ event: { type: 'business', export: 'f' } })).toMatchObject({ status: 410, body: { code: 'gone', detail: 'no more', version: 3 } });
  });
});

it.each([['null'], ['[]'], ['7'], [{ messages: 'x' }], [{ messages: [{ id: 1 }] }], [{ more: 1 }]])('an outcome that is none is a bad response: %j', async (body) => {
  const { invoke } = await useInvoke(() => ({ body: typeof body === 'string' ? (JSON.parse(body) as unknown) : body }));
  expect(await invoke({ event: { type: 'scheduled' } })).toMatchObject({ status: 500, body: { code: 'bad_response', version: 3, invocation: 'inv-1' } });
});

describe('what is refused', () => {
  it.each([
    [{}, 'event'], [{ event: {} }, 'event.type'], [{ event: { type: 'http' } }, 'event.type'], [{ event: { type: 'scheduled', more: 1 } }, 'event.more'],
    [{ event: { type: 'queue', queue: 'q', messages: [] } }, 'event.messages'], [{ event: { type: 'queue', queue: 'q', messages: [{}] } }, 'event.messages[0].body'],
    [{ event: { type: 'queue', messages: [{ body: 1 }] } }, 'event.queue'], [{ event: { type: 'business', args: [] } }, 'event.export'],
    [{ event: { type: 'business', export: 'f', args: {} } }, 'event.args'], [{ event: { type: 'scheduled' }, version: 0 }, 'version'],
  ])('%j names %s', async (body, path) => {
    const { invoke, frames } = await useInvoke(() => ({ body: {} }));
    const reply = await invoke(body);
    expect([reply.status, reply.body.code]).toEqual([422, 'invalid']);
    expect(reply.body.errors?.map((error) => String(error['path']))).toContain(path);
    expect(frames).toHaveLength(0);
  });

  it('a function that there is not, a wrong token, and too much', async () => {
    const { invoke, control, frames } = await useInvoke(() => ({ body: {} }));
    expect((await invoke({ event: { type: 'scheduled' } }, 'nobody')).status).toBe(404);
    expect((await control.call('POST', '/v1/functions/card/invoke', { event: { type: 'scheduled' } }, { token: 'wrong' })).status).toBe(401);
    expect((await control.call('GET', '/v1/functions/card/invoke')).status).toBe(405);
    expect(await invoke({ event: { type: 'business', export: 'f', args: ['x'.repeat(1_100_000)] } })).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
    expect(frames).toHaveLength(0);
  });
});

it('without a gateway, or when it goes away meanwhile, is unavailable', async () => {
  const alone = await useControl();
  await alone.deploy('card', HELLO);
  expect(await alone.call('POST', '/v1/functions/card/invoke', { event: { type: 'scheduled' } })).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  const { invoke, cut, frames } = await useInvoke(() => undefined);
  const pending = invoke({ event: { type: 'scheduled' } });
  await expect.poll(() => frames.length).toBe(1);
  cut();
  expect(await pending).toMatchObject({ status: 503, body: { code: 'unavailable' } });
});

it('is described in the OpenAPI document', async () => {
  const { call } = await useControl();
  const { paths } = (await call('GET', '/openapi.json')).body as unknown as { paths: Record<string, Record<string, { operationId: string; requestBody: unknown; responses: Record<string, unknown> }>> };
  const operation = paths['/v1/functions/{name}/invoke']?.['post'];
  expect(operation?.operationId).toBe('invokeFunction');
  expect(JSON.stringify(operation?.requestBody)).toContain('"scheduled"');
  expect(Object.keys(operation?.responses ?? {})).toEqual(expect.arrayContaining(['200', '404', '422', '500', '503', '504']));
});
