// Header rules in both directions.
import { describe, expect, it } from 'vitest';
import { useSidecar } from '../../support/sidecar-server.ts';
import { useRawUpstream, useUpstream } from '../../support/sidecar-upstream.ts';

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

describe('request headers', () => {
  it('that belong to the connection or the platform are dropped, the rest arrives', async () => {
    const upstream = await useUpstream((_request, response) => response.end());
    const host = await (await useSidecar()).connect();
    await host.fetch({
      url: upstream.origin,
      headers: [
        'host', 'evil.example', 'connection', 'upgrade, x-keep', 'keep-alive', 'timeout=9', 'te', 'trailers', 'trailer', 'x', 'transfer-encoding', 'chunked', 'upgrade', 'h2c',
        'content-length', '99', 'expect', '100-continue', 'proxy-authorization', 'Basic x', 'proxy-anything', '1', 'x-thimble-function', 'other', 'X-Thimble-Version', '3',
        'x-keep', 'yes', 'authorization', 'Bearer t', 'cookie', 'a=1', 'cookie', 'b=2', 'x-latin', 'caf\u00e9', 'x-empty', '',
      ],
    });
    const [request] = upstream.requests;
    expect(request?.headers).toEqual({
      host: `127.0.0.1:${upstream.port}`, connection: 'keep-alive', 'x-keep': 'yes', authorization: 'Bearer t', cookie: 'a=1; b=2', 'x-latin': 'caf\u00e9', 'x-empty': '',
      accept: '*/*', 'accept-encoding': 'gzip, deflate, br', 'user-agent': expect.stringMatching(/^thimble/), 'cdn-loop': 'thimble',
    });
  });

  it('get defaults only where the function set none', async () => {
    const upstream = await useUpstream((_request, response) => response.end());
    const host = await (await useSidecar()).connect();
    await host.fetch({ url: upstream.origin, traceparent: TRACE, headers: ['accept', 'text/html', 'accept-encoding', 'br', 'user-agent', 'me/1', 'range', 'bytes=0-9'] });
    await host.fetch({ url: upstream.origin, traceparent: TRACE, headers: ['traceparent', TRACE.replace('b7', 'aa'), 'range', 'bytes=0-9'] });
    await host.fetch({ url: upstream.origin, traceparent: 'nonsense\r\n' });
    const [first, second, third] = upstream.requests.map((r) => r.headers);
    expect(first).toMatchObject({ accept: 'text/html', 'accept-encoding': 'br', 'user-agent': 'me/1', traceparent: TRACE });
    expect(second).toMatchObject({ 'accept-encoding': 'identity', traceparent: TRACE.replace('b7', 'aa') });
    expect(third).not.toHaveProperty('traceparent');
  });

  it('count the calls on the way of a request: a function may add to the count and not take from it', async () => {
    const upstream = await useUpstream((_request, response) => response.end());
    const host = await (await useSidecar()).connect();
    await host.fetch({ url: upstream.origin, headers: ['cdn-loop', 'mine', 'CDN-Loop', 'other; v=1, thimble'] });
    expect(upstream.requests[0]?.headers['cdn-loop']).toBe('mine, other; v=1, thimble, thimble');
  });

  it('that break the grammar fail the call, and only that', async () => {
    const upstream = await useUpstream((_request, response) => response.end());
    const host = await (await useSidecar()).connect();
    for (const headers of [['x y', '1'], ['', '1'], ['x', 'a\rb'], ['x', 'a\0b'], ['x', '\u20ac'], ['x', '1', 'odd']]) {
      expect(await host.codeOf({ url: upstream.origin, headers })).toBe('protocol_violation');
    }
    for (const method of ['CONNECT', 'TRACE', 'trace', 'TRACK']) expect(await host.codeOf({ url: upstream.origin, method })).toBe('egress_refused');
    for (const method of ['', 'G ET', 'GET\r']) expect(await host.codeOf({ url: upstream.origin, method })).toBe('protocol_violation');
    expect(upstream.accepted()).toBe(0);
    expect(await host.codeOf({ url: upstream.origin, method: 'PURGE' })).toBe('ok');
  });
});

describe('response headers', () => {
  it('of the connection are dropped, with those that Connection names; repeated ones stay apart', async () => {
    const upstream = await useRawUpstream((socket) =>
      socket.once('data', () =>
        socket.write(
          'HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=3\r\nX-Hop: 1\r\nX-Stay: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nProxy-Authenticate: Basic\r\nUpgrade: h2c\r\nTrailer: x\r\n' +
            'X-Latin: caf\xe9\r\nContent-Length: 2\r\n\r\nok', 'latin1',
        ),
      ),
    );
    const host = await (await useSidecar()).connect();
    const answer = await host.fetch({ url: upstream.origin });
    expect(answer.headers).toEqual([['x-stay', '2'], ['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['x-latin', 'caf\u00e9'], ['content-length', '2']]);
  });

  it('of informational responses are not shown', async () => {
    const upstream = await useRawUpstream((socket) =>
      socket.once('data', () => socket.write('HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')),
    );
    const host = await (await useSidecar()).connect();
    expect(await host.fetch({ url: upstream.origin })).toMatchObject({ status: 200, headers: [['content-length', '2']] });
  });

  it('of HEAD and 304 keep the length of the body that is not there', async () => {
    const upstream = await useUpstream((request, response) => {
      if (request.method === 'HEAD') response.writeHead(200, { 'content-length': '123', 'content-encoding': 'gzip' }).end();
      else response.writeHead(304, { etag: '"x"' }).end();
    });
    const host = await (await useSidecar()).connect();
    const head = await host.fetch({ url: upstream.origin, method: 'HEAD' });
    expect([head.header('content-length'), head.header('content-encoding'), head.bytes]).toEqual(['123', 'gzip', 0]);
    expect(await host.fetch({ url: upstream.origin })).toMatchObject({ status: 304, bytes: 0 });
  });

  it('with a status that no response can have fail the call', async () => {
    const upstream = await useRawUpstream((socket) => socket.once('data', () => socket.write('HTTP/1.1 777 Odd\r\ncontent-length: 0\r\n\r\n')));
    const host = await (await useSidecar()).connect();
    await expect(host.fetch({ url: upstream.origin })).rejects.toMatchObject({ code: 'upstream_failed', params: { why: 'bad_response' } });
  });
});
