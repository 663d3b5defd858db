// fetch as the standard has it (Fetch standard, sections 5.6 and 6): data: addresses, schemes, integrity, aborts at every stage.
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { expectChecks } from '../../../support/guest-checks.ts';
import { TestHost } from '../../../support/isolates-host.ts';
import { useSidecar } from '../../../support/sidecar-server.ts';
import { useUpstream } from '../../../support/sidecar-upstream.ts';

async function stand(): Promise<TestHost> {
  const sidecar = await useSidecar();
  return TestHost.start({ sidecarPath: sidecar.path });
}

const MANY = { subrequests: 1_000 };

test('data: addresses, and schemes that are none of ours', async () => {
  const host = await stand();
  await expectChecks(host, `
check('the interface', async () => { eq([fetch.length, fetch.name], [1, 'fetch']); await rejectsWith('TypeError', () => fetch()); });
for (const [url, type, bytes] of [['data:,a%20b', 'text/plain;charset=US-ASCII', [97, 32, 98]], ['data:text/html,<p>', 'text/html', [60, 112, 62]], ['data:text/plain;base64,YWI=', 'text/plain', [97, 98]], ['data:;base64, Y W I ', 'text/plain;charset=US-ASCII', [97, 98]], ['data:;charset=x,a', 'text/plain;charset=x', [97]],
  ['data:image/png;BASE64,//8', 'image/png', [255, 255]], ['data:nonsense,a', 'text/plain;charset=US-ASCII', [97]], ['data:,%ff%zz%4', 'text/plain;charset=US-ASCII', [255, 37, 122, 122, 37, 52]], ['data:,a#hash', 'text/plain;charset=US-ASCII', [97]], ['data:,', 'text/plain;charset=US-ASCII', []]])
  check(url, async () => { const r = await fetch(url); eq([r.status, r.statusText, r.type, r.url, r.headers.get('content-type'), await r.bytes()], [200, 'OK', 'basic', new URL(url).href.split('#')[0], type, bytes]); throwsWith('TypeError', () => r.headers.set('a', 'b')); });
check('HEAD has no body', async () => { const r = await fetch('data:,x', { method: 'HEAD' }); eq([r.status, await r.text()], [200, '']); });
for (const url of ['data:no comma', 'data:;base64,=', 'data:;base64,a', 'ftp://a.test/', 'file:///etc/passwd', 'about:blank', 'blob:https://a.test/x', 'javascript:1', 'ws://a.test/', 'relative', '', 'http://user:x@a.test/']) check('refused ' + url, () => rejectsWith('TypeError', () => fetch(url)));
`, MANY);
});

test('answers: immutable headers, null bodies, and integrity', async () => {
  const body = 'content that is known';
  const sha = (name: string): string => createHash(name).update(body).digest('base64');
  const up = await useUpstream((req, res) => (req.url === '/204' ? res.writeHead(204).end() : res.writeHead(200, 'All good', { 'x-a': '1', 'set-cookie': ['a=1', 'b=2'] }).end(body)));
  const host = await stand();
  await expectChecks(host, `
const U = ${JSON.stringify(up.origin)};
check('answer', async () => { const r = await fetch(U + '/x#hash'); eq([r.type, r.status, r.statusText, r.url, r.headers.get('x-a'), r.headers.getSetCookie()], ['basic', 200, 'All good', U + '/x', '1', ['a=1', 'b=2']]); for (const run of [() => r.headers.set('a', 'b'), () => r.headers.delete('x-a'), () => r.clone().headers.append('a', 'b')]) throwsWith('TypeError', run); const own = new Response(r.body, r); own.headers.set('x-a', '2'); eq([own.headers.get('x-a'), await own.text()], ['2', ${JSON.stringify(body)}]); });
check('clone', async () => { const r = await fetch(U); const c = r.clone(); eq([await r.text(), await c.text(), c.url], [${JSON.stringify(body)}, ${JSON.stringify(body)}, U + '/']); });
check('204', async () => { const r = await fetch(U + '/204'); eq([r.status, r.body, await r.text()], [204, null, '']); });
check('control characters never leave', async () => { await rejectsWith('TypeError', () => fetch(U, { headers: { a: 'x\\u0001y' } })); });
for (const integrity of ['sha256-${sha('sha256')}', 'sha384-${sha('sha384')}', 'sha512-${sha('sha512')}', 'sha256-${sha('sha256').replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')}', 'sha256-AAAA sha512-${sha('sha512')}', 'sha512-AAAA sha512-${sha('sha512')}?opt', 'md5-AAAA', '', 'nonsense'])
  check('good ' + integrity.slice(0, 24), async () => { const r = await fetch(U, { integrity }); eq(await r.text(), ${JSON.stringify(body)}); });
for (const integrity of ['sha256-AAAA', 'sha512-AAAA sha256-${sha('sha256')}', 'sha256-${sha('sha384')}']) check('bad ' + integrity.slice(0, 24), async () => { await rejectsWith('TypeError', () => fetch(U, { integrity })); await rejectsWith('TypeError', () => fetch('data:,x', { integrity })); });
`, MANY);
});

