// Malformed and hostile requests over raw sockets against the real process: it stays up, and every one is answered with 4xx or 505, or closed.
//
// Where the parser waits for more bytes (a head that never ends, a missing Host, control characters), it keeps the connection open and closes
// it after its idle timeout of 8 to 12 s. A sample of those is held to the end; the rest only has to be closed by then.
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { FakeHost, reflect, routeFunction } from '../../support/gateway-fakes.ts';
import { call, freePort, useGatewayProcess } from '../../support/gateway-stand.ts';

const FULL = process.env['THIMBLE_TEST_FULL'] === '1';
const COUNT = FULL ? 10_000 : 600;
const AT_ONCE = 100;
/** The listener's idle timeout, with its granularity of 4 s. */
const IDLE_MS = 16_000;

/** mulberry32: the same requests in every run. */
function random(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const next = random(20_261_121);
const int = (below: number): number => Math.floor(next() * below);
const pick = <T>(list: readonly T[]): T => list[int(list.length)] as T;
const noise = (length: number): string => Array.from({ length }, () => String.fromCharCode(int(256))).join('');
const repeat = (text: string, n: number): string => text.repeat(n);

/** Kinds that must never reach a function: they are wrong whatever the rest is. */
const REFUSED: readonly (() => string)[] = [
  () => `POST / HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\nContent-Length: ${int(9)}\r\nContent-Length: ${int(99)}\r\n\r\nbodyGET /smuggled HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\n\r\n`,
  () => `POST / HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\n\r\n`,
  () => `POST / HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\nTransfer-Encoding: ${pick(['xchunked', 'gzip, chunked', 'chunked, identity', 'identity', 'chunked;q=1', '"chunked"', 'chunked,chunked', 'x\tchunked'])}\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\n\r\n`,
  () => `POST / HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: ${pick(['chunked', 'identity', 'gzip'])}\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\n\r\n`,
  () => `POST / HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\nContent-Length: ${pick(['+4', '-4', '0x4', '4,4', '4 4', '', ' ', '99999999999999999999999', '4e0', '1_0', '\u0664', 'NaN'])}\r\n\r\nbodyGET /smuggled HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\n\r\n`,
  () => `GET / HTTP/1.1\r\nHost: h\r\nHost: ${pick(['h', 'other', ''])}\r\nx-thimble-function: card\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\n\r\n`,
  () => `GET / HTTP/1.1\r\nHost: ${pick(['a b', 'a/b', 'a@b', 'a?b', 'a#b', '[::1', 'a:b', 'a:99999', '1.2.3.4.5', '%41', 'a,b', '', '\u00ff\u00fe'])}\r\nx-thimble-function: card\r\n\r\n`,
  () => `GET ${pick(['/a#b', 'foo', 'http://h/x', '*', '', '\\', '//\u007f', '/\u00e9'])} HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\n\r\n`,
  () => `${pick(['CONNECT h:80', 'TRACE /', 'get /', 'G@T /', 'PROPFIND /', 'PRI *'])} HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\n\r\n`,
  () => `GET / HTTP/${pick(['1.0', '0.9', '2.0', '1.2', '1', '1.1.1', '9.9'])}\r\nHost: h\r\nx-thimble-function: card\r\n\r\n`,
  () => `GET / HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\nx-a: ${repeat('y', 16_500 + int(60_000))}\r\n\r\n`,
  () => `GET /${repeat('y', 16_500 + int(60_000))} HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\n\r\n`,
  () => `GET / HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\n${Array.from({ length: 100 + int(400) }, (_, i) => `x-${i}: y\r\n`).join('')}\r\n`,
  () => `GET / HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\nx-a: b${pick(['\u007f', '\u0000', '\u0001', '\n', '\r', '\u001f'])}c\r\n\r\n`,
  () => `GET / HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\n${pick([' x', 'x y', 'x\u0000', 'x(', '\u00e9', 'x@', 'x\t', '"x"'])}: 1\r\n\r\n`,
  // Not among them, since the parser takes them: an empty chunk size (as 0), and a bare line feed behind one.
  () => `POST / HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\nTransfer-Encoding: chunked\r\n\r\n${pick(['zz\r\nabc\r\n', 'fffffffffffffffff\r\n', '-1\r\n', '0x3\r\nabc\r\n'])}0\r\n\r\n`,
  () => 'GET / HTTP/1.1\r\nx-thimble-function: card\r\n\r\n',
  () => `\u0016\u0003\u0001${noise(200)}`,
  () => noise(1 + int(600)),
  () => `${noise(8)}\r\n\r\n`,
];

const VALID = 'POST /ok?x=1 HTTP/1.1\r\nHost: card.localhost\r\nContent-Type: text/plain\r\nX-A: b\r\nContent-Length: 5\r\n\r\nhello';

/** Mutations of a good request: some stay good, so that only survival and an end are asked for. */
function mutate(): string {
  let text = VALID;
  for (let n = 1 + int(4); n > 0; n--) {
    const at = int(text.length);
    switch (int(6)) {
      case 0: text = text.slice(0, at) + String.fromCharCode(int(256)) + text.slice(at + 1); break;
      case 1: text = text.slice(0, at) + text.slice(at + 1 + int(8)); break;
      case 2: text = text.slice(0, at) + noise(1 + int(8)) + text.slice(at); break;
      case 3: text = text.slice(0, at) + pick(['\r\n', '\n', '\r', '\0', ': ', ' ', '\t', '\r\n\r\n']) + text.slice(at); break;
      case 4: text = text.slice(0, at); break;
      default: { const from = int(text.length); text = text.slice(0, at) + text.slice(from, from + int(40)) + text.slice(at); }
    }
  }
  return text;
}

interface Outcome {
  readonly text: string;
  readonly closed: boolean;
}

/** Sends, in one or several pieces, and reads until the end, or until nothing came for `quietMs`. */
async function send(port: number, request: string, quietMs: number): Promise<Outcome> {
  const bytes = Buffer.from(request, 'latin1');
  const cut = int(3) === 0 ? int(bytes.length) : bytes.length;
  const socket = connect(port, '127.0.0.1');
  return await new Promise((resolve) => {
    let text = '';
    let timer: NodeJS.Timeout;
    const finish = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, closed });
    };
    const rearm = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => finish(false), quietMs);
    };
    socket.on('data', (d) => { text += d.toString('latin1'); rearm(); });
    socket.on('error', () => {});
    socket.on('close', () => finish(true));
    rearm();
    socket.write(bytes.subarray(0, cut));
    if (cut < bytes.length) setTimeout(() => { if (!socket.destroyed) socket.write(bytes.subarray(cut)); }, 3);
  });
}

