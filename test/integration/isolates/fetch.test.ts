// fetch inside an isolate, through a real sidecar, to upstreams on loopback.
import { describe, expect, test } from 'vitest';
import { TestHost } from '../../support/isolates-host.ts';
import { onFileFinished } from '../../support/on-finished.ts';
import { startSidecarProcess, useSidecar, useTempFolder } from '../../support/sidecar-server.ts';
import { useUpstream } from '../../support/sidecar-upstream.ts';

const FETCHES = `
const to = (req) => new URL(req.url).searchParams.get('to');
const tried = async (run) => { try { return await run(); } catch (e) { return { name: e.name, code: e.code ?? null }; } };
export default { async fetch(req) {
  const url = new URL(req.url);
  switch (url.pathname) {
    case '/json': { const r = await fetch(to(req), { headers: { 'x-mine': '1' } }); return Response.json([r.status, r.ok, r.url, r.headers.get('x-up'), await r.json()]); }
    case '/through': return fetch(to(req));
    case '/post': { const r = await fetch(to(req), { method: 'POST', body: url.searchParams.get('body') }); return new Response(await r.text()); }
    case '/upload': { const r = await fetch(to(req), { method: 'POST', body: req.body, duplex: 'half' }); return new Response(await r.text()); }
    case '/generate': { let i = 0; const body = new ReadableStream({ pull(c) { if (i++ === 20) c.close(); else c.enqueue(new Uint8Array(50_000)); } }); const r = await fetch(to(req), { method: 'POST', body, duplex: 'half' }); return new Response(await r.text()); }
    case '/many': { const n = Number(url.searchParams.get('n')); const all = await Promise.all(Array.from({ length: n }, () => tried(async () => (await fetch(to(req))).status))); return Response.json(all); }
    case '/abort': { const c = new AbortController(); setTimeout(() => c.abort(), 30); return Response.json(await tried(() => fetch(to(req), { signal: c.signal }))); }
    case '/timeout': return Response.json(await tried(() => fetch(to(req), { signal: AbortSignal.timeout(30) })));
    case '/tried': return Response.json(await tried(async () => (await fetch(to(req))).status));
    case '/tried-post': return Response.json(await tried(async () => (await fetch(to(req), { method: 'POST', body: 'x' })).status));
    case '/count': { const r = await fetch(to(req)); let n = 0; for await (const c of r.body) n += c.length; return new Response(String(n)); }
  }
} };`;

const path = (name: string, to: string, more = ''): string => `/${name}?to=${encodeURIComponent(to)}${more}`;

/** For tests that neither end nor measure it. */
const onFinished = onFileFinished();
let started: Promise<TestHost> | undefined;
async function shared(settings: { subrequests?: number; cpuMs?: number } = {}): Promise<{ host: TestHost; f: number }> {
  started ??= (async () => TestHost.start({ sidecarPath: (await useSidecar({}, onFinished)).path }, onFinished))();
  const host = await started;
  return { host, f: await host.deploy(FETCHES, { cpuMs: 1_000, ...settings }) };
}

async function stand(settings: { subrequests?: number; cpuMs?: number; allow?: readonly string[] } = {}): Promise<{ host: TestHost; f: number }> {
  const { allow, ...rest } = settings;
  const sidecar = await useSidecar(allow === undefined ? {} : { egressAllow: [...allow] });
  const host = await TestHost.start({ sidecarPath: sidecar.path });
  return { host, f: await host.deploy(FETCHES, { cpuMs: 1_000, ...rest }) };
}

