// CacheStorage and Cache (Service Workers standard, section 5) inside an isolate, kept by a real sidecar process.
import { describe, expect, test } from 'vitest';
import { expectChecks } from '../../../support/guest-checks.ts';
import { TestHost } from '../../../support/isolates-host.ts';
import { onFileFinished } from '../../../support/on-finished.ts';
import { startSidecarProcess } from '../../../support/sidecar-server.ts';
import type { SidecarProcess } from '../../../support/sidecar-server.ts';
import { useUpstream } from '../../../support/sidecar-upstream.ts';

async function stand(cacheMb = 64): Promise<{ host: TestHost; sidecar: SidecarProcess }> {
  const sidecar = await startSidecarProcess({ cacheMb });
  return { sidecar, host: await TestHost.start({ sidecarPath: sidecar.boot.sockets.sidecar }) };
}

/** For tests that look at nothing but the caches of their own function. */
const onFinished = onFileFinished();
let started: Promise<TestHost> | undefined;
const shared = (): Promise<TestHost> => (started ??= (async () => TestHost.start({ sidecarPath: (await startSidecarProcess({}, undefined, onFinished)).boot.sockets.sidecar }, onFinished))());

const MANY = { subrequests: 1_000 };

test('the interfaces, and what can not be put', async () => {
  const host = await shared();
  await expectChecks(host, `
const U = 'https://a.test/';
check('members', async () => {
  for (const name of ['match', 'matchAll', 'add', 'addAll', 'put', 'delete', 'keys']) { ok(Object.getOwnPropertyDescriptor(Cache.prototype, name).enumerable, name); await rejectsWith('TypeError', () => Cache.prototype[name].call({}, U, new Response()), name); }
  for (const name of ['match', 'has', 'open', 'delete', 'keys']) { ok(Object.getOwnPropertyDescriptor(CacheStorage.prototype, name).enumerable, name); await rejectsWith('TypeError', () => CacheStorage.prototype[name].call({}, 'x'), name); }
  throwsWith('TypeError', () => new Cache()); throwsWith('TypeError', () => new CacheStorage());
  ok(caches instanceof CacheStorage); ok(caches.default instanceof Cache); ok(caches.default === caches.default); ok((await caches.open('x')) instanceof Cache); eq(String(caches), '[object CacheStorage]');
});
check('arguments', async () => { const c = await caches.open('x'); for (const run of [() => c.match(), () => c.add(), () => c.addAll(), () => c.put(U), () => c.delete(), () => caches.match(), () => caches.open(), () => caches.has(), () => caches.delete()]) await rejectsWith('TypeError', run, String(run)); await rejectsWith('TypeError', () => c.match(U, 'x')); await rejectsWith('TypeError', () => c.addAll(U.length)); });
check('refused', async () => {
  const c = await caches.open('x');
  for (const [request, response] of [[new Request(U, { method: 'POST' }), new Response()], [new Request(U, { method: 'HEAD' }), new Response()], ['data:,x', new Response()], ['relative', new Response()], [U, new Response('', { status: 206 })], [U, new Response('', { headers: { vary: 'a, *' } })], [U, Response.error()], [U, {}], [U, 'x']]) await rejectsWith('TypeError', () => c.put(request, response), show([String(request), response.status]));
  const used = new Response('x'); await used.text(); await rejectsWith('TypeError', () => c.put(U, used)); const locked = new Response('x'); locked.body.getReader(); await rejectsWith('TypeError', () => c.put(U, locked));
  await rejectsWith('TypeError', () => c.put(U, new Response(new ReadableStream({ pull() { throw new RangeError('mine'); } }))));
  eq(await c.match(U), undefined);
});
`, MANY);
});

