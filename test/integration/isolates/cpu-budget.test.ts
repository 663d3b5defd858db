// One budget over all entries of an invocation, of whatever kind; and what one entry may ask of the host besides CPU time.
import { beforeAll, describe, expect, test } from 'vitest';
import { MAX_ENTRY_BYTES, MAX_ENTRY_OPERATIONS } from '../../../isolates/limits.ts';
import { BURN, roundsPerMs } from '../../support/isolates-burn.ts';
import { TestHost } from '../../support/isolates-host.ts';
import type { Answer, InvokeOptions } from '../../support/isolates-host.ts';
import { useSidecar } from '../../support/sidecar-server.ts';
import { useUpstream } from '../../support/sidecar-upstream.ts';

/** For a machine that does much else. */
const BUSY = { timeout: 15_000 };

/** Each path burns a few milliseconds in each of very many entries of one kind: none is long, and together they never end. */
const MANY = `${BURN}
const pause = (ms) => new Promise((r) => setTimeout(r, ms));
export default { async fetch(req, env, ctx) {
  const { pathname, searchParams } = new URL(req.url);
  const n = query(req, 'n');
  const to = searchParams.get('to');
  switch (pathname) {
    case '/burn': burn(n); return new Response('burnt');
    case '/timeouts': for (;;) { await pause(1); burn(n); }
    case '/intervals': setInterval(() => burn(n), 1); await new Promise(() => {});
    case '/fetches': for (;;) { await fetch(to); burn(n); }
    case '/bodies': for await (const chunk of (await fetch(to + '/large')).body) burn(n); return new Response('read');
    case '/request-body': for await (const chunk of req.body) burn(n); return new Response('read');
    case '/response-body': return new Response(new ReadableStream({ pull(c) { burn(n); c.enqueue(new Uint8Array(300_000)); } }));
    case '/derived-keys': {
      const key = await crypto.subtle.importKey('raw', new Uint8Array(16), 'PBKDF2', false, ['deriveBits']);
      for (;;) { await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: new Uint8Array(8), iterations: 10 }, key, 128); await pause(0); burn(n); }
    }
    case '/messages': { const { port1, port2 } = new MessageChannel(); port1.onmessage = () => { burn(n); port2.postMessage(1); }; port2.postMessage(1); await new Promise(() => {}); }
    case '/wait-until': ctx.waitUntil((async () => { for (;;) { await pause(1); burn(n); } })()); return new Response('answered');
    case '/abort': req.signal.addEventListener('abort', () => { for (;;); }); await pause(20_000); return new Response('late');
    case '/abort-timers': req.signal.addEventListener('abort', () => setInterval(() => burn(n), 1)); await pause(20_000); return new Response('late');
  }
  return new Response('fine');
} };`;

/** A function that burns 4 ms an entry. */
async function attack(host: TestHost, n: number, path: string, options: InvokeOptions = {}, to = ''): Promise<{ readonly f: number; readonly answer: Answer }> {
  const f = await host.deploy(MANY, { function: nameOf(path), cpuMs: 50 });
  await host.call(f);
  return { f, answer: await host.call(f, { path: `${path}?n=${n}&to=${encodeURIComponent(to)}`, ...options }) };
}

const nameOf = (path: string): string => `bad${path.replaceAll('/', '-')}`;

async function fourMs(host: TestHost, good: number): Promise<number> {
  return Math.round((await roundsPerMs(host, good)) * 4);
}

/** Killed after about a dozen entries, the last of which may have begun with a hair left. */
function expectKilled({ code, params, cpuUs }: Answer): void {
  expect([code, params?.['limit']]).toEqual(['cpu_limit_exceeded', 50]);
  expect(cpuUs).toBeGreaterThanOrEqual(49_000);
  expect(cpuUs).toBeLessThan(75_000);
}

const chunks = (): Uint8Array[] => Array.from({ length: 400 }, () => new Uint8Array(20_000));

