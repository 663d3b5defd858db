// A throw-away host process of the control plane's own: it connects to sockets where this stands for gateway and sidecar, and dies with the run.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import type { Server } from 'node:net';
import { constants, setPriority } from 'node:os';
import { dirname, join } from 'node:path';
import { DEFAULT_TIER, hostGroup } from '../../core/config/index.ts';
import type { HostBoot, TestHosts } from '../../core/config/index.ts';
import { PlatformError } from '../../core/errors/index.ts';
import { newEpoch } from '../../core/ids/index.ts';
import { BODY, FRAME, listenPeers } from '../../core/protocol/index.ts';
import type { Frame, FrameConnection, HostFigures, Target } from '../../core/protocol/index.ts';

/** A start of Node takes 200 ms, and seconds on a machine that is busy. */
const START_MS = 30_000;
/** Longest answer that is kept, bytes; a longer one fails its call. */
const MAX_ANSWER_BYTES = 1_048_576;
const ERROR_CHARACTERS = 2_048;

export interface TestAnswer {
  /** 0 with `code`: the invocation failed. */
  readonly status: number;
  readonly code: string | null;
  /** Message and stack, mapped to the author's files, where the function threw. */
  readonly detail: string;
  readonly body: string;
  readonly cpuUs: number;
}

interface Waiting {
  readonly chunks: Buffer[];
  bytes: number;
  status: number;
  cpuUs: number;
  readonly resolve: (answer: TestAnswer) => void;
}

export interface TestHostOptions {
  readonly hosts: TestHosts;
  readonly dataFolder: string;
  /** A socket of the node: those of this host lie beside it. */
  readonly socket: string;
  readonly tier: string;
  readonly wasm: boolean;
}

let started = 0;

export class TestHost {
  readonly #options: TestHostOptions;
  readonly #name: string;
  readonly #sockets: { readonly gateway: string; readonly control: string; readonly sidecar: string };
  readonly #servers: Server[] = [];
  readonly #waiting = new Map<number, Waiting>();
  readonly #warming = new Map<number, (alive: boolean) => void>();
  readonly #onFigures: ((figures: HostFigures) => void)[] = [];
  readonly #gone = Promise.withResolvers<void>();
  #child: ChildProcess | undefined;
  #connection: FrameConnection | undefined;
  #errors = '';
  #lastId = 0;
  #ended = false;

  private constructor(options: TestHostOptions) {
    this.#options = options;
    started += 1;
    this.#name = `tests-${started}`;
    // As short as the node's own: the kernel takes 107 bytes (unix(7)).
    const path = (name: string): string => join(dirname(options.socket), `t${started}${name}.sock`);
    this.#sockets = { gateway: path('g'), control: path('c'), sidecar: path('s') };
  }

  /** @throws unavailable  it did not come up; nothing of it is left */
  static async start(options: TestHostOptions): Promise<TestHost> {
    const host = new TestHost(options);
    try {
      await host.#start();
      return host;
    } catch (cause) {
      await host.stop();
      throw new PlatformError('unavailable', { part: 'the host for tests' }, { cause });
    }
  }

  /** Resolves when the process is gone. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** What it wrote last, for the node's log. */
  get errors(): string {
    return this.#errors;
  }