test('put, match, matchAll, keys, delete, and their options', async () => {
  const host = await shared();
  await expectChecks(host, `
const U = 'https://a.test/';
const text = async (response) => (response === undefined ? undefined : await response.text());
check('what comes back', async () => {
  const c = await caches.open('one'); const r = new Response('body', { status: 404, statusText: 'Not there', headers: { 'x-a': '1', 'content-type': 'a/b' } });
  eq(await c.put(U + '#frag', r), undefined); ok(r.bodyUsed);
  const m = await c.match(U + '#other'); eq([m.status, m.statusText, m.type, m.url, m.headers.get('x-a'), m.headers.get('content-type'), await m.text()], [404, 'Not there', 'default', '', '1', 'a/b', 'body']);
  throwsWith('TypeError', () => m.headers.set('a', 'b')); eq(await text(await c.match(U)), 'body');
  await c.put(U, new Response('newer')); eq(await text(await c.match(new Request(U))), 'newer'); eq((await c.matchAll()).length, 1);
  await c.put(U + 'empty', new Response('')); const empty = await c.match(U + 'empty'); ok(empty.body !== null); eq(await empty.text(), ''); await c.put(U + 'null', new Response(null, { status: 204 })); eq((await c.match(U + 'null')).body, null);
});
check('kinds of bodies', async () => {
  const c = await caches.open('kinds'); const big = new Uint8Array(700_000).map((_, i) => i * 7);
  for (const [name, body] of [['text', 'h\\u00e4'], ['bytes', utf8('h\\u00e4')], ['blob', new Blob(['h', '\\u00e4'])], ['stream', new ReadableStream({ start(x) { x.enqueue(utf8('h')); x.enqueue(utf8('\\u00e4')); x.close(); } })]]) { await c.put(U + name, new Response(body)); eq(await text(await c.match(U + name)), 'h\\u00e4', name); }
  for (const [name, body] of [['big', big], ['bigstream', new Response(big).body]]) { await c.put(U + name, new Response(body)); eq((await (await c.match(U + name)).bytes()).every((b, i) => b === big[i]), true); eq((await readAll((await c.match(U + name)).body)).length, 700_000); }
  const [a, b] = await c.matchAll(U + 'big'); eq([(await a.bytes()).length, b], [700_000, undefined]);
});
check('query options', async () => {
  const c = await caches.open('options'); for (const [q, body] of [['?a=1', 'one'], ['?a=2', 'two'], ['', 'none']]) await c.put(U + q, new Response(body));
  eq([await text(await c.match(U + '?a=2')), await text(await c.match(U + '?a=3')), await text(await c.match(U + '?a=3', { ignoreSearch: true })), (await c.matchAll(U, { ignoreSearch: true })).length, (await c.matchAll(U)).length], ['two', undefined, 'one', 3, 1]);
  eq([await text(await c.match(new Request(U, { method: 'POST' }))), await text(await c.match(new Request(U, { method: 'HEAD' }))), await text(await c.match(new Request(U, { method: 'POST' }), { ignoreMethod: true }))], [undefined, undefined, 'none']);
  eq([await c.delete(U + '?a=9'), await c.delete(new Request(U, { method: 'PUT' })), await c.delete(U + '?a=1'), await c.delete(U + '?a=1'), await c.delete(U, { ignoreSearch: true }), (await c.keys()).length], [false, false, true, false, true, 0]);
});
check('vary', async () => {
  const c = await caches.open('vary'); const req = (lang) => new Request(U, { headers: lang ? { 'accept-language': lang } : {} });
  await c.put(req('de'), new Response('deutsch', { headers: { vary: 'Accept-Language' } })); await c.put(req('en'), new Response('english', { headers: { vary: 'accept-language' } }));
  eq([await text(await c.match(req('de'))), await text(await c.match(req('en'))), await text(await c.match(req('fr'))), await text(await c.match(U)), await text(await c.match(U, { ignoreVary: true })), (await c.keys()).length], ['deutsch', 'english', undefined, undefined, 'deutsch', 2]);
});
check('keys', async () => {
  const c = await caches.open('keys'); await c.put(new Request(U + 'b', { headers: { 'x-a': '1' } }), new Response()); await c.put(U + 'a', new Response()); await c.put(U + 'a?q', new Response());
  const all = await c.keys(); eq(all.map((r) => [r.url, r.method, r instanceof Request, r.headers.get('x-a')]), [[U + 'b', 'GET', true, '1'], [U + 'a', 'GET', true, null], [U + 'a?q', 'GET', true, null]]);
  eq([(await c.keys(U + 'a')).length, (await c.keys(U + 'a', { ignoreSearch: true })).length, (await c.keys(U + 'no')).length], [1, 2, 0]);
});
check('matchAll', async () => { const c = await caches.open('all'); await c.put(U + '1', new Response('one', { headers: { x: '1' } })); await c.put(U + '2', new Response('')); await c.put(U + '3', new Response('three')); const all = await c.matchAll(); eq(await Promise.all(all.map((r) => r.text())), ['one', '', 'three']); eq(all[0].headers.get('x'), '1'); eq(await c.matchAll(U + 'no'), []); });
check('storage', async () => {
  const names = ['one', 'kinds', 'options', 'vary', 'keys', 'all']; eq(await caches.keys(), names); eq([await caches.has('one'), await caches.has('no')], [true, false]);
  await caches.default.put(U + 'default', new Response('in default')); eq(await caches.keys(), names); eq([await text(await caches.default.match(U + 'default')), await text(await caches.match(U + 'default'))], ['in default', undefined]);
  eq([await text(await caches.match(U + '3')), await text(await caches.match(U + '3', { cacheName: 'all' })), await text(await caches.match(U + '3', { cacheName: 'one' })), await text(await caches.match(U + '3', { cacheName: 'no' }))], ['three', 'three', undefined, undefined]);
  eq([await caches.delete('all'), await caches.delete('all'), await caches.has('all'), await text(await caches.match(U + '3'))], [true, false, false, undefined]);
  for (const odd of ['', 'a\\nb', '\\ud800', '*', '"x"']) { const c = await caches.open(odd); await c.put(U + 'odd', new Response(show(odd))); eq(await text(await c.match(U + 'odd')), show(odd)); ok((await caches.keys()).includes(odd)); ok(await caches.delete(odd)); }
});
`, { ...MANY, cpuMs: 5_000 });
});

