import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { TestHost } from '../../support/isolates-host.ts';

const SOURCE = `export default { async fetch(req, env, ctx) {
  const url = new URL(req.url);
  switch (url.pathname) {
    case '/text': return new Response(await req.text());
    case '/json': return Response.json(await req.json());
    case '/bytes': return new Response(await req.bytes());
    case '/pass': return new Response(req.body);
    case '/transform': return new Response(req.body.pipeThrough(new TransformStream({ transform(chunk, c) { c.enqueue(chunk); } })));
    case '/count': { let n = 0; for await (const chunk of req.body) n += chunk.length; return new Response(String(n)); }
    case '/first': { const { value } = await req.body.getReader().read(); return new Response(String(value.length)); }
    case '/twice': { await req.text(); try { await req.text(); } catch (e) { return new Response(e.name); } break; }
    case '/clone': { const copy = req.clone(); return new Response(await req.text() + await copy.text()); }
    case '/stream': { let i = 0; return new Response(new ReadableStream({ pull(c) { if (i === 1000) c.close(); else c.enqueue(new TextEncoder().encode('chunk ' + i++ + ';')); } })); }
    case '/endless': return new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(65536)); } }));
    case '/watched': req.signal.addEventListener('abort', () => console.log('signal aborted')); return new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(65536)); }, cancel() { console.log('stream cancelled'); } }));
    case '/breaks': return new Response(new ReadableStream({ pull(c) { if (this.n) throw new Error('broken'); this.n = 1; c.enqueue(new Uint8Array(10)); } }));
    case '/large': return new Response('x'.repeat(1_000_000));
    case '/linger': ctx.waitUntil(new Promise((r) => setTimeout(r, 50)).then(() => console.log('lingered'))); return new Response('now');
    case '/aborted': { const p = new Promise((r) => req.signal.addEventListener('abort', () => { console.log('aborted'); r(); })); await p; return new Response('late'); }
  }
  return new Response('other');
} };`;

function* chunks(count: number, size: number): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) yield new Uint8Array(size).fill(i & 255);
}
const rssMb = (pid: number | undefined): number => (Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096) / 1e6;

/** Those that measure the host, or look at all of its log, have their own. */
const shared = TestHost.shared();

test('request bodies, whole and streamed, in every form', async () => {
  const host = shared();
  const f = await host.deploy(SOURCE, { cpuMs: 5_000 });
  expect(await host.text(f, { path: '/text', body: 'grüße' })).toBe('grüße');
  expect(await host.text(f, { path: '/json', body: '{"a":1}' })).toBe('{"a":1}');
  expect([...(await host.call(f, { path: '/bytes', body: new Uint8Array([1, 2, 255]) })).body]).toEqual([1, 2, 255]);
  expect(await host.text(f, { path: '/twice', body: 'x' })).toBe('TypeError');
  expect(await host.text(f, { path: '/clone', body: 'ab' })).toBe('abab');
  expect(await host.text(f, { path: '/pass', body: 'through' })).toBe('through');
  expect(await host.text(f, { path: '/transform', body: 'through' })).toBe('through');
  expect(await host.text(f, { path: '/count', stream: chunks(20, 10_000) })).toBe('200000');
  expect(await host.text(f, { path: '/text', stream: [Buffer.from('gr\u00fc').subarray(0, 3), Buffer.from('gr\u00fc').subarray(3)] })).toBe('grü');
  expect(await host.text(f, { path: '/text', method: 'POST' })).toBe('');
});

test('a thousand chunks arrive in order', async () => {
  const host = shared();
  const f = await host.deploy(SOURCE, { cpuMs: 1_000 });
  const answer = await host.call(f, { path: '/stream' });
  expect(answer.body.toString()).toBe(Array.from({ length: 1000 }, (_, i) => `chunk ${i};`).join(''));
  expect(answer.ended).toBe(true);
});

test.each(['/pass', '/transform'])('30 MB through %s at constant memory', async (path) => {
  const host = await TestHost.start();
  const f = await host.deploy(SOURCE, { cpuMs: 60_000 });
  await host.call(f);
  const before = rssMb(host.process.pid);
  const running = host.invoke(f, { path, stream: chunks(480, 65_536), wallMs: 60_000 });
  const answer = await running.done;
  expect(answer.body.length).toBe(480 * 65_536);
  expect(rssMb(host.process.pid) - before).toBeLessThan(80);
});

test('a client that does not read stops the function, not the host', async () => {
  const host = await TestHost.start();
  const f = await host.deploy(SOURCE, { cpuMs: 1_000 });
  const running = host.invoke(f, { path: '/endless', reads: false });
  await running.head;
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(running.answer.received).toBeLessThan(1_048_576);
  expect(await host.text(f)).toBe('other');
  running.cancel();
  expect((await running.done).final).toBe(true);
});

test('a client that goes away in the middle of a stream aborts the signal and cancels the stream', async () => {
  const host = await TestHost.start();
  const f = await host.deploy(SOURCE, { cpuMs: 1_000 });
  const running = host.invoke(f, { path: '/watched', reads: false });
  await running.head;
  await new Promise((resolve) => setTimeout(resolve, 50));
  running.cancel();
  expect((await running.done).final).toBe(true);
  await expect.poll(() => host.logs.map((line) => line.message).toSorted()).toEqual(['signal aborted', 'stream cancelled']);
});

test('a stream that fails after the head ends in a failure, not in an end', async () => {
  const host = shared();
  const f = await host.deploy(SOURCE);
  const answer = await host.call(f, { path: '/breaks' });
  expect([answer.status, answer.ended, answer.code]).toEqual([200, false, 'function_threw']);
});

test('a large text is streamed under credit', async () => {
  const host = shared();
  const f = await host.deploy(SOURCE);
  expect((await host.call(f, { path: '/large' })).body.length).toBe(1_000_000);
});

test('waitUntil work goes on after the response', async () => {
  const host = shared();
  const f = await host.deploy(SOURCE);
  const answer = await host.call(f, { path: '/linger' });
  expect(answer.ms).toBeGreaterThan(45);
  await expect.poll(() => host.logs.some((line) => line.message === 'lingered')).toBe(true);
});

test('a client that goes away aborts the signal and errors the body; the invocation ends', async () => {
  const host = shared();
  const f = await host.deploy(SOURCE);
  await host.call(f);
  const waiting = host.invoke(f, { path: '/aborted' });
  const reading = host.invoke(f, { path: '/text', stream: (async function* () { yield new Uint8Array(10); await new Promise(() => {}); })() });
  await new Promise((resolve) => setTimeout(resolve, 50));
  waiting.cancel();
  reading.cancel();
  expect([(await waiting.done).final, (await reading.done).final]).toEqual([true, true]);
  await expect.poll(() => host.logs.some((line) => line.message === 'aborted')).toBe(true);
  expect(await host.text(f)).toBe('other');
});