  async #start(): Promise<void> {
    const { hosts, tier, wasm, dataFolder } = this.#options;
    const commands = hosts.tiers[tier];
    if (commands === undefined) throw new Error(`the node has no hosts of tier ${tier}`);
    const self = { name: 'tests', epoch: newEpoch() };
    const open = Promise.withResolvers<void>();
    this.#servers.push(
      await listenPeers(this.#sockets.gateway, { self: { ...self, role: 'gateway' }, accepts: ['host'] }, {
        onOpen: (connection) => {
          this.#connection = connection;
          open.resolve();
        },
        onFrame: (frame) => this.#take(frame),
        onClose: () => this.#lost(),
      }),
      await listenPeers(this.#sockets.sidecar, { self: { ...self, role: 'sidecar' }, accepts: ['host'] }, {
        onOpen: () => {},
        // Tests have no network: who needs one stubs fetch.
        onFrame: (frame, connection) => {
          if (frame[0] === FRAME.call) connection.send([FRAME.fail, frame[1], 'egress_refused', { why: 'tests have no network: use stubFetch' }, 0, null, 'tests have no network: use stubFetch of thimble:test']);
        },
        onClose: () => {},
      }),
      await listenPeers(this.#sockets.control, { self: { ...self, role: 'control' }, accepts: ['host'] }, {
        onOpen: () => {},
        onFrame: (frame) => {
          if (frame[0] === FRAME.figures) for (const told of this.#onFigures.splice(0)) told(frame[2] as HostFigures);
        },
        onClose: () => {},
      }),
    );
    const [file = '', ...args] = wasm ? commands.wasm : commands.default;
    const child = spawn(file, args, { env: { ...hosts.environment }, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], serialization: 'json' });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#errors = (this.#errors + chunk.toString('utf8')).slice(-ERROR_CHARACTERS);
      });
    }
    const exited = new Promise<never>((_, reject) => {
      child.once('error', (error) => {
        this.#lost();
        reject(error);
      });
      child.once('exit', (code, signal) => {
        this.#lost();
        reject(new Error(`it ended with ${signal ?? code ?? 'unknown'}: ${this.#errors}`));
      });
    });
    exited.catch(() => {});
    try {
      // Below everything that serves requests.
      if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
    } catch {
      // Gone already, or another user's.
    }
    const group = hostGroup(DEFAULT_TIER, wasm ? 'wasm' : 'default');
    const boot: HostBoot = {
      kind: 'host', name: this.#name, logLevel: 'warn', dataFolder, sockets: this.#sockets, group, tier,
      // No secret ever comes here, so there is nothing that a key could open.
      tierKey: Buffer.alloc(32).toString('base64'),
      index: 1, journalFd: -1, memoryBytes: hosts.memoryBytes, platformFolder: hosts.platformFolder, snapshots: false,
    };
    child.send({ type: 'boot', boot }, () => {});
    const late = AbortSignal.timeout(START_MS);
    await Promise.race([open.promise, exited, new Promise<never>((_, reject) => late.addEventListener('abort', () => reject(new Error(`not connected within ${START_MS} ms`))))]);
  }

  target(target: Target): number {
    const number = ++this.#lastId;
    this.#connection?.send([FRAME.target, number, target]);
    return number;
  }

  /** The target and its isolate go. */
  forget(number: number): void {
    this.#connection?.send([FRAME.forget, number]);
  }

  /** Has an isolate of the target started. @returns whether there is one */
  warm(number: number): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.#ended) return resolve(false);
      this.#warming.set(number, resolve);
      this.#connection?.send([FRAME.warm, number, 1]);
    });
  }

  /** The next two figures: the first may have been made before now. Fewer: it has ended. */
  async figures(): Promise<readonly HostFigures[]> {
    const all: HostFigures[] = [];
    const ended = this.gone.then(() => undefined);
    while (all.length < 2) {
      const next = await Promise.race([new Promise<HostFigures>((resolve) => this.#onFigures.push(resolve)), ended]);
      if (next === undefined) break;
      all.push(next);
    }
    return all;
  }

  /** Never rejects: what goes wrong has a code, `host_lost` when the process ended. */
  invoke(target: number, body: string, wallMs: number): Promise<TestAnswer> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      if (this.#ended || this.#connection === undefined) return resolve(failed('host_lost'));
      const timer = setTimeout(() => {
        this.#connection?.send([FRAME.cancel, id, 'wall_limit_exceeded']);
        this.#settle(id, failed('wall_limit_exceeded'));
      }, wallMs);
      this.#waiting.set(id, {
        chunks: [], bytes: 0, status: 0, cpuUs: 0,
        resolve: (answer) => {
          clearTimeout(timer);
          resolve(answer);
        },
      });
      this.#connection.send([FRAME.invoke, id, target, `POST\nhttp://tests.localhost/\nx-request-id\ntest-${id}`, BODY.inline, body, wallMs]);
    });
  }

  /** Ends the process at once, and waits until nothing is left of it. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await exited;
    }
    this.#lost();
    this.#connection?.destroy();
    for (const server of this.#servers) server.close();
    for (const path of Object.values(this.#sockets)) rmSync(path, { force: true });
  }

  #take(frame: Frame): void {
    switch (frame[0]) {
      case FRAME.respond: {
        const [, id, status, , mode, body, final, cpuUs] = frame;
        const waiting = this.#waiting.get(id);
        if (waiting === undefined) return;
        waiting.status = status;
        waiting.cpuUs = cpuUs;
        if (mode === BODY.inline && body !== null) this.#keep(id, waiting, typeof body === 'string' ? Buffer.from(body) : Buffer.copyBytesFrom(body));
        if (final || mode !== BODY.stream) this.#whole(id);
        return;
      }
      case FRAME.data: {
        const waiting = this.#waiting.get(frame[1]);
        if (waiting === undefined) return;
        this.#keep(frame[1], waiting, Buffer.copyBytesFrom(frame[2]));
        this.#connection?.send([FRAME.credit, frame[1], frame[2].length]);
        return;
      }
      case FRAME.end:
        this.#whole(frame[1]);
        return;
      case FRAME.fail: {
        const [, id, code, , cpuUs, , detail] = frame;
        this.#settle(id, { ...failed(code), cpuUs: Math.max(0, cpuUs), detail: detail ?? '' });
        return;
      }
      case FRAME.warm:
        this.#warming.get(frame[1])?.(frame[2] > 0);
        this.#warming.delete(frame[1]);
        return;
      default:
    }
  }

  #keep(id: number, waiting: Waiting, bytes: Buffer): void {
    waiting.bytes += bytes.length;
    waiting.chunks.push(bytes);
    if (waiting.bytes > MAX_ANSWER_BYTES) this.#settle(id, failed('bad_response'));
  }

  #whole(id: number): void {
    const waiting = this.#waiting.get(id);
    if (waiting !== undefined) this.#settle(id, { status: waiting.status, code: null, detail: '', body: Buffer.concat(waiting.chunks).toString('utf8'), cpuUs: Math.max(0, waiting.cpuUs) });
  }

  #settle(id: number, answer: TestAnswer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.resolve(answer);
  }

  #lost(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#gone.resolve();
    for (const id of Array.from(this.#waiting.keys())) this.#settle(id, failed('host_lost'));
    for (const told of this.#warming.values()) told(false);
    this.#warming.clear();
  }
}

function failed(code: string): TestAnswer {
  return { status: 0, code, detail: '', body: '', cpuUs: 0 };
}
