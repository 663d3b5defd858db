// scheduled, queue and business events as a host gets them: handlers of Workers' form, and what becomes of each message.
import { describe, expect, test } from 'vitest';
import { TestHost } from '../../../support/isolates-host.ts';
import type { Answer } from '../../../support/isolates-host.ts';

const host = TestHost.shared();

type Settings = Parameters<TestHost['deploy']>[1];

async function send(source: string, kind: string, event: unknown, settings: Settings = {}): Promise<Answer> {
  return host().call(await host().deploy(source, settings), { method: `@${kind}`, body: JSON.stringify(event) });
}

async function answer(source: string, kind: string, event: unknown, settings: Settings = {}): Promise<unknown> {
  const { code, detail, body } = await send(source, kind, event, settings);
  return code === null ? JSON.parse(body.toString()) : `${code} ${detail ?? ''}`;
}

async function lines(fn: string, count: number): Promise<string[]> {
  const own = (): string[] => host().logs.filter((line) => line.fn === fn).map(({ message }) => message);
  await expect.poll(() => own().length).toBe(count);
  return own();
}

const messages = (count: number): object[] => Array.from({ length: count }, (_, i) => ({ id: `m${i}`, timestamp: 1_700_000_000_000 + i, body: { n: i }, attempts: i + 1 }));

describe('scheduled', () => {
  test('gets controller, environment and ctx, as a method of the default export', async () => {
    const source = `class App { #n = 'app'; async scheduled(event, env, ctx) { await null; console.log(this.#n, event.cron, event.scheduledTime, typeof event.noRetry, env.A, typeof ctx.waitUntil); } } export default new App();`;
    expect(await answer(source, 'scheduled', { cron: '*/5 * * * *', scheduledTime: 1_700_000_000_000 }, { env: { A: '1' }, function: 'timer' })).toEqual({});
    expect(await lines('timer', 1)).toEqual(['app */5 * * * * 1700000000000 function 1 function']);
  });

  test('a throw fails it, and says whether it may be repeated', async () => {
    expect(await send(`export default { scheduled() { throw new Error('x'); } };`, 'scheduled', {})).toMatchObject({ code: 'function_threw', params: { outcome: { retry: true } } });
    expect(await send(`export default { async scheduled(event) { event.noRetry(); await null; throw new Error('x'); } };`, 'scheduled', {})).toMatchObject({ code: 'function_threw', params: { outcome: { retry: false } } });
  });

  test('limits hold', async () => {
    expect(await send(`export default { async scheduled() { await null; for (;;); } };`, 'scheduled', {})).toMatchObject({ code: 'cpu_limit_exceeded' });
  });

  test('a function that has none says so', async () => {
    expect(await send(`export default { fetch() {} };`, 'scheduled', {})).toMatchObject({ code: 'invalid', params: { errors: [{ path: 'event.type' }] } });
    expect(await send(`export const scheduled = () => {};`, 'scheduled', {})).toMatchObject({ code: 'invalid' });
  });
});

