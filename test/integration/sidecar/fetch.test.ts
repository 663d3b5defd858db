// The http client end to end: a host's frames in, an upstream on loopback behind.
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { INLINE_BODY_BYTES } from '../../../core/protocol/index.ts';
import { until } from '../../support/sidecar-host.ts';
import { useSidecar } from '../../support/sidecar-server.ts';
import { bodyOf, useRawUpstream, useUpstream } from '../../support/sidecar-upstream.ts';

describe('a fetch', () => {
  it('answers a small body inline', async () => {
    const upstream = await useUpstream((_request, response) => response.setHeader('content-type', 'application/json').end('{"id":42}'));
    const host = await (await useSidecar()).connect();
    const answer = await host.fetch({ url: `${upstream.origin}/cards/42?full=1#part` });
    expect(answer).toMatchObject({ status: 200, url: `${upstream.origin}/cards/42?full=1`, redirected: false, inline: true });
    expect(answer.header('content-type')).toBe('application/json');
    expect(answer.body.toString()).toBe('{"id":42}');
    expect(upstream.requests[0]?.url).toBe('/cards/42?full=1');
  });

  it('answers no body, and a large one as a stream', async () => {
    const large = randomBytes(1_000_000);
    const upstream = await useUpstream((request, response) => (request.url === '/large' ? response.end(large) : response.writeHead(204).end()));
    const host = await (await useSidecar()).connect();
    expect(await host.fetch({ url: `${upstream.origin}/none` })).toMatchObject({ status: 204, inline: true, bytes: 0 });
    const answer = await host.fetch({ url: `${upstream.origin}/large` });
    expect(answer.inline).toBe(false);
    expect(answer.body.equals(large)).toBe(true);
  });

  it('keeps a body of exactly the inline size inline and streams one byte more', async () => {
    const upstream = await useUpstream((request, response) => response.end(Buffer.alloc(INLINE_BODY_BYTES + (request.url === '/more' ? 1 : 0), 1)));
    const host = await (await useSidecar()).connect();
    expect((await host.fetch({ url: `${upstream.origin}/` })).bytes).toBe(INLINE_BODY_BYTES);
    expect(await host.fetch({ url: `${upstream.origin}/more` })).toMatchObject({ bytes: INLINE_BODY_BYTES + 1, inline: false });
  });

  it('sends what the upstream has written so far, without waiting for the end', async () => {
    const upstream = await useUpstream((_request, response) => void response.write('first'));
    const host = await (await useSidecar()).connect();
    const call = host.open({ url: upstream.origin });
    await call.head;
    await until(() => call.bytes === 5);
    expect(call.over).toBe(false);
  });

  it('carries inline request bodies, text and bytes, with a length', async () => {
    const upstream = await useUpstream((request, response) => void bodyOf(request).then((body) => response.end(body)));
    const host = await (await useSidecar()).connect();
    expect((await host.fetch({ url: upstream.origin, method: 'POST', body: 'grüße' })).body.toString()).toBe('grüße');
    const bytes = randomBytes(30_000);
    expect((await host.fetch({ url: upstream.origin, method: 'PUT', body: bytes })).body.equals(bytes)).toBe(true);
    await host.fetch({ url: upstream.origin, method: 'POST' });
    expect(upstream.requests.map((r) => [r.headers['content-length'], r.headers['transfer-encoding']])).toEqual([['7', undefined], ['30000', undefined], ['0', undefined]]);
  });

  it('carries a streamed request body while the response streams back', async () => {
    const upstream = await useUpstream((request, response) => void request.pipe(response));
    const host = await (await useSidecar()).connect();
    const call = host.open({ url: upstream.origin, method: 'POST', streamed: true });
    const parts = Array.from({ length: 40 }, () => randomBytes(50_000));
    for (const part of parts) await call.write(part);
    call.end();
    const answer = await call.answer;
    expect(answer.body.equals(Buffer.concat(parts))).toBe(true);
  });

  it('finishes when the upstream answers before it has read the body', async () => {
    const upstream = await useUpstream((_request, response) => response.writeHead(413, { connection: 'close' }).end('too much'));
    const host = await (await useSidecar()).connect();
    const call = host.open({ url: upstream.origin, method: 'POST', streamed: true });
    void (async () => {
      for (let i = 0; i < 200 && !call.over; i++) await call.write(Buffer.alloc(60_000));
      call.end();
    })();
    expect((await call.answer).status).toBe(413);
    expect(await host.codeOf({ url: `${upstream.origin}/again` })).toBe('ok');
  });

  it('tells the host to stop a body that nobody reads any more, while the answer streams on', async () => {
    const target = await useUpstream((_request, response) => {
      response.write('first');
      setTimeout(() => response.end(' second'), 50);
    });
    const upstream = await useUpstream((_request, response) => response.writeHead(303, { location: target.origin }).end());
    const sidecar = await useSidecar();
    const call = (await sidecar.connect()).open({ url: upstream.origin, method: 'POST', streamed: true });
    for (let i = 0; i < 4; i++) await call.write(Buffer.alloc(60_000));
    await call.head;
    await until(() => call.bodyStopped);
    expect((await call.answer).body.toString()).toBe('first second');
    expect(sidecar.server.heldBytes).toBe(0);
  });

  it('reuses connections, one request on each at a time', async () => {
    const upstream = await useUpstream((_request, response) => void setTimeout(() => response.end('x'), 5));
    const sidecar = await useSidecar();
    const host = await sidecar.connect();
    for (let i = 0; i < 5; i++) await host.fetch({ url: upstream.origin });
    expect(upstream.accepted()).toBe(1);
    await Promise.all(Array.from({ length: 4 }, () => host.fetch({ url: upstream.origin })));
    expect(upstream.accepted()).toBe(4);
    expect(sidecar.server.sockets).toBe(4);
    // Connections are not shared across tenants.
    await host.fetch({ url: upstream.origin, tenant: 'other' });
    expect(upstream.accepted()).toBe(5);
  });

  it('keeps to the connections of an origin and serves the rest in turn', async () => {
    let most = 0;
    let now = 0;
    const upstream = await useUpstream((_request, response) => {
      most = Math.max(most, ++now);
      setTimeout(() => {
        now -= 1;
        response.end('x');
      }, 3);
    });
    const host = await (await useSidecar({ maxConnections: 3 })).connect();
    await Promise.all(Array.from({ length: 30 }, () => host.fetch({ url: upstream.origin })));
    expect(most).toBeLessThanOrEqual(3);
    expect(upstream.accepted()).toBeLessThanOrEqual(3);
  });

  it('bounds the origins of a tenant and the idle connections of all', async () => {
    const upstreams = await Promise.all([1, 2, 3].map(() => useUpstream((_request, response) => void setTimeout(() => response.end('x'), 20))));
    const sidecar = await useSidecar({ maxPoolsPerTenant: 2, keepSocketsBelow: 1 });
    const host = await sidecar.connect();
    const [a, b, c] = upstreams.map((upstream) => upstream.origin) as [string, string, string];
    const busy = [host.codeOf({ url: a }), host.codeOf({ url: b }), host.codeOf({ url: c }), host.codeOf({ url: c, tenant: 'other' })];
    expect(await Promise.all(busy)).toEqual(['ok', 'ok', 'overloaded', 'ok']);
    await until(() => sidecar.server.sockets <= 1);
    // Pools that hold nothing make room.
    expect(await host.codeOf({ url: c })).toBe('ok');
  });

  it('sends an idempotent request again when a kept-alive connection turns out to be closed, and no other', async () => {
    let served = 0;
    const upstream = await useRawUpstream((socket) => {
      let first = true;
      socket.on('data', () => {
        if (!first) {
          // The second request on a connection finds it dead.
          socket.destroy();
          return;
        }
        first = false;
        served += 1;
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      });
    });
    const host = await (await useSidecar()).connect();
    await host.fetch({ url: upstream.origin });
    expect(await host.codeOf({ url: upstream.origin })).toBe('ok');
    expect(served).toBe(2);
    await expect(host.fetch({ url: upstream.origin, method: 'POST', body: 'x' })).rejects.toMatchObject({ code: 'upstream_failed', params: { why: 'reset' } });
    expect(served).toBe(2);
  });

  it('names what went wrong with an upstream', async () => {
    const host = await (await useSidecar()).connect();
    const dead = await useRawUpstream((socket) => socket.destroy());
    const odd = await useRawUpstream((socket) => socket.once('data', () => socket.end('SMTP ready\r\n\r\n')));
    const long = await useRawUpstream((socket) => socket.once('data', () => socket.end(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`)));
    const short = await useRawUpstream((socket) => socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc')));
    const failed = (url: string): Promise<unknown> => host.fetch({ url }).then(() => 'ok', (e: { params: { why: string } }) => e.params.why);
    expect(await failed('http://127.0.0.1:1025/')).toBe('connection_refused');
    expect(await failed(dead.origin)).toBe('reset');
    expect(await failed(odd.origin)).toBe('bad_response');
    expect(await failed(long.origin)).toBe('headers_too_large');
    expect(await failed(short.origin)).toMatch(/reset|bad_response/);
  });
});
