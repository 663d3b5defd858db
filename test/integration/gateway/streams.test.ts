// Bodies in both directions: credits, stopped sockets, constant memory, what breaks them off.
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FRAME, STREAM_WINDOW_BYTES } from '../../../core/protocol/index.ts';
import { FakeHost, routeFunction } from '../../support/gateway-fakes.ts';
import type { FakeInvocation } from '../../support/gateway-fakes.ts';
import { call, freePort, openSocket, problemCode, sleep, until, useGateway, useGatewayProcess } from '../../support/gateway-stand.ts';

const MIB = 1_048_576;
const big = [routeFunction('card', { limits: { bodyBytes: 200 * MIB, wallMs: 60_000 } })];

describe('response streams', () => {
  test('chunks arrive as they are sent, and the end is the end', async () => {
    const { port, gateway } = await useGateway({
      functions: big,
      hosts: [(i) => {
        i.stream(203, [['x-a', 'b']]);
        void (async () => {
          for (let n = 0; n < 50; n++) await i.chunk(Buffer.from(`${n},`));
          i.end();
        })();
      }],
    });
    const answer = await call(port, '/', { fn: 'card' });
    expect([answer.status, answer.headers['x-a'], answer.headers['transfer-encoding'], answer.complete]).toEqual([203, 'b', 'chunked', true]);
    expect(answer.text).toBe(Array.from({ length: 50 }, (_, n) => `${n},`).join(''));
    expect(gateway.dispatcher.activeCount).toBe(0);
  });

  test('a stream without a byte is an empty body; HEAD and 204 of a stream cancel it', async () => {
    const { port, hosts } = await useGateway({
      functions: big,
      hosts: [(i) => {
        i.stream(i.path === '/204' ? 204 : 200);
        if (i.path === '/empty') i.end();
        else i.onCancel = () => i.done();
      }],
    });
    const empty = await call(port, '/empty', { fn: 'card' });
    expect([empty.status, empty.headers['content-length'], empty.text]).toEqual([200, '0', '']);
    expect((await call(port, '/', { fn: 'card', method: 'HEAD' })).status).toBe(200);
    expect((await call(port, '/204', { fn: 'card' })).status).toBe(204);
    await until(() => hosts[0]?.running.size === 3 && hosts[0].invocations[2]?.cancelled !== undefined);
    expect(hosts[0]?.invocations.map((i) => i.cancelled)).toEqual([undefined, 'client_gone', 'client_gone']);
  });

  test('a failure after the head closes the connection without the final chunk', async () => {
    const { port, log } = await useGateway({
      functions: big, hosts: [(i) => { i.stream(200); void i.chunk(Buffer.from('part')).then(() => i.fail('cpu_limit_exceeded', { limit: 50 })); }],
    });
    const answer = await call(port, '/', { fn: 'card' });
    expect([answer.status, answer.text, answer.complete]).toEqual([200, 'part', false]);
    expect(log.some((line) => line['code'] === 'cpu_limit_exceeded')).toBe(true);
  });

  test('a failure before the first byte is still an answer', async () => {
    const { port } = await useGateway({ functions: big, hosts: [(i) => { i.stream(200); i.fail('function_threw'); }] });
    expect((await call(port, '/', { fn: 'card' })).status).toBe(500);
  });

  test('a client that does not read stops the function within its credits', async () => {
    let sent = 0;
    const { port } = await useGateway({
      functions: big,
      hosts: [(i) => {
        i.stream(200);
        void (async () => {
          while (i.cancelled === undefined && sent < 400 * MIB) {
            await i.chunk(Buffer.alloc(65_536));
            sent += 65_536;
          }
        })();
      }],
    });
    const socket = connect(port, '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\n\r\n');
    await until(() => sent > 0);
    // A pause of a loaded machine is no stop: nothing may come for a quarter of a second.
    let before = -1;
    for (const giveUpAt = performance.now() + 3_000; before !== sent; ) {
      expect(performance.now()).toBeLessThan(giveUpAt);
      before = sent;
      await sleep(250);
    }
    await sleep(150);
    // The kernel's socket buffers hold some MiB on loopback; behind them only the window.
    expect(sent).toBe(before);
    expect(sent).toBeLessThan(32 * MIB);
    let got = 0;
    socket.on('data', (d) => { got += d.length; });
    socket.resume();
    await until(() => sent > before + 8 * MIB && got > 8 * MIB, 5_000, 'the flow after reading on');
  });
});

