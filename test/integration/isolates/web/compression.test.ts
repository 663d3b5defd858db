// Compression standard inside an isolate, and attacks on its limits.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { brotliCompressSync, brotliDecompressSync, constants, deflateRawSync, deflateSync, gunzipSync, gzipSync, inflateRawSync, inflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { runChecks } from '../../../support/isolate-checks.ts';
import { TestHost } from '../../../support/isolates-host.ts';

const host = TestHost.shared();

const COMPRESS = { gzip: gzipSync, deflate: deflateSync, 'deflate-raw': deflateRawSync, brotli: brotliCompressSync } as const;
const DECOMPRESS = { gzip: gunzipSync, deflate: inflateSync, 'deflate-raw': inflateRawSync, brotli: brotliDecompressSync } as const;
const FORMATS = Object.keys(COMPRESS) as (keyof typeof COMPRESS)[];

const PIPE = `export default { async fetch(req) { const u = new URL(req.url); const S = u.searchParams.get('do') === 'c' ? CompressionStream : DecompressionStream;
  return new Response(req.body.pipeThrough(new S(u.searchParams.get('format')))); } };`;

function* pieces(data: Buffer, size: number): Iterable<Uint8Array> {
  for (let at = 0; at < data.length; at += size) yield data.subarray(at, at + size);
}

describe.each(FORMATS)('%s', (format) => {
  const data = Buffer.concat([Buffer.from('the quick brown fox '.repeat(20_000)), randomBytes(300_000), Buffer.alloc(400_000)]);
  test('compresses a streamed body to what others can read', async () => {
    const f = await host().deploy(PIPE, { cpuMs: 2_000 });
    const answer = await host().call(f, { path: `/?do=c&format=${format}`, stream: pieces(data, 40_000) });
    expect(answer.code).toBeNull();
    expect(answer.body.length).toBeLessThan(400_000);
    expect(DECOMPRESS[format](answer.body).equals(data)).toBe(true);
  });
  test.each([1_000, 65_536, 262_144])('decompresses a streamed body that comes in pieces of %d', async (size) => {
    const f = await host().deploy(PIPE, { cpuMs: 2_000 });
    const answer = await host().call(f, { path: `/?do=d&format=${format}`, stream: pieces(COMPRESS[format](data), size) });
    expect(answer.code).toBeNull();
    expect(answer.body.equals(data)).toBe(true);
  });
  test('form, chunks and errors', async () => {
    const small = COMPRESS[format](Buffer.from('expected output'));
    expect(await runChecks(host(), `
      const small = new Uint8Array(${JSON.stringify([...small])});
      const make = () => new DecompressionStream('${format}');
      const text = (parts) => parts.map((p) => new TextDecoder().decode(p)).join('');
      const run = async (stream, chunks) => { const w = stream.writable.getWriter(); const written = (async () => { for (const c of chunks) await w.write(c); await w.close(); })(); written.catch(() => {});
        const out = []; const r = stream.readable.getReader(); for (;;) { const { done, value } = await r.read(); if (done) break; out.push(value); } await written; return out; };
      check('both sides', () => { const s = make(); equal([s.readable instanceof ReadableStream, s.writable instanceof WritableStream, s.readable === s.readable, Object.prototype.toString.call(s), DecompressionStream.length], [true, true, true, '[object DecompressionStream]', 1]); });
      check('decompresses', async () => equal(text(await run(make(), [small])), 'expected output'));
      check('byte by byte, with empty chunks between', async () => equal(text(await run(make(), Array.from(small, (b) => [new Uint8Array([b]), new Uint8Array(0)]).flat())), 'expected output'));
      check('Uint8Array out', async () => equal((await run(make(), [small]))[0].constructor === Uint8Array, true));
      check('every kind of buffer', async () => { for (const v of [small.buffer.slice(0), new DataView(small.buffer.slice(0)), new Int8Array(small.buffer.slice(0)), new Uint8ClampedArray(small.buffer.slice(0))]) equal(text(await run(make(), [v])), 'expected output'); });
      check('bad chunks fail both sides', async () => { for (const chunk of [undefined, null, 3, 'chunk', {}, [1]]) for (const s of [make(), new CompressionStream('${format}')]) { const w = s.writable.getWriter(); const r = s.readable.getReader(); w.closed.catch(() => {}); r.closed.catch(() => {}); const read = r.read(); read.catch(() => {}); await rejects('TypeError', w.write(chunk)); await rejects('TypeError', read); } });
      check('corrupt data fails both sides', async () => { const s = make(); const bad = new Uint8Array(40).fill(0xee); const w = s.writable.getWriter(); w.closed.catch(() => {}); const r = s.readable.getReader(); r.closed.catch(() => {}); const read = r.read(); read.catch(() => {}); await rejects('TypeError', w.write(bad)); await rejects('TypeError', read); });
      check('bytes after the end are an error, after the output', async () => { const s = make(); const w = s.writable.getWriter(); w.closed.catch(() => {}); const r = s.readable.getReader(); r.closed.catch(() => {}); const p = w.write(new Uint8Array([...small, 0])); p.catch(() => {}); equal(text([(await r.read()).value]), 'expected output'); await rejects('TypeError', r.read()); await rejects('TypeError', p); });
      check('bytes after the end in a chunk of their own', async () => { await rejects('TypeError', run(make(), [small, new Uint8Array([0])])); });
      check('truncated data is an error at the end', async () => { await rejects('TypeError', run(make(), [small.slice(0, -1)])); await rejects('TypeError', run(make(), [small.slice(0, 3)])); });
      check('no data at all is truncated', async () => { await rejects('TypeError', run(make(), [])); });
      check('nothing compresses to an empty stream', async () => equal(text(await run(make(), await run(new CompressionStream('${format}'), []))), ''));
      check('round trip', async () => { const t = 'hellö '.repeat(50000); equal(text(await run(make(), await run(new CompressionStream('${format}'), [new TextEncoder().encode(t)]))).length, t.length + 0); });
      check('a cancelled reader errors the writer', async () => { const s = make(); const w = s.writable.getWriter(); const p = w.closed.catch((e) => e); await s.readable.cancel('enough'); equal(await p, 'enough'); });
      check('an aborted writer errors the reader', async () => { const s = make(); const w = s.writable.getWriter(); w.closed.catch(() => {}); w.write(small).catch(() => {}); await flushed(); await w.abort('stop'); await rejects('stop', s.readable.getReader().read()); });
      check('a chunk that changes later is not seen', async () => { const big = new Uint8Array(200000).fill(7); const s = new CompressionStream('${format}'); const w = s.writable.getWriter(); const p = w.write(big); const done = run(make(), []).catch(() => {}); const r = s.readable.getReader(); const first = r.read(); await flushed(); big.fill(9); const out = []; const closing = w.close(); for (let x = await first; !x.done; x = await r.read()) out.push(x.value); await Promise.all([p, closing, done]); const back = await run(make(), out); equal(back.every((b) => b.every((v) => v === 7)), true); });
      check('close does not wait for a reader', async () => { const s = new CompressionStream('${format}'); await s.writable.close(); equal((await s.readable.getReader().read()).value.length > 0, true); });
    `)).toEqual({ ran: 17, failures: [] });
  });
});