test('expiry: what the response says about itself', async () => {
  const host = await shared();
  await expectChecks(host, `
const U = 'https://a.test/'; const kept = async (headers) => { await caches.default.put(U, new Response('x', { headers })); return (await caches.default.match(U)) !== undefined; };
check('rules', async () => {
  for (const headers of [{}, { 'cache-control': 'max-age=60' }, { 'cache-control': 's-maxage=60, max-age=0' }, { expires: new Date(Date.now() + 60_000).toUTCString() }, { 'cache-control': 'private=Set-Cookie', 'set-cookie': 'a=b' }]) ok(await kept(headers), show(headers));
  for (const headers of [{ 'cache-control': 'no-store' }, { 'cache-control': 'private' }, { 'cache-control': 'no-cache' }, { 'cache-control': 'max-age=0' }, { expires: '0' }, { 'set-cookie': 'a=b' }]) ok(!(await kept(headers)), show(headers));
  await kept({ 'cache-control': 'max-age=1' }); await new Promise((done) => setTimeout(done, 1_100)); eq(await caches.default.match(U), undefined);
});`, MANY, { wallMs: 20_000 });
});

test('add and addAll fetch, check and keep', async () => {
  const up = await useUpstream((req, res) => res.writeHead(req.url === '/bad' ? 500 : 200, { 'x-path': req.url ?? '', ...(req.url === '/vary' ? { vary: '*' } : {}) }).end(`body of ${req.url}`));
  const host = await shared();
  await expectChecks(host, `
const base = ${JSON.stringify(up.origin)};
check('add', async () => { const c = await caches.open('add'); eq(await c.add(base + '/a'), undefined); const m = await c.match(base + '/a'); eq([m.url, m.type, m.headers.get('x-path'), await m.text()], [base + '/a', 'basic', '/a', 'body of /a']); });
check('addAll', async () => { const c = await caches.open('all'); await c.addAll([base + '/1', new Request(base + '/2')]); eq((await c.keys()).map((r) => r.url), [base + '/1', base + '/2']); await c.addAll([]); });
check('refusals keep nothing', async () => { const c = await caches.open('refused'); for (const list of [[base + '/1', base + '/bad'], [base + '/vary'], [new Request(base + '/1', { method: 'POST' })], ['data:,x']]) await rejectsWith('TypeError', () => c.addAll(list)); await rejectsWith('InvalidStateError', () => c.addAll([base + '/1', base + '/1'])); eq(await c.keys(), []); });
`, MANY);
});

