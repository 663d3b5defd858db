// A gateway with fakes around it, in this process or in one of its own, and clients that see every byte.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { FromChild, GatewayBoot } from '../../core/config/index.ts';
import { createLogger } from '../../core/log/index.ts';
import type { RouteFunction } from '../../core/routing/index.ts';
import { Gateway } from '../../gateway/index.ts';
import { FakeControl, FakeHost } from './gateway-fakes.ts';
import type { Script } from './gateway-fakes.ts';

export interface StandOptions {
  readonly functions?: readonly RouteFunction[];
  /** One host per script; default: none. */
  readonly hosts?: readonly Script[];
  readonly trustedProxies?: readonly string[];
  readonly dataFolder?: string;
  /** false: nobody listens on the control socket. */
  readonly control?: boolean;
  readonly wasmIdleMs?: number;
  /** Default false: hosts hear only of what is called. */
  readonly preWarm?: boolean;
  readonly slowIdleMs?: number;
}

export interface Stand {
  readonly gateway: Gateway;
  readonly control: FakeControl;
  readonly hosts: FakeHost[];
  readonly port: number;
  readonly folder: string;
  readonly hostSocket: string;
  /** Lines of the log, parsed. */
  readonly log: Record<string, unknown>[];
  /** What was said about hosts of on-demand groups. */
  readonly wishes: readonly boolean[];
  /** @param before  called before it connects */
  readonly addHost: (name: string, script: Script, before?: (host: FakeHost) => void) => Promise<FakeHost>;
}

export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'thimble-gw-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts a gateway in this process; all of it goes away with the test. */
export async function useGateway(options: StandOptions = {}): Promise<Stand> {
  const folder = options.dataFolder ?? tempFolder();
  const control = new FakeControl(options.functions ?? []);
  const controlSocket = join(folder, 'control.sock');
  const hostSocket = join(folder, 'gateway.sock');
  if (options.control !== false) await control.listen(controlSocket);
  const log: Record<string, unknown>[] = [];
  const logger = createLogger({ name: 'gateway', level: 'info', destination: { write: (line) => log.push(JSON.parse(line) as Record<string, unknown>) } });
  const wishes: boolean[] = [];
  const gateway = new Gateway({
    host: '127.0.0.1', port: 0, trustedProxies: options.trustedProxies ?? [], dataFolder: folder, gatewaySocket: hostSocket, controlSocket, logger, preWarm: options.preWarm ?? false,
    onDemand: (_, wanted) => wishes.push(wanted), idleMs: { wasm: options.wasmIdleMs ?? 300_000, slow: options.slowIdleMs ?? 300_000 },
  });
  const hosts: FakeHost[] = [];
  onTestFinished(async () => {
    for (const host of hosts) host.die();
    await gateway.drain(0);
    control.close();
  });
  await gateway.start();
  const addHost: Stand['addHost'] = async (name, script, before) => {
    const host = new FakeHost(name, script);
    before?.(host);
    hosts.push(host);
    await host.connect(hostSocket);
    return host;
  };
  for (const [i, script] of (options.hosts ?? []).entries()) await addHost(`host-${i + 1}`, script);
  return { gateway, control, hosts, port: gateway.port, folder, hostSocket, log, wishes, addHost };
}

export interface GatewayProcess {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly control: FakeControl;
  readonly hostSocket: string;
  readonly port: number;
  readonly output: string[];
  readonly residentMb: () => number;
}

