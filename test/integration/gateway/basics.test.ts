// Requests through a real listener to a fake host: what arrives, what comes back.
import { describe, expect, test } from 'vitest';
import { BODY } from '../../../core/protocol/index.ts';
import { reflect, routeFunction } from '../../support/gateway-fakes.ts';
import type { FakeInvocation } from '../../support/gateway-fakes.ts';
import { call, problemCode, raw, sleep, until, useGateway } from '../../support/gateway-stand.ts';

interface Reflected { method: string; url: string; headers: [string, string][]; body: string; bytes: number; version: number; function: string; host: string }
const seen = (text: string): Reflected => JSON.parse(text) as Reflected;
const headerOf = (r: Reflected, name: string): string | undefined => r.headers.find(([n]) => n === name)?.[1];

describe('finding the function', () => {
  const functions = [
    routeFunction('card', { versions: { 1: 'd1', 7: 'd7' } }),
    routeFunction('items', { triggers: [{ type: 'http', path: '/items/:id', methods: ['GET'] }] }),
    routeFunction('hidden', { public: false, triggers: [{ type: 'http', path: '/hidden/*' }] }),
    routeFunction('hosted', { triggers: [{ type: 'http', host: 'shop.example', path: '/*' }] }),
    routeFunction('draft', { traffic: null, versions: {} }),
  ];

  test('by header, host label, versioned label and trigger, each falling through', async () => {
    const { port } = await useGateway({ functions, hosts: [reflect] });
    const name = async (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<string> => {
      const answer = await call(port, path, { headers, method });
      return answer.status === 200 ? `${seen(answer.text).function}@${answer.version}` : `${answer.status} ${problemCode(answer)}`;
    };
    expect(await name('/x', { 'x-thimble-function': 'card' })).toBe('card@1');
    expect(await name('/x', { host: `card.localhost:${port}` })).toBe('card@1');
    expect(await name('/x', { host: `CARD.LocalHost:${port}` })).toBe('card@1');
    expect(await name('/x', { host: 'v7--card.localhost' })).toBe('card@7');
    expect(await name('/x', { host: 'v8--card.localhost' })).toBe('404 no_version');
    expect(await name('/x', { host: 'v7--card.localhost.' })).toBe('card@7');
    expect(await name('/items/3')).toBe('items@1');
    expect(await name('/items/3', {}, 'DELETE')).toBe('405 method_not_allowed');
    // No trigger takes DELETE: the label does name a function.
    expect(await name('/items/3', { host: 'card.localhost' }, 'DELETE')).toBe('card@1');
    expect(await name('/items/../items/%2e/3')).toBe('items@1');
    expect(await name('/any', { host: 'shop.example' })).toBe('hosted@1');
    expect(await name('/items/3', { host: 'shop.example' })).toBe('hosted@1');
    expect(await name('/hidden/x')).toBe('hidden@1');
    expect(await name('/x', { 'x-thimble-function': 'hidden' })).toBe('404 no_route');
    expect(await name('/x', { host: 'hidden.localhost' })).toBe('404 no_route');
    expect(await name('/x', { host: 'hidden.localhost', 'x-thimble-function': 'card' })).toBe('card@1');
    expect(await name('/x', { host: 'nobody.localhost', 'x-thimble-function': 'card' })).toBe('card@1');
    expect(await name('/x', { host: 'card' })).toBe('404 no_route');
    expect(await name('/x', { host: '127.0.0.1' })).toBe('404 no_route');
    expect(await name('/x', { 'x-thimble-function': 'nobody' })).toBe('404 no_route');
    expect(await name('/x', { 'x-thimble-function': 'draft' })).toBe('404 no_version');
    expect(await name('/x', { 'x-thimble-function': 'card' }, 'PROPFIND')).toBe('405 method_not_allowed');
  });

  test('405 lists what the trigger takes', async () => {
    const { port } = await useGateway({ functions, hosts: [reflect] });
    const answer = await call(port, '/items/3', { method: 'POST' });
    expect(answer.headers['allow']).toBe('GET, HEAD');
  });

  test('traffic rules and stickiness decide the version', async () => {
    const fn = routeFunction('ab', {
      versions: { 1: 'd1', 2: 'd2', 3: 'd3' }, user: 'jwt:sub',
      traffic: {
        rules: [
          { when: { header: { 'X-Beta': 'yes' } }, version: 2 },
          { when: { cookie: { group: 'b' } }, version: 3 },
          { when: { query: { v: '3' } }, version: 3 },
          { when: { user: { in: ['ada'] } }, version: 2 },
        ],
        split: [{ version: 1, weight: 50 }, { version: 2, weight: 50 }], sticky: 'header:x-user',
      },
    });
    const { port } = await useGateway({ functions: [fn], hosts: [reflect] });
    const version = async (path: string, headers: Record<string, string>): Promise<string> => String((await call(port, path, { fn: 'ab', headers })).headers['x-thimble-version']);
    expect(await version('/', { 'x-beta': 'yes' })).toBe('2');
    expect(await version('/', { cookie: 'a=1; group=b' })).toBe('3');
    expect(await version('/?v=3', {})).toBe('3');
    const token = `h.${Buffer.from(JSON.stringify({ sub: 'ada' })).toString('base64url')}.s`;
    expect(await version('/', { authorization: `Bearer ${token}` })).toBe('2');
    const first = await version('/', { 'x-user': 'u1' });
    for (let i = 0; i < 5; i++) expect(await version('/', { 'x-user': 'u1' })).toBe(first);
  });
});

describe('the request that a function sees', () => {
  test('absolute normal URL, own fields, nothing of the connection', async () => {
    const { port } = await useGateway({ functions: [routeFunction('card')], hosts: [reflect] });
    const answer = await call(port, '/a/../b/%2e%2e/c%20d?x=1&y=%41', {
      fn: 'card', method: 'POST', body: 'text',
      headers: {
        host: 'Some.Host:81', 'x-thimble-tenant': 'evil', connection: 'close, x-drop', 'x-drop': '1', te: 'trailers', upgrade: 'h2c', 'proxy-authorization': 'x',
        'x-forwarded-for': '6.6.6.6', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil', forwarded: 'for=6.6.6.6', 'x-request-id': 'mine', 'x-two': ['a', 'b'],
      },
    });
    const r = seen(answer.text);
    expect([r.method, r.url, r.body]).toEqual(['POST', 'http://some.host:81/c%20d?x=1&y=%41', 'text']);
    const gone = ['x-thimble-tenant', 'x-thimble-function', 'connection', 'x-drop', 'te', 'upgrade', 'proxy-authorization', 'transfer-encoding', 'forwarded'];
    expect(r.headers.map(([name]) => name).filter((name) => gone.includes(name))).toEqual([]);
    expect(r.headers.filter(([n]) => n === 'x-two').map(([, v]) => v)).toEqual(['a', 'b']);
    expect([headerOf(r, 'x-forwarded-for'), headerOf(r, 'x-forwarded-proto'), headerOf(r, 'x-forwarded-host')]).toEqual(['127.0.0.1', 'http', 'some.host:81']);
    expect(headerOf(r, 'traceparent')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(headerOf(r, 'x-request-id')).not.toBe('mine');
    expect(headerOf(r, 'x-request-id')).toBe(answer.headers['x-request-id']);
    expect(headerOf(r, 'content-length')).toBe('4');
  });

  test('a trusted proxy is believed', async () => {
    const { port } = await useGateway({ functions: [routeFunction('card')], hosts: [reflect], trustedProxies: ['10.0.0.0/8', '127.0.0.1'] });
    const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-00`;
    const answer = await call(port, '/x', {
      fn: 'card',
      headers: { 'x-forwarded-for': '9.9.9.9, 10.1.1.1', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'shop.example', 'x-request-id': 'edge-1', traceparent: trace },
    });
    const r = seen(answer.text);
    expect(r.url).toBe(`https://127.0.0.1:${port}/x`);
    expect([headerOf(r, 'x-forwarded-for'), headerOf(r, 'x-forwarded-proto'), headerOf(r, 'x-forwarded-host')]).toEqual(['9.9.9.9, 10.1.1.1, 127.0.0.1', 'https', 'shop.example']);
    expect([headerOf(r, 'x-request-id'), answer.headers['x-request-id']]).toEqual(['edge-1', 'edge-1']);
    expect(headerOf(r, 'traceparent')).toMatch(/^00-a{32}-[0-9a-f]{16}-00$/);
    expect(headerOf(r, 'traceparent')).not.toContain('b'.repeat(16));
  });

  test('bytes above ASCII arrive as byte strings, what is no UTF-8 is refused', async () => {
    const { port } = await useGateway({ functions: [routeFunction('card')], hosts: [reflect] });
    const good = await raw(port, 'GET /caf\xc3\xa9?q=\xc3\xa9 HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\nx-u: a\xc3\xa9b\r\nconnection: close\r\n\r\n');
    const r = seen(Buffer.from(good.text, 'latin1').toString('utf8').split('\r\n\r\n')[1] ?? '');
    expect(r.url).toBe('http://h/caf%C3%A9?q=%C3%A9');
    expect(headerOf(r, 'x-u')).toBe('a\u00c3\u00a9b');
    for (const bad of ['GET /x HTTP/1.1\r\nHost: h\r\nx-u: a\xe9b\r\n\r\n', 'GET /caf\xe9 HTTP/1.1\r\nHost: h\r\n\r\n']) {
      const answer = await raw(port, bad);
      expect(answer.text).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer.closed).toBe(true);
    }
  });

  test('bodies: none, inline, chunked and streamed', async () => {
    const { port, hosts } = await useGateway({ functions: [routeFunction('card')], hosts: [reflect] });
    const modes: number[] = [];
    const host = hosts[0];
    if (host === undefined) throw new Error('no host');
    host.script = (i: FakeInvocation) => { modes.push(i.mode); reflect(i); };
    const post = async (body: string | Buffer | AsyncIterable<Uint8Array>): Promise<Reflected> => seen((await call(port, '/', { fn: 'card', method: 'POST', body })).text);
    expect((await post('')).body).toBe('');
    expect((await post('x'.repeat(65_536))).body).toHaveLength(65_536);
    expect((await post(Buffer.alloc(65_537))).bytes).toBe(65_537);
    async function* parts(n: number, gapMs: number): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < n; i++) {
        yield Buffer.from('abc');
        if (gapMs > 0) await sleep(gapMs);
      }
    }
    expect((await post(parts(2, 40))).bytes).toBe(6);
    expect(modes).toEqual([BODY.none, BODY.inline, BODY.stream, BODY.stream]);
    const chunked = await raw(port, 'POST / HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n');
    expect(seen(chunked.text.split('\r\n\r\n')[1] ?? '').body).toBe('abcde');
    expect(modes.at(-1)).toBe(BODY.inline);
  });

  test('Expect: 100-continue, keep-alive and several requests over one connection', async () => {
    const { port } = await useGateway({ functions: [routeFunction('card')], hosts: [reflect] });
    const expecting = await raw(port, 'POST / HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\nexpect: 100-continue\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc');
    expect(expecting.text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
    const { connect } = await import('node:net');
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.on('data', (d) => { text += d.toString(); });
    for (let i = 1; i <= 3; i++) {
      socket.write(`GET /${i} HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\n\r\n`);
      await until(() => (text.match(/HTTP\/1\.1 200/g) ?? []).length === i);
    }
    socket.destroy();
  });
});