describe('limits and isolation', () => {
  const USE = `export default { async fetch(request, env) {
  const { pathname, searchParams } = new URL(request.url);
  try {
    const c = await caches.open('shared');
    switch (pathname) {
      case '/put': await c.put('https://a.test/' + (searchParams.get('key') ?? ''), new Response(searchParams.get('value') ?? 'x')); return new Response('put');
      case '/get': return (await c.match('https://a.test/' + (searchParams.get('key') ?? ''))) ?? new Response('miss');
      case '/keys': return new Response(String((await c.keys()).length));
      case '/many': { const all = await Promise.allSettled(Array.from({ length: 20 }, () => c.match('https://a.test/'))); return Response.json(all.map((r) => r.reason?.code ?? 'ok')); }
      case '/big': await c.put('https://a.test/big', new Response(new Uint8Array(Number(searchParams.get('bytes'))))); return new Response('put');
      case '/flood': { const from = Number(searchParams.get('from')); const body = new Uint8Array(100_000); for (let i = from; i < from + 50; i++) await c.put('https://a.test/' + i, new Response(body)); return new Response('flooded'); }
      case '/empty': { const from = Number(searchParams.get('from')); for (let i = from; i < from + 500; i += 5) await Promise.all([0, 1, 2, 3, 4].map((k) => c.put('https://a.test/e' + (i + k), new Response(null)))); return new Response('flooded'); }
      case '/pass': return await c.match('https://a.test/big');
    }
  } catch (error) { return Response.json([error.name, error.code]); }
} };`;

  test('functions and tenants see only their own; versions of a function share', async () => {
    const host = await shared();
    const [one, two, other, newer] = [await host.deploy(USE, { function: 'one' }), await host.deploy(USE, { function: 'two' }), await host.deploy(USE, { function: 'one', tenant: 'other' }), await host.deploy(`${USE}//`, { function: 'one', version: 2 })];
    expect(await host.text(one, { path: '/put?value=mine' })).toBe('put');
    expect(await Promise.all([one, two, other, newer].map((f) => host.text(f, { path: '/get' })))).toEqual(['mine', 'miss', 'miss', 'mine']);
    expect(await Promise.all([two, other].map((f) => host.text(f, { path: '/keys' })))).toEqual(['0', '0']);
  });

  test('calls count as subrequests; an entry and a put have bounds', async () => {
    const host = await shared();
    const f = await host.deploy(USE, { subrequests: 12, cpuMs: 2_000 });
    const codes = JSON.parse(await host.text(f, { path: '/many' })) as string[];
    expect([codes.filter((code) => code === 'ok').length, codes.filter((code) => code === 'subrequest_limit_exceeded').length]).toEqual([11, 9]);
    expect(await host.text(f, { path: '/big?bytes=5000000' })).toBe('["TypeError","body_too_large"]');
    expect(await host.text(f, { path: '/big?bytes=3900000' })).toBe('put');
    expect((await host.call(f, { path: '/pass' })).body.length).toBe(3_900_000);
  });

  test('a flood stays within its tenant\'s share, and the sidecar within its memory', async () => {
    const { host, sidecar } = await stand(64);
    const [flood, quiet] = [await host.deploy(USE, { function: 'flood', tenant: 'flood', subrequests: 10_000, cpuMs: 10_000 }), await host.deploy(USE, { function: 'quiet', tenant: 'quiet' })];
    expect(await host.text(quiet, { path: '/put?value=kept' })).toBe('put');
    const before = sidecar.residentBytes();
    for (let i = 0; i < 20; i++) expect(await host.text(flood, { path: `/flood?from=${i * 50}`, wallMs: 30_000 })).toBe('flooded');
    for (let i = 0; i < 4; i++) expect(await host.text(flood, { path: `/empty?from=${i * 500}`, wallMs: 30_000 })).toBe('flooded');
    expect(await host.text(quiet, { path: '/get' })).toBe('kept');
    // 100 MB went in; a quarter of 64 MiB may stay.
    expect(sidecar.residentBytes() - before).toBeLessThan(90 * 1_048_576);
    expect(Number(await host.text(flood, { path: '/keys' }))).toBeLessThan(2_200);
  }, 60_000);

  test('a sidecar that is away: typed rejections; afterwards the caches are empty and work', async () => {
    const { host, sidecar } = await stand();
    const f = await host.deploy(USE);
    expect(await host.text(f, { path: '/put?value=before' })).toBe('put');
    sidecar.child.kill('SIGKILL');
    await sidecar.exited;
    expect(await host.text(f, { path: '/get', wallMs: 400 })).toContain('upstream_timeout');
    await startSidecarProcess({}, sidecar.boot.dataFolder);
    await expect.poll(() => host.text(f, { path: '/get' }), { timeout: 5_000 }).toBe('miss');
    expect(await host.text(f, { path: '/put?value=after' })).toBe('put');
    expect(await host.text(f, { path: '/get' })).toBe('after');
  });
});
