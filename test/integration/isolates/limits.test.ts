import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readJournal } from '../../../core/protocol/index.ts';
import { TestHost } from '../../support/isolates-host.ts';

/** What harms it harms every later test. Those that measure or end a host have their own. */
const shared = TestHost.shared();

const ATTACKS = `export default { async fetch(req) {
  const { pathname } = new URL(req.url);
  if (pathname === '/spin') for (;;);
  if (pathname === '/late') { await 0; for (;;); }
  if (pathname === '/timer') { await new Promise((r) => setTimeout(r, 5)); for (;;); }
  if (pathname === '/interval') { let n = 0; await new Promise(() => setInterval(() => { const end = Date.now() + 4; while (Date.now() < end) n++; }, 1)); }
  if (pathname === '/microtasks') { const f = () => Promise.resolve().then(f); await f(); }
  if (pathname === '/callbacks') for (;;) crypto.randomUUID();
  if (pathname === '/urls') for (;;) new URL('HTTP://EXAMPLE.com/../a');
  if (pathname === '/logs') for (;;) console.log('x'.repeat(100));
  if (pathname === '/regex') /^(a+)+$/.test('a'.repeat(40) + 'b');
  if (pathname === '/getter') throw Object.defineProperty(new Error(), 'message', { get() { for (;;); } });
  if (pathname === '/stack') { Error.prepareStackTrace = () => { for (;;); }; throw new Error('x'); }
  if (pathname === '/proxy') throw new Proxy({}, { get() { for (;;); }, getPrototypeOf() { for (;;); } });
  if (pathname === '/thenable') return { then() { for (;;); } };
  if (pathname === '/answered') { queueMicrotask(() => { for (;;); }); return new Response('x'); }
  if (pathname === '/grow') { const a = []; for (;;) a.push({ x: [a.length] }); }
  if (pathname === '/strings') { let s = 'x'; const keep = []; for (;;) { s += s.slice(0, 1000) + keep.length; keep.push(s.split('').join('-')); } }
  if (pathname === '/buffers') { const keep = []; for (;;) keep.push(new Uint8Array(1e6).fill(1)); }
  if (pathname === '/resizable') return new Response(String(new ArrayBuffer(8, { maxByteLength: 1e9 }).resizable));
  if (pathname === '/uncounted') return Response.json([typeof SharedArrayBuffer, typeof WebAssembly, typeof Atomics]);
  if (pathname === '/recursion') { const f = () => f(); f(); }
  if (pathname === '/wait') { await new Promise((r) => setTimeout(r, 150)); return new Response('waited'); }
  return new Response('fine');
} };`;

describe('CPU budget', () => {
  for (const path of ['/spin', '/late', '/timer', '/interval', '/microtasks', '/callbacks', '/urls', '/logs', '/regex', '/getter', '/stack', '/proxy', '/thenable', '/answered']) {
    test(`${path} is killed within its budget, the host goes on`, async () => {
      const host = shared();
      const bad = await host.deploy(ATTACKS);
      const good = await host.deploy(ATTACKS, { function: 'good' });
      await host.call(bad, { path: '/' });
      const answer = await host.call(bad, { path });
      expect(answer.code).toBe('cpu_limit_exceeded');
      expect(answer.params).toMatchObject({ limit: 50 });
      expect(Number(answer.params?.['used'])).toBeLessThan(50 + 50);
      expect(await host.text(good)).toBe('fine');
      expect(await host.text(bad)).toBe('fine');
    });
  }

  test('waiting is free: only CPU time is charged', async () => {
    const host = shared();
    const f = await host.deploy(ATTACKS, { cpuMs: 20 });
    const answer = await host.call(f, { path: '/wait' });
    expect(answer.body.toString()).toBe('waited');
    expect(answer.cpuUs).toBeLessThan(20_000);
  });

  test('a module that spins at start-up is killed by the start-up budget', async () => {
    const host = shared();
    const f = await host.deploy('for (;;); export default {};');
    const answer = await host.call(f);
    expect([answer.code, answer.params?.['limit']]).toEqual(['cpu_limit_exceeded', 1_000]);
  });

  test('the others of a killed isolate are told, with whether they were entered', async () => {
    const host = shared();
    const f = await host.deploy(ATTACKS);
    await host.call(f);
    const waiting = host.invoke(f, { path: '/wait' });
    await new Promise((resolve) => setTimeout(resolve, 20));
    const spinning = host.invoke(f, { path: '/spin' });
    expect([(await spinning.done).code, (await waiting.done).code]).toEqual(['cpu_limit_exceeded', 'isolate_lost']);
    expect((await waiting.done).params).toEqual({ entered: true });
  });
});

