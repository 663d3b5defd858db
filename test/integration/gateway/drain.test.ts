// The end of a gateway: readiness, answers that close, what is cut off, and the process as the supervisor sees it.
import { expect, onTestFinished, test } from 'vitest';
import { FakeHost, reflect, routeFunction } from '../../support/gateway-fakes.ts';
import { call, freePort, openSocket, problemCode, sleep, until, useGateway, useGatewayProcess } from '../../support/gateway-stand.ts';

const functions = [routeFunction('card', { limits: { concurrency: 1, wallMs: 20_000 } })];

test('what runs and what waits is answered and its connection closed; new connections are refused; readyz says so at once', async () => {
  const { port, hosts, gateway } = await useGateway({ functions, hosts: [() => {}] });
  const socket = openSocket(port);
  let text = '';
  let closed = false;
  socket.on('data', (d) => { text += d.toString(); });
  socket.on('close', () => { closed = true; });
  const kept = openSocket(port);
  let keptText = '';
  kept.on('data', (d) => { keptText += d.toString(); });
  await until(() => !kept.connecting);
  socket.write('GET /1 HTTP/1.1\r\nHost: h\r\nx-thimble-function: card\r\n\r\n');
  await until(() => gateway.dispatcher.inFlight === 1);
  const waiting = call(port, '/2', { fn: 'card' });
  await until(() => gateway.dispatcher.queued === 1);
  let ended = false;
  const draining = gateway.drain(5_000).then(() => { ended = true; });
  kept.write('GET /.thimble/readyz HTTP/1.1\r\nHost: h\r\n\r\n');
  await until(() => keptText.includes('503'));
  expect(keptText).toContain('draining');
  await expect(call(port, '/', { fn: 'card' })).rejects.toThrow('ECONN');
  hosts[0]?.invocations[0]?.respond(200, [], 'one');
  await until(() => closed);
  expect(text).toMatch(/^HTTP\/1\.1 200 /);
  expect(text.toLowerCase()).toContain('connection: close');
  expect(ended).toBe(false);
  await until(() => hosts[0]?.invocations.length === 2);
  hosts[0]?.invocations[1]?.respond(200, [], 'two');
  expect((await waiting).text).toBe('two');
  await draining;
});

test('work behind the response is waited for', async () => {
  const { port, hosts, gateway } = await useGateway({ functions, hosts: [(i) => i.respond(200, [], 'x', { final: false })] });
  expect((await call(port, '/', { fn: 'card' })).status).toBe(200);
  expect(gateway.dispatcher.inFlight).toBe(1);
  let ended = false;
  const draining = gateway.drain(5_000).then(() => { ended = true; });
  await sleep(100);
  expect(ended).toBe(false);
  hosts[0]?.invocations[0]?.done();
  await draining;
});

test('after its time the rest is answered with unavailable', async () => {
  const { port, gateway } = await useGateway({ functions, hosts: [() => {}] });
  const calls = [call(port, '/1', { fn: 'card' }), call(port, '/2', { fn: 'card' })];
  await until(() => gateway.dispatcher.queued === 1);
  const begun = performance.now();
  await gateway.drain(100);
  expect(performance.now() - begun).toBeLessThan(1_000);
  for (const answer of await Promise.all(calls)) expect([answer.status, problemCode(answer)]).toEqual([503, 'unavailable']);
});

test('the process: ready, serves, drains on the word of its supervisor and exits 0', async () => {
  const { child, port, hostSocket, output } = await useGatewayProcess(functions, await freePort());
  const host = new FakeHost('host-1', (i) => setTimeout(() => reflect(i), 150));
  await host.connect(hostSocket);
  onTestFinished(() => host.die());
  const answering = call(port, '/', { fn: 'card' });
  await until(() => host.invocations.length === 1);
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.send({ type: 'drain', withinMs: 3_000 });
  expect((await answering).status).toBe(200);
  expect(await exited).toBe(0);
  expect(output.join('')).toContain('"msg":"request"');
});

test('the process: a host\'s death over IPC decides its invocations', async () => {
  const { child, port, hostSocket } = await useGatewayProcess(functions, await freePort());
  const host = new FakeHost('host-1', () => {});
  await host.connect(hostSocket);
  const answering = call(port, '/', { fn: 'card' });
  await until(() => host.invocations.length === 1);
  const ref = { epoch: host.gatewayEpoch, sequence: host.invocations[0]?.id };
  host.die();
  const begun = performance.now();
  child.send({ type: 'host-died', host: 'host-1', pid: process.pid, onThread: ref, entered: [ref] });
  expect(problemCode(await answering)).toBe('host_lost');
  expect(performance.now() - begun).toBeLessThan(600);
});

test('the process: without its supervisor it drains and ends within 2 s', async () => {
  const { child } = await useGatewayProcess(functions, await freePort());
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const begun = performance.now();
  child.disconnect();
  expect(await exited).toBe(0);
  expect(performance.now() - begun).toBeLessThan(2_000);
});

test('a taken port is named', async () => {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  await expect(useGatewayProcess(functions, port)).rejects.toThrow('port_taken');
});