describe('the response that a client sees', () => {
  test('fields are filtered, repeated and never injected', async () => {
    const { port } = await useGateway({
      functions: [routeFunction('card')],
      hosts: [(i) => i.respond(201, [
        ['content-type', 'text/plain'], ['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['content-length', '999'], ['connection', 'close'], ['transfer-encoding', 'x'],
        ['x-thimble-version', '99'], ['X-Thimble-Reason', 'no'], ['date', 'never'], ['x-request-id', 'spoof'], ['x-mine', 'caf\u00e9'], ['keep-alive', '1'],
      ], 'body')],
    });
    const answer = await call(port, '/', { fn: 'card' });
    expect([answer.status, answer.text]).toEqual([201, 'body']);
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect([answer.headers['content-length'], answer.headers['x-thimble-version'], answer.headers['x-mine'], answer.headers['keep-alive']]).toEqual(['4', '1', 'caf\u00e9', undefined]);
    expect(answer.headers['x-thimble-reason']).toBeUndefined();
    expect(answer.headers['x-request-id']).not.toBe('spoof');
    expect(answer.raw.filter((name) => name.toLowerCase() === 'date')).toHaveLength(1);
    expect(answer.raw.filter((name) => name.toLowerCase() === 'content-length')).toHaveLength(1);
  });

  test.each([
    ['a value with a carriage return', 200, [['x-a', 'b\rc']]], ['a name that is no token', 200, [['x a', 'b']]], ['an empty name', 200, [['', 'b']]],
    ['a value beyond ISO-8859-1', 200, [['x-a', '\u20ac']]], ['status 199', 199, []], ['status 600', 600, []], ['status 101', 101, []],
  ] as const)('%s is bad_response', async (_what, status, headers) => {
    const { port } = await useGateway({ functions: [routeFunction('card')], hosts: [(i) => i.respond(status, headers, 'x')] });
    const answer = await call(port, '/', { fn: 'card' });
    expect([answer.status, problemCode(answer)]).toEqual([500, 'bad_response']);
  });

  test('a line feed in a value cannot make a header of its own', async () => {
    const { port } = await useGateway({ functions: [routeFunction('card')], hosts: [(i) => i.respond(200, [['x-a', 'b\r\nx-injected: 1\r\n\r\nBODY']], 'x')] });
    const answer = await raw(port, 'GET / HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\nconnection: close\r\n\r\n');
    expect(answer.text).toMatch(/^HTTP\/1\.1 500 /);
    expect(answer.text).not.toContain('x-injected');
  });

  test('HEAD, 204, 304 and 205', async () => {
    const { port } = await useGateway({ functions: [routeFunction('card')], hosts: [(i) => i.respond(Number(i.path.slice(1)), [['x-a', 'b']], 'body')] });
    const text = async (method: string, path: string): Promise<string> =>
      (await raw(port, `${method} ${path} HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\nconnection: close\r\n\r\n`)).text.toLowerCase();
    const head = await text('HEAD', '/200');
    expect(head).toContain('content-length: 4');
    expect(head.endsWith('\r\n\r\n')).toBe(true);
    for (const status of ['204', '304']) {
      const answer = await text('GET', `/${status}`);
      expect(answer).not.toContain('content-length');
      expect(answer.endsWith('\r\n\r\n')).toBe(true);
    }
    expect(await text('GET', '/205')).toContain('content-length: 0');
    const twice = await raw(port, 'HEAD /200 HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\n\r\n');
    expect([twice.text.match(/HTTP\/1\.1 200/g)?.length, twice.closed]).toEqual([1, false]);
    const keptAlive = await raw(port, 'HEAD /x HTTP/1.1\r\nHost: h\r\n\r\nHEAD /x HTTP/1.1\r\nHost: h\r\n\r\n');
    expect([keptAlive.text.match(/HTTP\/1\.1 404/g)?.length, keptAlive.closed]).toEqual([2, false]);
    const missing = (await raw(port, 'HEAD /x HTTP/1.1\r\nHost: h\r\nconnection: close\r\n\r\n')).text;
    expect(missing).toMatch(/^HTTP\/1\.1 404 /);
    expect(missing.endsWith('\r\n\r\n')).toBe(true);
  });

  test('a cold start says its phases, debug adds server-timing', async () => {
    const { port } = await useGateway({
      functions: [routeFunction('card'), routeFunction('open', { debug: true })],
      hosts: [(i) => i.respond(200, [], 'x', { cold: [0.25, 1.5, 0.75, 0.125] })],
    });
    const cold = await call(port, '/', { fn: 'card' });
    expect(cold.headers['x-thimble-reason']).toMatch(/^cold_start;queue=[0-9.]+;isolate=1\.5;restore=0\.75;handler=0\.125$/);
    expect(cold.headers['server-timing']).toBeUndefined();
    expect((await call(port, '/', { fn: 'open' })).headers['server-timing']).toMatch(/total;dur=.*isolate;dur=1\.5/);
  });

  test('health answers on any host', async () => {
    const { port, addHost } = await useGateway({ functions: [routeFunction('card')] });
    const state = async (path: string): Promise<number> => (await call(port, path, { headers: { host: 'card.localhost' } })).status;
    expect([await state('/.thimble/livez'), await state('/.thimble/readyz')]).toEqual([200, 503]);
    await addHost('host-1', reflect);
    expect([await state('/.thimble/livez'), await state('/.thimble/readyz'), await state('/.thimble/other')]).toEqual([200, 200, 200]);
  });
});
