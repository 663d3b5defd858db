// Hostile hosts: random, malformed and contradictory frames. Nobody else notices, nothing stays behind.
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { BODY, FRAME, PROTOCOL_VERSION, encode } from '../../../core/protocol/index.ts';
import { callFrame, until } from '../../support/sidecar-host.ts';
import { fuzzRounds, fuzzSeed, seededRandom } from '../../support/sidecar-random.ts';
import type { Random } from '../../support/sidecar-random.ts';
import { useSidecar } from '../../support/sidecar-server.ts';
import { useUpstream } from '../../support/sidecar-upstream.ts';

function framed(value: unknown): Buffer {
  const payload = encode(value);
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32LE(payload.length);
  return Buffer.concat([prefix, payload]);
}

const HELLO = framed([FRAME.hello, 0, PROTOCOL_VERSION, 'host', 'hostile', 1, 1]);
const NUMBERS = [0, 1, 2, 3, 5, 7, -1, 0.5, 1e9, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1e300, Number.NaN, Number.POSITIVE_INFINITY];

function anything(random: Random): unknown {
  return random.pick<unknown>([
    null, true, false, '', 'http', 'fetch', 'x'.repeat(random.int(2_000)), [], {}, [[[[]]]], { a: { b: [1] } }, random.bytes(random.int(200)), random.pick(NUMBERS), random.pick(NUMBERS),
  ]);
}

/** A frame that passes the checks, or nearly does. */
function hostileFrame(random: Random, urls: readonly string[]): unknown {
  const id = random.pick([1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, random.pick(NUMBERS)]);
  switch (random.int(10)) {
    case 0:
    case 1:
    case 2: {
      const frame: unknown[] = [...callFrame(1, {
        url: random.pick(urls), method: random.pick(['GET', 'POST', 'HEAD', 'CONNECT', 'x y', '']), redirect: random.pick(['follow', 'error', 'manual', 'odd']),
        headers: random.pick([[], ['x', '1'], ['x', 'a\rb'], ['odd'], ['content-length', '5', 'transfer-encoding', 'chunked'], Array.from({ length: 400 }, (_, i) => `h${i}`)]),
        body: random.pick([null, null, 'text', random.bytes(500), Buffer.alloc(70_000)]), streamed: random.int(3) === 0,
        deadlineMs: random.pick([0, 1, 20, 1_000, 1e300, 0.001]), traceparent: random.pick(['', 'x'.repeat(400), '00-x']), tenant: random.pick(['a', 'b', 't'.repeat(400)]),
        client: random.pick(['http', 'http', 'http', 'redis', '__proto__', 'constructor']), operation: random.pick(['fetch', 'fetch', 'fetch', 'get', 'toString']),
      })];
      frame[1] = id;
      if (random.int(6) === 0) frame[random.int(frame.length)] = anything(random);
      return frame;
    }
    case 3:
      return [FRAME.data, id, random.bytes(random.int(3_000))];
    case 4:
      return [FRAME.end, id];
    case 5:
      return [FRAME.credit, id, random.pick(NUMBERS)];
    case 6:
      return [FRAME.cancel, id, random.pick(['client_gone', 'x'.repeat(5_000), ''])];
    case 7:
      return [random.int(80), id, ...Array.from({ length: random.int(8) }, () => anything(random))];
    case 8:
      return random.pick<unknown>([
        [FRAME.goaway, 0, 'x'], [FRAME.ping, 0, 1], [FRAME.reply, 1, '', BODY.none, null], [FRAME.done, 1, 0], [FRAME.applied, 0, 1], [FRAME.logs, 0, [], {}], [FRAME.figures, 0, {}],
        [FRAME.subscribe, 0, 0, 0], [FRAME.hello, 0, PROTOCOL_VERSION, 'host', 'again', 1, 1], [FRAME.load, 0, 1, 1, 1, 1],
      ]);
    default:
      return anything(random);
  }
}

function mutated(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  for (let i = random.int(4); i >= 0; i--) copy[random.int(copy.length)] = random.int(256);
  return random.int(4) === 0 ? copy.subarray(0, random.int(copy.length)) : copy;
}

async function hostile(path: string, send: (socket: Socket) => Promise<void> | void): Promise<void> {
  const socket = connect(path);
  socket.on('error', () => {});
  socket.resume();
  await new Promise((resolve) => socket.once('connect', resolve));
  await send(socket);
  await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
}

