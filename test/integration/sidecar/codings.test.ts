// Content codings: decoded on the way, whatever their size, with caps.
import { randomBytes } from 'node:crypto';
import { brotliCompressSync, constants, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { until } from '../../support/sidecar-host.ts';
import { useSidecar } from '../../support/sidecar-server.ts';
import { useUpstream } from '../../support/sidecar-upstream.ts';

// The default quality of brotli takes seconds for what these tests need.
const brotli = (bytes: Buffer): Buffer => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 2 } });
const ENCODERS = { gzip: gzipSync, 'x-gzip': gzipSync, deflate: deflateSync, 'deflate raw': deflateRawSync, br: brotli, ' GZIP ': gzipSync };

describe('compressed responses', () => {
  it.each(Object.entries(ENCODERS))('of %s are decoded, small and large', async (name, encode) => {
    const small = Buffer.from(JSON.stringify({ text: 'hello '.repeat(100) }));
    const large = Buffer.concat([randomBytes(300_000), Buffer.alloc(300_000, 7)]);
    const upstream = await useUpstream((request, response) => {
      const body = encode(request.url === '/small' ? small : request.url === '/puffed' ? Buffer.alloc(200_000, 1) : large);
      response.writeHead(200, { 'content-encoding': name.replace(' raw', ''), 'content-length': body.length, etag: '"1"' }).end(body);
    });
    const host = await (await useSidecar()).connect();
    const [one, two, three] = [await host.fetch({ url: `${upstream.origin}/small` }), await host.fetch({ url: upstream.origin }), await host.fetch({ url: `${upstream.origin}/puffed` })];
    expect(one.body.equals(small)).toBe(true);
    expect(one.inline).toBe(true);
    expect(one.headers.map(([n]) => n)).not.toContain('content-encoding');
    expect(one.headers.map(([n]) => n)).not.toContain('content-length');
    expect(one.header('etag')).toBe('"1"');
    expect(two.body.equals(large)).toBe(true);
    // Small on the wire, too large for one frame when decoded.
    expect(three).toMatchObject({ inline: false, bytes: 200_000 });
  });

  it('of an unknown coding, or of several, are passed on as they are', async () => {
    const upstream = await useUpstream((request, response) => response.writeHead(200, { 'content-encoding': request.url === '/two' ? 'gzip, br' : 'zstd' }).end('raw'));
    const host = await (await useSidecar()).connect();
    const answer = await host.fetch({ url: upstream.origin });
    expect([answer.header('content-encoding'), answer.body.toString()]).toEqual(['zstd', 'raw']);
    expect((await host.fetch({ url: `${upstream.origin}/two` })).header('content-encoding')).toBe('gzip, br');
  });

  it('that are empty give an empty body', async () => {
    const upstream = await useUpstream((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end());
    const host = await (await useSidecar()).connect();
    expect((await host.fetch({ url: upstream.origin })).bytes).toBe(0);
  });

  it('that are corrupt fail, small and large, and the next call goes on', async () => {
    const upstream = await useUpstream((request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(request.url === '/large' ? Buffer.concat([gzipSync(randomBytes(200_000)).subarray(0, 150_000), randomBytes(100_000)]) : 'not gzip'),
    );
    const host = await (await useSidecar()).connect();
    await expect(host.fetch({ url: upstream.origin })).rejects.toMatchObject({ code: 'upstream_failed', params: { why: 'bad_response' } });
    await expect(host.fetch({ url: `${upstream.origin}/large` })).rejects.toMatchObject({ code: 'upstream_failed', params: { why: 'bad_response' } });
    expect(await host.codeOf({ url: upstream.origin, method: 'HEAD' })).toBe('ok');
  });

  it.each([['gzip', gzipSync], ['br', brotli]] as const)('that are bombs (%s) are stopped early', async (name, encode) => {
    const bomb = encode(Buffer.alloc(64 * 1_048_576));
    const upstream = await useUpstream((_request, response) => response.writeHead(200, { 'content-encoding': name }).end(bomb));
    const sidecar = await useSidecar();
    const host = await sidecar.connect();
    const call = host.open({ url: upstream.origin, countOnly: true });
    await expect(call.answer).rejects.toMatchObject({ code: 'upstream_failed', params: { why: 'body_too_large' } });
    expect(call.bytes).toBeLessThan(6 * 1_048_576);
    expect(sidecar.server.heldBytes).toBe(0);
  });

  it('stop at the absolute cap', async () => {
    const body = gzipSync(randomBytes(3_000_000));
    const upstream = await useUpstream((_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(body));
    const host = await (await useSidecar({ decodeLimits: { maxBytes: 1_000_000 } })).connect();
    await expect(host.fetch({ url: upstream.origin })).rejects.toMatchObject({ params: { why: 'body_too_large' } });
  });

  it('give what is there so far, and follow the host\'s credits', async () => {
    const { createGzip } = await import('node:zlib');
    const upstream = await useUpstream((request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      const gzip = createGzip();
      gzip.pipe(response);
      if (request.url === '/events') {
        gzip.write('data: 1\n\n');
        gzip.flush();
      } else {
        const push = (): void => {
          if (!response.destroyed) gzip.write(randomBytes(65_536), push);
        };
        push();
      }
    });
    const sidecar = await useSidecar();
    const host = await sidecar.connect();
    const events = host.open({ url: `${upstream.origin}/events` });
    await until(() => events.bytes === 9);
    events.cancel();
    const slow = host.open({ url: upstream.origin, autoCredit: false });
    await until(() => slow.bytes > 200_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(slow.bytes).toBeLessThan(400_000);
    expect(sidecar.server.heldBytes).toBeLessThan(1_000_000);
    slow.cancel();
    await until(() => upstream.open() === 0);
  });
});