describe('fetch', () => {
  test('calls that nobody waits for hold nothing once their invocations have ended', async () => {
    const up = await useUpstream(() => {});
    const { host } = await stand();
    const f = await host.deploy(`export default { async fetch(req) { const kept = new Uint8Array(1_000_000).fill(1); (async () => { await fetch(${JSON.stringify(`${up.origin}/never`)}); globalThis.last = kept.length; })(); return new Response('ok'); } };`, { memoryMb: 32, cpuMs: 1_000 });
    const texts: string[] = [];
    for (let i = 0; i < 120; i++) texts.push(await host.text(f));
    expect(new Set(texts)).toEqual(new Set(['ok']));
  });
  test('brings status, headers and body; passes headers and the trace', async () => {
    const up = await useUpstream((req, res) => res.writeHead(201, { 'x-up': 'yes', 'content-type': 'application/json' }).end(JSON.stringify({ mine: req.headers['x-mine'], trace: req.headers['traceparent'] !== undefined })));
    const { host, f } = await shared();
    const answer = await host.call(f, { path: path('json', `${up.origin}/a`), headers: { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` } });
    expect(JSON.parse(answer.body.toString())).toEqual([201, true, `${up.origin}/a`, 'yes', { mine: '1', trace: true }]);
  });

  test('bodies of calls that wait are the isolate\'s memory: what does not fit fails, and all of it comes back', async () => {
    const held: string[] = [];
    const up = await useUpstream((req, res) => {
      held.push(String(req.url));
      req.resume();
      req.on('end', () => setTimeout(() => res.end('ok'), 20));
    });
    const { host } = await stand();
    const f = await host.deploy(`const body = 'x'.repeat(1_000_000); export default { async fetch() {
      const all = await Promise.allSettled(Array.from({ length: 12 }, async () => (await fetch(${JSON.stringify(up.origin)}, { method: 'POST', body })).text()));
      return Response.json(all.map((one) => one.value ?? one.reason.code));
    } };`, { memoryMb: 8, cpuMs: 2_000 });
    for (let round = 0; round < 3; round++) {
      const codes = JSON.parse(await host.text(f)) as string[];
      expect([codes.filter((code) => code === 'ok').length, codes.filter((code) => code === 'overloaded').length]).toEqual([8, 4]);
    }
    expect(held).toHaveLength(24);
  });

  test('calls that wait are never sent when their invocation is over', async () => {
    let sent = 0;
    const up = await useUpstream(() => void (sent += 1));
    const { host } = await stand();
    const f = await host.deploy(`export default { async fetch() { await Promise.all(Array.from({ length: 20 }, () => fetch(${JSON.stringify(up.origin)}))); } };`);
    const invocation = host.invoke(f);
    await expect.poll(() => sent, { timeout: 10_000 }).toBe(6);
    invocation.cancel('wall_limit_exceeded');
    await invocation.done;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(sent).toBe(6);
  });

  test('carries on what its own request came through, whatever the function sets', async () => {
    const up = await useUpstream((req, res) => res.end(String(req.headers['cdn-loop'])));
    const { host } = await stand();
    const f = await host.deploy(`export default { async fetch(req) { return fetch(${JSON.stringify(up.origin)}, { headers: { 'cdn-loop': 'mine' } }); } };`);
    expect(await host.text(f, { headers: { 'cdn-loop': 'thimble, thimble' } })).toBe('mine, thimble, thimble, thimble');
    expect(await host.text(f)).toBe('mine, thimble');
  });

  test('sends bodies: text, the untouched request body, and a stream of its own', async () => {
    const up = await useUpstream((req, res) => {
      let n = 0;
      req.on('data', (c: Buffer) => (n += c.length));
      req.on('end', () => res.end(`${req.headers['content-type'] ?? ''} ${n}`));
    });
    const { host, f } = await shared();
    expect(await host.text(f, { path: path('post', up.origin, '&body=abc') })).toBe('text/plain;charset=UTF-8 3');
    expect(await host.text(f, { path: path('upload', up.origin), stream: Array.from({ length: 30 }, () => new Uint8Array(40_000)) })).toBe(' 1200000');
    expect(await host.text(f, { path: path('upload', up.origin), body: 'small' })).toBe(' 5');
    expect(await host.text(f, { path: path('generate', up.origin) })).toBe(' 1000000');
  });

  test('an answer that is returned untouched is passed through whole, with almost no CPU', async () => {
    const up = await useUpstream((_req, res) => {
      for (let i = 0; i < 100; i++) res.write(Buffer.alloc(50_000, i));
      res.end();
    });
    const { host, f } = await shared({ cpuMs: 50 });
    const answer = await host.call(f, { path: path('through', up.origin) });
    expect([answer.status, answer.body.length, answer.ended]).toEqual([200, 5_000_000, true]);
    expect(await host.text(f, { path: path('count', up.origin) })).toBe('5000000');
  });

  test('subrequests are counted; six run at once, the others wait', async () => {
    let now = 0;
    let most = 0;
    const up = await useUpstream((_req, res) => {
      most = Math.max(most, ++now);
      setTimeout(() => {
        now -= 1;
        res.end('x');
      }, 20);
    });
    const { host, f } = await shared({ subrequests: 14 });
    const answer = JSON.parse((await host.call(f, { path: path('many', up.origin, '&n=20') })).body.toString()) as unknown[];
    expect(answer.filter((a) => a === 200)).toHaveLength(14);
    expect(answer.filter((a) => (a as { code?: string }).code === 'subrequest_limit_exceeded')).toHaveLength(6);
    expect(most).toBeLessThanOrEqual(6);
  });

  test('aborts and time-outs reject with their reason and let go of the upstream', async () => {
    let closed = 0;
    const up = await useUpstream((req) => void req.on('close', () => (closed += 1)));
    const { host, f } = await shared();
    expect(await host.text(f, { path: path('abort', up.origin) })).toBe('{"name":"AbortError","code":20}');
    expect(await host.text(f, { path: path('timeout', up.origin) })).toBe('{"name":"TimeoutError","code":23}');
    await expect.poll(() => closed).toBe(2);
  });

  test('the wall limit bounds a call; a client that goes away cancels it', async () => {
    let closed = 0;
    const up = await useUpstream((req) => void req.on('close', () => (closed += 1)));
    const { host, f } = await shared();
    expect(JSON.parse((await host.call(f, { path: path('tried', up.origin), wallMs: 200 })).body.toString())).toEqual({ name: 'TypeError', code: 'upstream_timeout' });
    const running = host.invoke(f, { path: path('tried', up.origin) });
    await expect.poll(() => up.requests.length).toBe(2);
    running.cancel();
    expect((await running.done).final).toBe(true);
    await expect.poll(() => closed).toBe(2);
  });

  test('refused, unreachable and unknown addresses are TypeErrors with a code', async () => {
    const { host, f } = await stand({ allow: ['127.0.0.1:1'] });
    for (const [to, code] of [['http://127.0.0.1:2/', 'egress_refused'], ['http://10.0.0.1/', 'egress_refused'], ['ftp://a.test/', 'egress_refused'], ['http://127.0.0.1:1/', 'upstream_failed']]) {
      expect(JSON.parse(await host.text(f, { path: path('tried', String(to)) }))).toEqual({ name: 'TypeError', code });
    }
  });
});

test('a lost sidecar: calls under way fail typed unless repeating is safe; the next one serves', async () => {
  let hold = true;
  const up = await useUpstream((req, res) => {
    if (hold) return;
    req.resume();
    res.end('x');
  });
  const folder = useTempFolder();
  const first = await startSidecarProcess({}, folder);
  const host = await TestHost.start({ sidecarPath: first.boot.sockets.sidecar });
  const f = await host.deploy(FETCHES, { cpuMs: 1_000 });
  const get = host.invoke(f, { path: path('tried', up.origin) });
  const post = host.invoke(f, { path: path('tried-post', up.origin) });
  await expect.poll(() => up.requests.length).toBe(2);
  hold = false;
  process.kill(first.pid, 'SIGKILL');
  await first.exited;
  await startSidecarProcess({}, folder);
  expect((await get.done).body.toString()).toBe('200');
  expect(JSON.parse((await post.done).body.toString())).toEqual({ name: 'TypeError', code: 'sidecar_lost' });
  expect(await host.text(f, { path: path('tried-post', up.origin) })).toBe('200');
});