/** Starts gateway/main.ts as the supervisor does, on a port that was free a moment ago. */
export async function useGatewayProcess(functions: readonly RouteFunction[], port: number, folder = tempFolder()): Promise<GatewayProcess> {
  const { readFileSync } = await import('node:fs');
  const control = new FakeControl(functions);
  await control.listen(join(folder, 'control.sock'));
  const child = fork(join(import.meta.dirname, '../../gateway/main.ts'), [], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], execArgv: ['--disable-warning=ExperimentalWarning'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
    control.close();
  });
  const output: string[] = [];
  child.stdout?.on('data', (d: Buffer) => output.push(d.toString()));
  child.stderr?.on('data', (d: Buffer) => output.push(d.toString()));
  const boot: GatewayBoot = {
    kind: 'gateway', name: 'gateway', logLevel: 'info', dataFolder: folder, host: '127.0.0.1', port, trustedProxies: [], preWarm: true, idleMs: { slow: 60_000, wasm: 300_000, penalty: 60_000, shadow: 60_000 },
    sockets: { gateway: join(folder, 'gateway.sock'), control: join(folder, 'control.sock'), sidecar: join(folder, 'sidecar.sock') },
  };
  child.send({ type: 'boot', boot });
  await new Promise<void>((resolve, reject) => {
    child.on('message', (message: FromChild) => {
      if (message.type === 'ready') resolve();
      else if (message.type === 'failed') reject(new Error(`${message.code}: ${message.message}`));
    });
    child.once('exit', (code) => reject(new Error(`exit ${code}: ${output.join('')}`)));
  });
  return {
    child, folder, control, port, output, hostSocket: join(folder, 'gateway.sock'),
    residentMb: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0) / 1_024,
  };
}

/** A port of the loopback interface that nobody listens on. */
export async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

export interface Answer {
  readonly status: number;
  /** x-thimble-version and x-thimble-reason, '' when absent. */
  readonly version: string;
  readonly reason: string;
  readonly headers: IncomingHttpHeaders;
  readonly raw: readonly string[];
  readonly body: Buffer;
  readonly text: string;
  /** Whether the body ended as HTTP says. */
  readonly complete: boolean;
}

export interface CallOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer | AsyncIterable<Uint8Array>;
  readonly fn?: string;
}

/** One request over a connection of its own. Rejects when no answer comes. */
export async function call(port: number, path: string, options: CallOptions = {}): Promise<Answer> {
  const headers: Record<string, string | string[]> = { ...options.headers };
  if (options.fn !== undefined) headers['x-thimble-function'] = options.fn;
  const { body } = options;
  if (typeof body === 'string' || Buffer.isBuffer(body)) headers['content-length'] ??= String(Buffer.byteLength(body));
  return await new Promise<Answer>((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method: options.method ?? 'GET', headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      const finish = (): void => {
        const all = Buffer.concat(chunks);
        const own = (name: string): string => String(response.headers[name] ?? '');
        resolve({ status: response.statusCode ?? 0, version: own('x-thimble-version'), reason: own('x-thimble-reason'), headers: response.headers, raw: response.rawHeaders, body: all, text: all.toString(), complete: response.complete });
      };
      response.on('end', finish);
      response.on('error', finish);
    });
    request.on('error', reject);
    if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) {
      request.end(body);
      return;
    }
    void (async () => {
      for await (const chunk of body) {
        if (!request.write(chunk)) await new Promise<void>((next) => { request.once('drain', next); request.once('close', next); });
        if (request.destroyed) return;
      }
      request.end();
    })();
  });
}

/** The `code` of a problem+json answer. */
export function problemCode(answer: Answer): string {
  if (answer.headers['content-type'] !== 'application/problem+json') return `not a problem: ${answer.headers['content-type']}`;
  return (JSON.parse(answer.text) as { code: string }).code;
}

/** Bytes out, bytes in: everything that came until the server closed, or until `waitMs` passed in silence. */
export async function raw(port: number, bytes: string | Buffer, waitMs = 200): Promise<{ readonly text: string; readonly closed: boolean }> {
  const socket = connect(port, '127.0.0.1');
  return await new Promise((resolve) => {
    let text = '';
    let timer: NodeJS.Timeout;
    const done = (closed: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ text, closed });
    };
    const rearm = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => done(false), waitMs);
    };
    socket.on('data', (d) => {
      text += d.toString('latin1');
      rearm();
    });
    socket.on('error', () => {});
    socket.on('close', () => done(true));
    rearm();
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  });
}

export function openSocket(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  return socket;
}

/** Polls until `check` is true. */
export async function until(check: () => boolean, withinMs = 3_000, what = 'the condition'): Promise<void> {
  const end = performance.now() + withinMs;
  while (!check()) {
    if (performance.now() > end) throw new Error(`${what} did not come true within ${withinMs} ms`);
    await sleep(5);
  }
}

export async function sleep(ms: number): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, ms));
}