describe('queue', () => {
  const outcomes = async (body: string, count = 3): Promise<unknown> => {
    const result = await send(`export default { async queue(batch, env, ctx) { const m = batch.messages; ${body} } };`, 'queue', { queue: 'jobs', messages: messages(count) });
    return result.code === null ? (JSON.parse(result.body.toString()) as { messages: unknown }).messages : [result.code, (result.params?.['outcome'] as { messages?: unknown } | undefined)?.messages];
  };
  const ack = (id: string): object => ({ id, outcome: 'ack' });
  const retry = (id: string, delaySeconds?: number): object => (delaySeconds === undefined ? { id, outcome: 'retry' } : { id, outcome: 'retry', delaySeconds });

  test('the batch has what Workers give', async () => {
    const source = `export default { queue(batch) { console.log(JSON.stringify([batch.queue, batch.messages.length, ...batch.messages.map((m) => [m.id, m.timestamp instanceof Date && m.timestamp.getTime(), m.body.n, m.attempts])])); } };`;
    await answer(source, 'queue', { queue: 'jobs', messages: messages(2) }, { function: 'batch' });
    expect(await lines('batch', 1)).toEqual(['["jobs",2,["m0",1700000000000,0,1],["m1",1700000000001,1,2]]']);
  });

  test('what nobody decides is acknowledged when the handler returns, and goes back when it throws', async () => {
    expect(await outcomes('await null;')).toEqual([ack('m0'), ack('m1'), ack('m2')]);
    expect(await outcomes('throw new Error("x");')).toEqual(['function_threw', [retry('m0'), retry('m1'), retry('m2')]]);
  });

  test('each message by itself', async () => {
    expect(await outcomes('m[0].ack(); m[1].retry(); m[2].retry({ delaySeconds: 30 });')).toEqual([ack('m0'), retry('m1'), retry('m2', 30)]);
    expect(await outcomes('m[0].ack(); throw new Error("x");')).toEqual(['function_threw', [ack('m0'), retry('m1'), retry('m2')]]);
  });

  test('the first decision counts', async () => {
    expect(await outcomes('m[0].ack(); m[0].retry(); m[1].retry(); m[1].ack();')).toEqual([ack('m0'), retry('m1'), ack('m2')]);
    expect(await outcomes('batch.retryAll({ delaySeconds: 5 }); batch.ackAll(); m[0].ack();')).toEqual([retry('m0', 5), retry('m1', 5), retry('m2', 5)]);
    expect(await outcomes('m[1].retry(); batch.ackAll(); throw new Error("x");')).toEqual(['function_threw', [ack('m0'), retry('m1'), ack('m2')]]);
  });

  test('a delay that is none is refused', async () => {
    for (const delay of ['-1', '1.5', '"1"', '43201']) expect(await outcomes(`m[0].retry({ delaySeconds: ${delay} });`, 1)).toEqual(['function_threw', [retry('m0')]]);
  });

  test('patched arrays and forged messages change nothing of the outcome', async () => {
    expect(await outcomes('m[0].retry(); try { m.length = 0; } catch {} try { m[0].id = "other"; } catch {} Array.prototype.push = Array.prototype.map = () => { throw 1; };')).toEqual([retry('m0'), ack('m1'), ack('m2')]);
  });
});

describe('business events', () => {
  const source = `export const add = (ctx, a, b) => a + b; export const who = (ctx) => ctx.user; export const no = () => { throw Object.assign(new Error('gone'), { status: 410, code: 'gone' }); };`;

  test('give the result as a call does', async () => {
    expect(await answer(source, 'business', { export: 'add', args: [1, 2] })).toEqual({ result: 3 });
    const failed = await send(source, 'business', { export: 'no', args: [] });
    expect([failed.status, JSON.parse(failed.body.toString())]).toMatchObject([410, { code: 'gone' }]);
  });

  test('an export that there is not, and a function of another shape', async () => {
    expect(await send(source, 'business', { export: '__proto__', args: [] })).toMatchObject({ code: 'invalid', params: { errors: [{ path: 'event.export' }] } });
    expect(await send(`export default { fetch() {} }; export const add = () => 1;`, 'business', { export: 'add', args: [] })).toMatchObject({ code: 'invalid', params: { errors: [{ path: 'event.type' }] } });
  });
});

test('an event and requests share the isolate', async () => {
  const target = await host().deploy(`let n = 0; export default { fetch: () => new Response(String(n)), scheduled() { n += 1; } };`);
  for (let i = 0; i < 3; i++) await host().call(target, { method: '@scheduled', body: '{}' });
  expect(await host().text(target)).toBe('3');
});

describe('a function that has replaced toJSON', () => {
  const forge = (json: string): string => `Object.prototype.toJSON = Array.prototype.toJSON = function () { return ${json}; };`;

  test.each(['null', '7', '{ errors: null }', '{ outcome: { messages: { length: 1e9 } }, errors: [null] }', '{ get x() { throw 1; } }'])('to give %s harms only its own answers', async (json) => {
    const thrown = await send(`${forge(json)} export default { queue() { throw new Error('x'); } };`, 'queue', { queue: 'q', messages: messages(1) });
    expect(['function_threw', 'bad_response']).toContain(thrown.code);
    const unheard = await send(`${forge(json)} export default { fetch() {} };`, 'scheduled', {});
    expect(['invalid', 'function_threw']).toContain(unheard.code);
    expect(unheard.code !== 'invalid' || Array.isArray(unheard.params?.['errors'])).toBe(true);
    expect(host().alive).toBe(true);
  });
});