test(`${COUNT} hostile requests: no crash, no hang, none reaches a function that should not`, async () => {
  const { child, port, hostSocket, output, residentMb } = await useGatewayProcess([routeFunction('card', { limits: { wallMs: 1_000, bodyBytes: 10_000 } })], await freePort());
  let ended = false;
  child.once('exit', () => { ended = true; });
  const host = new FakeHost('host-1', reflect);
  await host.connect(hostSocket);
  onTestFinished(() => host.die());
  const statuses = new Map<string, number>();
  const wrong: string[] = [];
  const count = (key: string): void => void statuses.set(key, (statuses.get(key) ?? 0) + 1);
  let left = COUNT;
  const worker = async (): Promise<void> => {
    while (left > 0 && !ended) {
      left -= 1;
      const hostile = int(2) === 0;
      const request = hostile ? pick(REFUSED)() : mutate();
      const { text, closed } = await send(port, request, 120);
      const status = text.slice(9, 12);
      if (text === '') {
        count(closed ? 'closed' : 'waiting');
      } else {
        count(status);
        const ok = hostile ? /^(?:4\d\d|505)$/.test(status) : /^(?:100|200|4\d\d|505)$/.test(status);
        if (!ok) wrong.push(JSON.stringify([request.slice(0, 300), text.slice(0, 300)]));
        if (hostile && /HTTP\/1\.1 200/.test(text)) wrong.push(`smuggled: ${JSON.stringify(request.slice(0, 300))}`);
      }
    }
  };
  const held = Promise.all(['GET / HTTP/1.1\r\nHost: h\r\n', 'GET / HTTP/1.1\r\nx: y\r\n\r\n', 'G', '', 'POST / HTTP/1.1\r\nHost: card.localhost\r\nContent-Length: 50\r\n\r\nabc', 'GET / HTTP/1.1\r\nHost: h\r\nx: \0\r\n\r\n']
    .map((request) => send(port, request, IDLE_MS)));
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  expect(ended ? output.join('').slice(-2_000) : 'alive').toBe('alive');
  expect(wrong.slice(0, 5)).toEqual([]);
  expect([...statuses.values()].reduce((sum, n) => sum + n, 0)).toBe(COUNT);
  expect(host.invocations.some((i) => i.path === '/smuggled')).toBe(false);
  for (const invocation of host.invocations) {
    expect(invocation.header('x-thimble-function')).toBeUndefined();
    // eslint-disable-next-line no-control-regex -- what must never reach a function
    for (const [name, value] of invocation.headers) expect(/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) && !/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)).toBe(true);
  }
  for (const outcome of await held) expect(outcome.closed || /^HTTP\/1\.1 [45]\d\d/.test(outcome.text)).toBe(true);
  expect((await call(port, '/', { fn: 'card' })).status).toBe(200);
  expect((await call(port, '/.thimble/livez')).status).toBe(200);
  expect(residentMb()).toBeLessThan(400);
}, 180_000);