describe('request streams', () => {
  test('a host that grants more credit than was spent is cut off', async () => {
    const { port } = await useGateway({ functions: big, hosts: [(i) => { i.reading = false; i.raw([FRAME.credit, i.id, 64 * MIB]); }] });
    const answer = await call(port, '/', { fn: 'card', method: 'POST', body: Buffer.alloc(4 * MIB) });
    expect([answer.status, problemCode(answer)]).toEqual([502, 'host_lost']);
  });

  test('a function that does not read stops its client within the window', async () => {
    const { port, hosts } = await useGateway({ functions: big, hosts: [(i) => { i.reading = false; i.onEnd = () => i.respond(200, [], String(i.receivedBytes)); }] });
    const socket = openSocket(port);
    let text = '';
    socket.on('data', (d) => { text += d.toString(); });
    const total = 40 * MIB;
    socket.write(`POST / HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\ncontent-length: ${total}\r\n\r\n`);
    const chunk = Buffer.alloc(MIB);
    let written = 0;
    const write = (): void => {
      while (written < total) {
        written += chunk.length;
        if (!socket.write(chunk)) break;
      }
    };
    socket.on('drain', write);
    write();
    await until(() => (hosts[0]?.invocations[0]?.receivedBytes ?? 0) > 0);
    await sleep(200);
    const invocation = hosts[0]?.invocations[0];
    expect(invocation?.receivedBytes).toBeLessThanOrEqual(STREAM_WINDOW_BYTES + 65_536);
    expect(written).toBeLessThan(total);
    invocation?.resumeReading();
    await until(() => text.includes('\r\n\r\n'), 5_000);
    expect(text).toContain(String(total));
    expect(hosts[0]?.overruns).toBe(0);
  });

  test('a function that answers before it has read leaves the connection usable', async () => {
    const { port } = await useGateway({ functions: big, hosts: [(i) => i.respond(200, [], i.path)] });
    const socket = openSocket(port);
    let text = '';
    socket.on('data', (d) => { text += d.toString(); });
    socket.write('POST /early HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\ncontent-length: 2000000\r\n\r\n');
    socket.write(Buffer.alloc(1_000_000));
    await until(() => text.includes('/early'));
    socket.write(Buffer.alloc(1_000_000));
    socket.write('GET /next HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\n\r\n');
    await until(() => text.includes('/next'));
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(2);
  });

  test('a host that wants no more of the body lets the rest go by', async () => {
    const { port } = await useGateway({
      functions: big,
      hosts: [(i) => { i.onBody = () => { i.onBody = undefined; i.reading = false; i.raw([7, i.id, 'client_gone']); setTimeout(() => i.respond(200, [], 'x'), 50); }; }],
    });
    expect((await call(port, '/', { fn: 'card', method: 'POST', body: Buffer.alloc(8 * MIB) })).status).toBe(200);
  });

  test('a client that breaks off cancels', async () => {
    const { port, hosts, gateway } = await useGateway({ functions: big, hosts: [(i) => { i.onCancel = () => i.fail('function_threw'); }] });
    const socket = openSocket(port);
    socket.write(`POST / HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\ncontent-length: 2000000\r\n\r\n${'x'.repeat(100_000)}`);
    await until(() => (hosts[0]?.invocations[0]?.receivedBytes ?? 0) > 50_000);
    socket.destroy();
    await until(() => hosts[0]?.invocations[0]?.cancelled === 'client_gone');
    await until(() => gateway.dispatcher.activeCount === 0);
    expect(gateway.dispatcher.memory.heldBytes).toBe(0);
  });
});

/** Sends back what comes, at the speed at which the client takes it. */
function echo(i: FakeInvocation): void {
  i.reading = false;
  i.stream(200);
  const pending: Buffer[] = [];
  let busy = false;
  const run = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    for (let bytes = pending.shift(); bytes !== undefined; bytes = pending.shift()) {
      await i.chunk(bytes);
      i.resumeReading();
      i.reading = false;
    }
    busy = false;
    if (i.ended) i.end();
  };
  i.onBody = (bytes) => { pending.push(Buffer.from(bytes)); void run(); };
  i.onEnd = () => void run();
}

test('100 MiB through the process and back at constant memory', async () => {
  const { hostSocket, port, residentMb } = await useGatewayProcess(big, await freePort());
  const host = new FakeHost('host-1', echo);
  await host.connect(hostSocket);
  onTestFinished(() => host.die());
  const total = 100 * MIB;
  const before = residentMb();
  let peak = 0;
  let got = 0;
  const timer = setInterval(() => { peak = Math.max(peak, residentMb()); }, 50);
  await new Promise<void>((resolve, reject) => {
    const request = httpRequest({ port, host: '127.0.0.1', method: 'POST', path: '/', headers: { 'x-thimble-function': 'card', 'content-length': total }, agent: false }, (response) => {
      response.on('data', (d: Buffer) => { got += d.length; });
      response.on('end', resolve);
      response.on('error', reject);
    });
    request.on('error', reject);
    const chunk = Buffer.alloc(MIB);
    let written = 0;
    const write = (): void => {
      while (written < total) {
        written += chunk.length;
        if (!request.write(chunk)) {
          request.once('drain', write);
          return;
        }
      }
      request.end();
    };
    write();
  });
  clearInterval(timer);
  expect(got).toBe(total);
  expect(host.overruns).toBe(0);
  expect(peak - before).toBeLessThan(60);
}, 40_000);

test('HEAD, then others, over one kept-alive connection', async () => {
  const { port } = await useGateway({ functions: big, hosts: [(i) => i.respond(200, [], 'body')] });
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const ports = new Set<number | undefined>();
  for (const method of ['HEAD', 'GET', 'HEAD', 'HEAD', 'GET']) {
    await new Promise<void>((resolve, reject) => {
      const request = httpRequest({ port, host: '127.0.0.1', method, agent, headers: { 'x-thimble-function': 'card' } }, (response) => {
        expect(response.headers['content-length']).toBe('4');
        ports.add(response.socket.localPort);
        response.resume();
        response.on('end', resolve);
      });
      request.on('error', reject);
      request.end();
    });
  }
  expect(ports.size).toBe(1);
});

test('pipelined requests are answered in order or the connection closes; nothing hangs', async () => {
  const { port, hosts } = await useGateway({ functions: big, hosts: [(i) => setTimeout(() => i.respond(200, [], i.path), 5)] });
  const socket = openSocket(port);
  let text = '';
  let closed = false;
  socket.on('data', (d) => { text += d.toString(); });
  socket.on('close', () => { closed = true; });
  socket.write('GET /1 HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\n\r\n');
  await until(() => closed || (text.match(/HTTP\/1\.1 200/g) ?? []).length === 2);
  expect(hosts[0]?.invocations.every((i) => i.path === '/1' || i.path === '/2')).toBe(true);
});