describe('a hostile host', () => {
  const seed = fuzzSeed();
  it(`changes nothing for the others (seed ${seed})`, async () => {
    const random = seededRandom(seed);
    const upstream = await useUpstream((request, response) => {
      request.on('error', () => {});
      if (request.url === '/hang') return;
      if (request.url === '/stream') request.pipe(response);
      else if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end();
      else response.end('fine');
    });
    const sidecar = await useSidecar();
    const victim = await sidecar.connect('victim');
    const urls = [`${upstream.origin}/`, `${upstream.origin}/hang`, `${upstream.origin}/stream`, `${upstream.origin}/loop`, 'http://10.0.0.1/', 'http://localhost/', 'nonsense', ''];
    for (let round = fuzzRounds(150, 5_000); round > 0; round--) {
      await hostile(sidecar.path, async (socket) => {
        if (random.int(12) > 0) socket.write(HELLO);
        for (let n = 1 + random.int(40); n > 0; n--) {
          const bytes = framed(hostileFrame(random, urls));
          socket.write(random.int(15) === 0 ? mutated(bytes, random) : random.int(30) === 0 ? random.bytes(1 + random.int(300)) : bytes);
          if (random.int(8) === 0) await new Promise((resolve) => setImmediate(resolve));
        }
      });
      if (round % 10 !== 0) continue;
      const answer = await victim.fetch({ url: `${upstream.origin}/` });
      expect(answer.body.toString()).toBe('fine');
    }
    await until(() => sidecar.server.tally.active === 0, 10_000);
    expect(sidecar.server.heldBytes).toBe(0);
    expect(victim.isClosed).toBe(false);
    await until(() => upstream.open() <= 130);
  }, 600_000);
});

describe('each violation', () => {
  const cases: readonly (readonly [string, (open: (id: number, more?: object) => void, send: (frame: unknown) => void) => void])[] = [
    ['a duplicate id', (open) => (open(1), open(1))],
    ['data for a body that was not announced', (open, send) => (open(1), send([FRAME.data, 1, Buffer.from('x')]))],
    ['an end that was not announced', (open, send) => (open(1), send([FRAME.end, 1]))],
    ['data after the end', (open, send) => (open(1, { streamed: true, method: 'POST' }), send([FRAME.end, 1]), send([FRAME.data, 1, Buffer.from('x')]))],
    ['a body that overruns its window', (open, send) => {
      open(1, { streamed: true, method: 'POST' });
      // More than the kernel takes for an upstream that does not read.
      for (let i = 0; i < 400; i++) send([FRAME.data, 1, Buffer.alloc(65_536)]);
    }],
    ['credit before the reply', (open, send) => (open(1), send([FRAME.credit, 1, 5]))],
    ['a frame for a call that never was', (open, send) => (open(1), send([FRAME.cancel, 99, 'x']))],
    ['a frame that hosts do not send', (open, send) => (open(1), send([FRAME.reply, 1, '', BODY.none, null]))],
    ['a malformed frame', (open, send) => (open(1), send([FRAME.cancel, 1]))],
    ['a length above the limit', (open, send) => (open(1), send(Buffer.from([255, 255, 255, 255])))],
  ];
  it.each(cases)('%s ends its connection with all its calls, and no other', async (_name, attack) => {
    const upstream = await useUpstream((request, response) => {
      if (request.url === '/fine') response.end('fine');
      else request.resume().pause();
    });
    const sidecar = await useSidecar();
    const [evil, victim] = [await sidecar.connect('evil'), await sidecar.connect('victim')];
    const open = (id: number, more: object = {}): void => evil.send(callFrame(id, { url: upstream.origin, ...more }));
    let raw: Socket | undefined;
    if (_name.startsWith('a length') || _name.startsWith('a malformed')) {
      raw = connect(sidecar.path).on('error', () => {});
      raw.write(HELLO);
    }
    const gone = raw === undefined ? evil.closed : new Promise((resolve) => raw.once('close', resolve));
    raw?.resume();
    attack(
      (id, more) => (raw === undefined ? open(id, more) : void raw.write(framed(callFrame(id, { url: upstream.origin })))),
      (frame) => (raw === undefined ? evil.send(frame as never) : void raw.write(Buffer.isBuffer(frame) ? frame : framed(frame))),
    );
    await gone;
    expect((await victim.fetch({ url: `${upstream.origin}/fine` })).body.toString()).toBe('fine');
    await until(() => sidecar.server.tally.active === 0);
    expect(sidecar.server.heldBytes).toBe(0);
  });

  it('of a call alone fails that call', async () => {
    const upstream = await useUpstream((_request, response) => response.end('fine'));
    const host = await (await useSidecar()).connect();
    const { origin: url } = upstream;
    for (const flaw of [
      { client: 'redis' }, { client: '__proto__' }, { operation: 'get' }, { operation: 'toString' }, { head: '' }, { head: 'GET' }, { head: `GET\n${url}` }, { head: `GET\n${url}\nfollow\nx` },
      { headers: ['x', 'y'.repeat(300_000)] }, { body: Buffer.alloc(70_000), method: 'POST' }, { tenant: 'x'.repeat(300) }, { fn: 'x'.repeat(300) }, { traceparent: 'x'.repeat(300) },
    ]) expect(await host.codeOf({ url, ...flaw })).toBe('protocol_violation');
    expect(upstream.requests).toEqual([]);
    expect(await host.codeOf({ url })).toBe('ok');
  });

  it('of granting more than was sent ends the connection', async () => {
    const upstream = await useUpstream((_request, response) => void response.write('x'));
    const host = await (await useSidecar()).connect();
    const call = host.open({ url: upstream.origin, autoCredit: false });
    await call.head;
    await until(() => call.bytes === 1);
    call.credit(1);
    expect(await host.codeOf({ url: 'http://localhost/' })).toBe('egress_refused');
    call.credit(1);
    await host.closed;
  });
});