describe('one budget over all entries', () => {
  const shared = TestHost.shared();
  let good: number;
  let n: number;
  beforeAll(async () => {
    good = await shared().deploy(MANY, { function: 'good', cpuMs: 5_000 });
    n = await fourMs(shared(), good);
  }, 30_000);

  for (const path of ['/timeouts', '/intervals', '/request-body', '/response-body', '/derived-keys', '/messages', '/wait-until']) {
    test(`${path}: entries of 4 ms end their isolate when they have used 50 ms together`, async () => {
      const host = shared();
      const { f, answer } = await attack(host, n, path, path === '/request-body' ? { stream: chunks() } : {});
      expectKilled(answer);
      expect(await host.text(good)).toBe('fine');
      expect(await host.text(f)).toBe('fine');
    });
  }

  test('completions of calls, and chunks of their answers', async () => {
    const up = await useUpstream((req, res) => {
      if (req.url !== '/large') res.end('small');
      else for (const chunk of chunks()) res.write(chunk);
    });
    const sidecar = await useSidecar();
    const host = await TestHost.start({ sidecarPath: sidecar.path });
    const calm = await host.deploy(MANY, { function: 'calm', cpuMs: 5_000 });
    const rounds = await fourMs(host, calm);
    for (const path of ['/fetches', '/bodies']) expectKilled((await attack(host, rounds, path, {}, up.origin)).answer);
    expect(await host.text(calm)).toBe('fine');
  });

  for (const path of ['/abort', '/abort-timers']) {
    test(`${path}: nobody waits for it any more, and the budget holds`, async () => {
      const host = shared();
      const name = nameOf(path);
      const f = await host.deploy(MANY, { function: name, cpuMs: 50 });
      await host.call(f);
      const running = host.invoke(f, { path: `${path}?n=${n}` });
      await expect.poll(() => host.figures.at(-1)?.versions.find((row) => row.function === name)?.running, BUSY).toBe(1);
      running.cancel();
      expectKilled(await running.done);
      await expect.poll(() => host.logs.some((line) => line.fn === name && line.fields?.includes('cpu_limit_exceeded') === true), BUSY).toBe(true);
      expect(await host.text(good)).toBe('fine');
    });
  }
});

describe('what one entry may ask of the host', () => {
  const ASKS = `export default { async fetch(req) {
    switch (new URL(req.url).pathname) {
      case '/caught': for (;;) try { crypto.randomUUID(); } catch { /* and on */ }
      case '/microtasks': for (;;) { crypto.randomUUID(); await null; }
      case '/bytes': { const text = 'x'.repeat(1_000_000); const encoder = new TextEncoder(); for (;;) encoder.encode(text); }
      case '/many-entries': for (let i = 0; i < 5; i++) { for (let j = 0; j < ${MAX_ENTRY_OPERATIONS / 2.5}; j++) crypto.randomUUID(); await new Promise((r) => setTimeout(r, 0)); } return new Response('lawful');
    }
    return new Response('fine');
  } };`;
  const host = TestHost.shared();

  for (const path of ['/caught', '/microtasks']) {
    test(`${path}: too many operations end it, whatever budget it has`, async () => {
      const f = await host().deploy(ASKS, { cpuMs: 300_000 });
      const answer = await host().call(f, { path });
      expect([answer.code, answer.params]).toEqual(['cpu_limit_exceeded', { limit: 300_000, used: expect.any(Number), operations: MAX_ENTRY_OPERATIONS }]);
      expect(answer.params?.['used']).toBeLessThan(20_000);
      expect(await host().text(f)).toBe('fine');
    }, 40_000);
  }

  test('/bytes: too many bytes end it', async () => {
    const f = await host().deploy(ASKS, { cpuMs: 300_000 });
    const answer = await host().call(f, { path: '/bytes' });
    expect([answer.code, answer.params?.['bytes']]).toEqual(['cpu_limit_exceeded', MAX_ENTRY_BYTES]);
    expect(await host().text(f)).toBe('fine');
  }, 40_000);

  test('each entry begins anew', async () => {
    const f = await host().deploy(ASKS, { cpuMs: 60_000 });
    expect(await host().text(f, { path: '/many-entries' })).toBe('lawful');
  }, 40_000);
});