describe('memory limit', () => {
  for (const path of ['/grow', '/strings']) {
    test(`${path} is killed, the host goes on`, async () => {
      const host = shared();
      const bad = await host.deploy(ATTACKS, { cpuMs: 20_000, memoryMb: 32 });
      const good = await host.deploy(ATTACKS, { function: 'good' });
      const answer = await host.call(bad, { path });
      expect([answer.code, answer.params?.['limit']]).toEqual(['memory_limit_exceeded', 32]);
      expect(await host.text(good)).toBe('fine');
    });
  }

  test('buffers count: allocation fails inside', async () => {
    const host = await TestHost.start();
    const f = await host.deploy(ATTACKS, { cpuMs: 20_000, memoryMb: 32 });
    const answer = await host.call(f, { path: '/buffers' });
    expect(['function_threw', 'memory_limit_exceeded']).toContain(answer.code);
    const rssPages = Number(readFileSync(`/proc/${host.process.pid}/statm`, 'utf8').split(' ')[1]);
    expect((rssPages * 4096) / 1e6).toBeLessThan(300);
  });

  test('memory that V8 does not count can not be had', async () => {
    const host = shared();
    const f = await host.deploy(ATTACKS);
    expect((await host.call(f, { path: '/resizable' })).code).toBe('function_threw');
    expect(await host.text(f, { path: '/uncounted' })).toBe('["undefined","undefined","undefined"]');
  });

  test('one huge allocation aborts the host; the journal names the one on the thread', async () => {
    const host = await TestHost.start();
    const f = await host.deploy(`export default { async fetch(req) {
      if (new URL(req.url).pathname === '/wait') await new Promise((r) => setTimeout(r, 10_000));
      new Array(1e8).fill(0);
    } };`, { cpuMs: 20_000 });
    const waiting = host.invoke(f, { path: '/wait' });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const bomb = host.invoke(f, { path: '/bomb' });
    await host.exited;
    const { onThread, entered } = readJournal(host.journalFd);
    expect(onThread).toEqual({ epoch: 77, sequence: bomb.id });
    expect(new Set(entered.map((ref) => ref.sequence))).toEqual(new Set([waiting.id, bomb.id]));
  });
});

test('recursion, null, non-Response, throws: typed failures, the isolate lives on', async () => {
  const host = shared();
  const f = await host.deploy(`export default { fetch(req) {
    switch (new URL(req.url).pathname) {
      case '/recursion': { const g = () => g(); return g(); }
      case '/null': return null;
      case '/object': return { status: 200 };
      case '/string': return 'x';
      case '/throw': throw new Error('secret');
      case '/throw-null': throw null;
      case '/throw-symbol': throw Symbol('x');
      case '/reject': return Promise.reject(new TypeError('no'));
      case '/used': { const r = new Response('x'); return r.text().then(() => r); }
      case '/error': return Response.error();
    }
    return new Response('fine');
  } };`);
  for (const [path, code] of [
    ['/recursion', 'function_threw'], ['/null', 'bad_response'], ['/object', 'bad_response'], ['/string', 'bad_response'], ['/throw', 'function_threw'], ['/throw-null', 'function_threw'],
    ['/throw-symbol', 'function_threw'], ['/reject', 'function_threw'], ['/used', 'bad_response'], ['/error', 'bad_response'],
  ] as const) {
    const answer = await host.call(f, { path });
    expect([path, answer.code, answer.detail]).toEqual([path, code, null]);
  }
  expect((await host.call(f)).cold).toBeNull();
});

test('the message of a thrown error reaches the log and, with debug, the detail', async () => {
  const host = shared();
  const f = await host.deploy(`export default { fetch() { throw new Error('the detail'); } };`, { debug: true });
  expect((await host.call(f)).detail).toContain('the detail');
  await expect.poll(() => host.logs.some((line) => line.level === 'error' && line.message.includes('the detail'))).toBe(true);
});

test('a module without a handler, or that throws at start-up, fails typed', async () => {
  const host = shared();
  const none = await host.deploy('export const x = 1;');
  const throws = await host.deploy(`throw new Error('at start'); export default {};`);
  expect((await host.call(none)).code).toBe('function_threw');
  expect((await host.call(throws)).code).toBe('function_threw');
});

test('what crosses is bounded: huge bodies, texts, addresses, fields and errors cost their own isolate', async () => {
  const host = await TestHost.start();
  const f = await host.deploy(`const huge = (n) => 'x'.repeat(n); export default { async fetch(req) {
    switch (new URL(req.url).pathname) {
      case '/body': return new Response(huge(5e8));
      case '/encode': return new Response(String(new TextEncoder().encode(huge(4e8)).length));
      case '/url': try { new URL('http://a.test/' + huge(4e8)); } catch (e) { return new Response(e.name); } break;
      case '/field': return new Response('x', { headers: { a: huge(1e7) } });
      case '/log': console.log(huge(4e8)); return new Response('logged');
      case '/throw': throw new Error(huge(4e8));
      case '/large': return new Response('é€😀'.repeat(500_000));
      case '/large-bytes': return new Response(new TextEncoder().encode('é€😀'.repeat(500_000)));
      case '/decode': return new Response(String(new TextDecoder().decode(new TextEncoder().encode('é€😀'.repeat(500_000))) === 'é€😀'.repeat(500_000)));
    }
    return new Response('fine');
  } };`, { cpuMs: 10_000 });
  await host.call(f);
  const residentMb = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${host.process.pid}/status`, 'utf8'))?.[1]) / 1_000;
  expect((await host.call(f, { path: '/url' })).body.toString()).toBe('TypeError');
  expect((await host.call(f, { path: '/field' })).code).toBe('bad_response');
  expect((await host.call(f, { path: '/log' })).code).toBeNull();
  const large = Buffer.from('é€😀'.repeat(500_000));
  expect((await host.call(f, { path: '/large' })).body.equals(large)).toBe(true);
  expect((await host.call(f, { path: '/large-bytes' })).body.equals(large)).toBe(true);
  expect(await host.text(f, { path: '/decode' })).toBe('true');
  for (const path of ['/throw', '/body', '/encode']) expect(['memory_limit_exceeded', 'function_threw']).toContain((await host.call(f, { path })).code);
  expect(await host.text(f)).toBe('fine');
  // V8 lets a heap overshoot for a moment before it is killed; nothing of it stays.
  await expect.poll(residentMb).toBeLessThan(350);
}, 60_000);