test('formats', async () => {
  expect(await runChecks(host(), `
    check('unknown ones', () => { for (const C of [CompressionStream, DecompressionStream]) for (const f of ['a', 'GZIP', 'zstd', '', null, undefined, 1, {}]) throws('TypeError', () => new C(f)); });
    check('one is needed', () => { throws('TypeError', () => new CompressionStream()); throws('TypeError', () => DecompressionStream('gzip')); });
    check('what becomes a format', () => equal(new CompressionStream({ toString: () => 'gzip' }) instanceof CompressionStream, true));
    check('brand', () => throws('TypeError', () => Reflect.get(CompressionStream.prototype, 'readable', {})));
  `)).toEqual({ ran: 4, failures: [] });
});

describe('attacks', () => {
  /** 256 MiB of zeros in 256 KiB. */
  const bomb = (): Buffer => gzipSync(Buffer.alloc(256 * 1024 * 1024));

  test('a bomb that nobody reads fills no memory', async () => {
    const f = await host().deploy(`export default { async fetch(req) { const data = await req.bytes(); const s = new DecompressionStream('gzip'); const w = s.writable.getWriter(); w.write(data).catch(() => {});
      const r = s.readable.getReader(); const first = (await r.read()).value.length; await new Promise((r) => setTimeout(r, 50)); return Response.json(first); } };`, { cpuMs: 200, memoryMb: 16 });
    const answer = await host().call(f, { body: bomb() });
    expect([answer.code, answer.body.toString()]).toEqual([null, '65536']);
  });

  test('a bomb that is collected costs its own isolate', async () => {
    const f = await host().deploy(`export default { async fetch(req) { return new Response((await new Response(req.body.pipeThrough(new DecompressionStream('gzip'))).bytes()).length); } };`, { cpuMs: 20_000, memoryMb: 32 });
    const neighbour = await host().deploy(`export default { fetch: () => new Response('well') };`);
    const [answer, beside] = await Promise.all([host().call(f, { body: bomb() }), host().call(neighbour)]);
    expect(['memory_limit_exceeded', 'function_threw']).toContain(answer.code);
    expect(beside.body.toString()).toBe('well');
    expect(await host().text(neighbour)).toBe('well');
  });

  test.each([
    ['gzip', 'CompressionStream'], ['brotli', 'CompressionStream'], ['deflate', 'DecompressionStream'],
  ] as const)('CPU time is that of the invocation: %s without end in a %s is killed at its limit', async (format, stream) => {
    const f = await host().deploy(`export default { async fetch(req) { const data = await req.bytes();
      for (;;) { const s = new ${stream}('${format}'); const w = s.writable.getWriter(); w.write(data).catch(() => {}); w.close().catch(() => {}); for await (const _ of s.readable); } } };`, { cpuMs: 60 });
    const answer = await host().call(f, { body: stream === 'CompressionStream' ? randomBytes(900_000) : deflateSync(Buffer.alloc(50_000_000)) });
    expect(answer.code).toBe('cpu_limit_exceeded');
    // Killed during a step or right after it: a step is bounded.
    expect(answer.cpuUs).toBeLessThan(60_000 * 3);
  });

  test('contexts are bounded, and their stream fails', async () => {
    const f = await host().deploy(`export default { async fetch() { const streams = []; let failed = 0;
      for (let i = 0; i < 300; i++) { const s = new CompressionStream('gzip'); streams.push(s); s.writable.getWriter().write(new Uint8Array(10)).catch((e) => { if (e instanceof TypeError) failed++; }); s.readable.getReader().read().catch(() => {}); }
      await new Promise((r) => setTimeout(r, 20)); return Response.json(300 - failed); } };`, { cpuMs: 1_000 });
    expect(await host().text(f)).toBe('64');
    // They went with their invocation.
    expect(await host().text(f)).toBe('64');
  });

  test('a stream that outlives its invocation fails', async () => {
    const f = await host().deploy(`let s, w; export default { async fetch() { if (s === undefined) { s = new DecompressionStream('gzip'); w = s.writable.getWriter(); w.closed.catch(() => {}); s.readable.getReader().read().catch(() => {}); await w.write(new Uint8Array([0x1f])); return new Response('made'); }
      try { await w.write(new Uint8Array([0x8b])); return new Response('written'); } catch (e) { return new Response(e.name); } } };`, { cpuMs: 1_000 });
    expect([await host().text(f), await host().text(f)]).toEqual(['made', 'TypeError']);
  });

  test('brotli windows are counted by what the stream asks for', async () => {
    const wide = brotliCompressSync(Buffer.from('x'.repeat(100)), { params: { [constants.BROTLI_PARAM_LGWIN]: 24 } });
    const f = await host().deploy(`export default { async fetch(req) { const data = await req.bytes(); let failed = 0; const head = data.slice(0, 2);
      for (let i = 0; i < 6; i++) { const s = new DecompressionStream('brotli'); s.readable.getReader().read().catch(() => {}); s.writable.getWriter().write(head).catch((e) => { if (e instanceof TypeError) failed++; }); }
      await new Promise((r) => setTimeout(r, 20)); return Response.json(failed); } };`, { cpuMs: 1_000 });
    // The header of a stream with a window of 16 MiB: two do not fit beside their contexts, so one does.
    const answer = await host().call(f, { body: Buffer.concat([Buffer.from([0x0f]), wide]) });
    expect(answer.body.toString()).toBe('5');
  });

  test('the host keeps none of what thousands of streams took', async () => {
    const f = await host().deploy(`export default { async fetch() { for (let i = 0; i < 40; i++) { const s = new CompressionStream('gzip'); s.readable.getReader().read(); s.writable.getWriter().write(new Uint8Array(1000)); } await 1; return new Response('x'); } };`, { cpuMs: 5_000 });
    const resident = (): number => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${host().process.pid}/status`, 'utf8'))?.[1]) / 1024;
    for (let i = 0; i < 20; i++) await host().text(f);
    const before = resident();
    for (let i = 0; i < 150; i++) await host().text(f);
    // 6,000 contexts of 270 KB would be 1.6 GB.
    expect(resident() - before).toBeLessThan(150);
  });
});