test('aborts: before, during, and while the answer is read, each with the signal\'s own reason', async () => {
  let closed = 0;
  const up = await useUpstream((req, res) => {
    req.on('close', () => (closed += 1));
    if (req.url !== '/slow') res.writeHead(200).write('begun ');
    if (req.url === '/whole') res.end('ended');
  });
  const host = await stand();
  await expectChecks(host, `
const U = ${JSON.stringify(up.origin)}; const later = (run, ms = 30) => setTimeout(run, ms);
check('before', async () => { eq(await fetch(U, { signal: AbortSignal.abort('mine') }).catch((e) => e), 'mine'); await rejectsWith('AbortError', () => fetch(U, { signal: AbortSignal.abort() })); const r = new Request(U, { signal: AbortSignal.abort(7) }); eq(await fetch(r).catch((e) => e), 7); });
check('before: the body is cancelled', async () => { let why; const body = new ReadableStream({ cancel(reason) { why = reason; } }); await fetch(U, { method: 'POST', body, duplex: 'half', signal: AbortSignal.abort('gone') }).catch(() => {}); eq(why, 'gone'); });
check('during', async () => { const c = new AbortController(); later(() => c.abort('mine')); eq(await fetch(U + '/slow', { signal: c.signal }).catch((e) => e), 'mine'); });
check('during: the upload is cancelled', async () => { let why; const c = new AbortController(); const body = new ReadableStream({ start(s) { s.enqueue(new Uint8Array(1)); }, cancel(reason) { why = reason; } }); later(() => c.abort('gone')); eq(await fetch(U + '/slow', { method: 'POST', body, duplex: 'half', signal: c.signal }).catch((e) => e), 'gone'); eq(why, 'gone'); });
for (const how of ['text', 'json', 'bytes', 'arrayBuffer', 'blob', 'formData']) check('while reading: ' + how, async () => { const c = new AbortController(); const r = await fetch(U + '/open', { signal: c.signal }); later(() => c.abort('mine')); eq(await r[how]().catch((e) => e), 'mine'); ok(r.bodyUsed); });
check('after the answer, before reading', async () => { const c = new AbortController(); const r = await fetch(U + '/open', { signal: c.signal }); c.abort('mine'); eq(await r.text().catch((e) => e), 'mine'); });
check('in the middle of a stream', async () => { const c = new AbortController(); const r = await fetch(U + '/open', { signal: c.signal }); const reader = r.body.getReader(); eq((await reader.read()).value, utf8('begun ')); later(() => c.abort('mine')); eq(await reader.read().catch((e) => e), 'mine'); eq(await reader.closed.catch((e) => e), 'mine'); });
check('a stream that nobody reads yet', async () => { const c = new AbortController(); const r = await fetch(U + '/open', { signal: c.signal }); const { body } = r; c.abort('mine'); eq(await body.getReader().read().catch((e) => e), 'mine'); });
check('clones of it', async () => { const c = new AbortController(); const r = await fetch(U + '/open', { signal: c.signal }); const copy = r.clone(); later(() => c.abort('mine')); eq(await Promise.all([r.text().catch((e) => e), copy.text().catch((e) => e)]), ['mine', 'mine']); });
check('after everything', async () => { const c = new AbortController(); const r = await fetch(U + '/whole', { signal: c.signal }); eq(await r.text(), 'begun ended'); c.abort('late'); ok(r.bodyUsed); });
check('a timeout', () => rejectsWith('TimeoutError', () => fetch(U + '/slow', { signal: AbortSignal.timeout(30) })));
check('the signal of a Request', async () => { const c = new AbortController(); const r = new Request(U + '/slow', { signal: c.signal }); later(() => c.abort('mine')); eq(await fetch(r).catch((e) => e), 'mine'); eq(r.signal.reason, 'mine'); });
`, MANY);
  // Nothing that was aborted goes on upstream.
  await expect.poll(() => up.requests.length - closed).toBe(0);
  expect(closed).toBeGreaterThan(10);
});
