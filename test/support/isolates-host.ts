// A real host process behind a fake gateway that speaks real frames: what isolates/ is tested by.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { Builder } from '../../control/builder/index.ts';
import { hostName } from '../../core/config/index.ts';
import type { HostBoot, HostGroup } from '../../core/config/index.ts';
import { sha256Hex } from '../../core/crypto/index.ts';
import { BODY, FRAME, JOURNAL_BYTES, listenPeers } from '../../core/protocol/index.ts';
import type { BodyMode, EntriesRow, Frame, FrameConnection, HostFigures, Target } from '../../core/protocol/index.ts';
import { WASM_FLAGS } from '../../supervisor/node-plan.ts';
import { BUNDLE_PREFIX, BUNDLE_SUFFIX, versionFolder } from '../../core/versions/index.ts';
import type { OnFinished } from './on-finished.ts';
import { platformFolder } from './platform-folder.ts';

const ROOT = join(import.meta.dirname, '..', '..');

/** One invocation as the gateway sees it. */
export interface Answer {
  status: number;
  /** Code of the fail frame, or null. */
  code: string | null;
  params: Readonly<Record<string, unknown>> | null;
  detail: string | null;
  headers: Record<string, string>;
  /** Every field as it came: name, value, name, value. */
  fields: readonly string[];
  /** Complete with the final frame. */
  body: Buffer;
  /** Bytes of `data` frames so far. */
  received: number;
  cpuUs: number;
  cold: readonly number[] | null;
  /** The body ended, or there was none. */
  ended: boolean;
  /** The final frame came. */
  final: boolean;
  ms: number;
}

export interface InvokeOptions {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
  /** Chunks are sent under credit; the body ends after the last. */
  stream?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  wallMs?: number;
  /** Credit is given for what came; false: the client never reads. */
  reads?: boolean;
}

interface Exchange {
  readonly answer: Answer;
  readonly started: number;
  readonly reads: boolean;
  readonly done: (answer: Answer) => void;
  credit: number;
  onCredit: (() => void) | null;
  onHead: (() => void) | null;
  readonly chunks: Uint8Array[];
  cancelled: boolean;
}

export interface Running {
  readonly id: number;
  readonly answer: Answer;
  /** Resolves with the final frame, or when the host is lost (code `host_gone`). */
  readonly done: Promise<Answer>;
  /** Resolves when the head has come. */
  readonly head: Promise<void>;
  cancel(code?: string): void;
}

export interface LogLine {
  readonly level: string;
  readonly fn: string;
  readonly invocation: string;
  readonly message: string;
  readonly fields: string | null;
}

export type BundleSettings = Partial<Target> & { env?: Record<string, string>; map?: string };

const builder = new Builder();

export interface HostOptions {
  /** The node-wide switch of version snapshots. Default true. */
  readonly snapshots?: boolean;
  /** null: no platform snapshot. */
  readonly platform?: string | null;
  readonly sidecarPath?: string;
  /** Default: `default`. */
  readonly group?: HostGroup;
  /** `HostBoot.memoryBytes`. Default 4 GiB. */
  readonly memoryBytes?: number;
}

export class TestHost {
  readonly folder = mkdtempSync(join(tmpdir(), 'thimble-host-'));
  readonly logs: LogLine[] = [];
  /** What it said of its figures, and of entries by target, in order. */
  readonly figures: HostFigures[] = [];
  readonly entries: EntriesRow[] = [];
  readonly output: string[] = [];
  /** What the host said last of version snapshots, and every version that fell back. */
  snapshots: HostFigures['snapshots'] = { restored: 0, bytes: 0, fallBacks: {}, fallen: [] };
  readonly #warmed = new Map<number, ((isolates: number) => void)[]>();
  process!: ChildProcess;
  /** Descriptor of the host's journal, as the supervisor holds it. */
  journalFd = -1;
  #gateway!: Server;
  #control!: Server;
  #connection: FrameConnection | null = null;
  readonly #exchanges = new Map<number, Exchange>();
  #group: HostGroup = 'default';
  #nextId = 1;
  #nextTarget = 1;
  #exited!: Promise<number | NodeJS.Signals | null>;

  /** Starts it and waits for its connection. Ends with the test; one that runs beside others gives its own `onTestFinished`. */
  static async start(options: HostOptions = {}, onFinished: OnFinished = onTestFinished): Promise<TestHost> {
    const host = new TestHost();
    await host.#start(options);
    onFinished(() => host.stop());
    return host;
  }

  /** One host for all tests of a file: for tests that can't harm it. */
  static shared(options: HostOptions = {}): () => TestHost {
    let host: TestHost | undefined;
    beforeAll(async () => {
      host = new TestHost();
      await host.#start(options);
    });
    afterAll(() => host?.stop());
    return () => host as TestHost;
  }

  async #start(options: HostOptions): Promise<void> {
    const group = options.group ?? 'default';
    this.#group = group;
    const sockets = { gateway: join(this.folder, 'g.sock'), control: join(this.folder, 'c.sock'), sidecar: options.sidecarPath ?? join(this.folder, 's.sock') };
    const connected = Promise.withResolvers<void>();
    this.#gateway = await listenPeers(sockets.gateway, { self: { role: 'gateway', name: 'gateway', epoch: 77 }, accepts: ['host'] }, {
      onOpen: (connection) => {
        this.#connection = connection;
        connected.resolve();
      },
      onFrame: (frame) => this.#onFrame(frame),
      onClose: () => {
        this.#connection = null;
        for (const [id, exchange] of this.#exchanges) {
          exchange.answer.code = 'host_gone';
          this.#finish(id, exchange);
        }
      },
    });
    this.#control = await listenPeers(sockets.control, { self: { role: 'control', name: 'control', epoch: 78 }, accepts: ['host'] }, {
      onOpen: () => {},
      onFrame: (frame) => {
        if (frame[0] === FRAME.figures) {
          const { snapshots } = frame[2] as HostFigures;
          this.snapshots = { ...snapshots, fallen: [...this.snapshots.fallen, ...snapshots.fallen] };
        }
        if (frame[0] === FRAME.logs) for (const [, level, fn, , invocation, message, fields] of frame[2]) this.logs.push({ level, fn, invocation, message, fields });
        else if (frame[0] === FRAME.figures) this.figures.push(frame[2] as HostFigures);
      },
      onClose: () => {},
    });
    const journal = join(this.folder, 'journal');
    writeFileSync(journal, Buffer.alloc(JOURNAL_BYTES));
    this.journalFd = openSync(journal, 'r+');
    const boot: HostBoot = {
      kind: 'host', name: hostName(group, 1), group, logLevel: 'warn', dataFolder: this.folder, sockets, tier: 'default', tierKey: Buffer.alloc(32).toString('base64'), index: 1, journalFd: 4, memoryBytes: options.memoryBytes ?? 4_294_967_296, snapshots: options.snapshots ?? true,
      platformFolder: options.platform === undefined ? await platformFolder() : options.platform,
    };
    this.process = spawn(process.execPath, ['--no-node-snapshot', '--disable-warning=ExperimentalWarning', ...(group === 'wasm' || group === 'penalty' ? WASM_FLAGS : []), join(ROOT, 'isolates/main.ts')], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc', this.journalFd],
    });
    this.#exited = new Promise((resolve) => this.process.on('exit', (code, signal) => resolve(signal ?? code)));
    this.process.stdout?.on('data', (d: Buffer) => this.output.push(d.toString()));
    this.process.stderr?.on('data', (d: Buffer) => this.output.push(d.toString()));
    this.process.send({ type: 'boot', boot });
    await Promise.race([connected.promise, this.#exited.then((how) => Promise.reject(new Error(`the host ended (${how})\n${this.output.join('')}`)))]);
  }

  get exited(): Promise<number | NodeJS.Signals | null> {
    return this.#exited;
  }

  get alive(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  async stop(): Promise<void> {
    if (this.alive) this.process.kill('SIGKILL');
    await this.#exited;
    this.#connection?.destroy();
    this.#gateway.close();
    this.#control.close();
    closeSync(this.journalFd);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Builds source as the control plane does, writes the version's files, names the target. */
  async deploy(source: string, settings: BundleSettings = {}): Promise<number> {
    const { outputFiles } = await build({
      stdin: { contents: source, loader: 'ts', sourcefile: 'src/function.ts' }, bundle: true, write: false, format: 'cjs', platform: 'neutral', target: 'es2023',
      banner: { js: BUNDLE_PREFIX }, footer: { js: BUNDLE_SUFFIX }, logLevel: 'silent', sourcemap: 'external', sourcesContent: false, outfile: 'bundle.js',
    });
    const output = (ending: string): string => outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? '';
    return this.deployBundle(output('.js'), settings, output('.map'));
  }

  /** The files of an upload, through the control plane's own builder. */
  async deployFiles(files: Readonly<Record<string, string>>, settings: BundleSettings = {}): Promise<number> {
    const { bundle, map } = await builder.build(files, 'index.ts');
    return this.deployBundle(bundle, settings, map);
  }

  /** A version whose bundle is just this script. */
  deployBundle(code: string, settings: BundleSettings = {}, ownMap = '{"version":3,"sources":[],"names":[],"mappings":""}'): number {
    const { env = {}, map, ...rest } = settings;
    const digest = `sha256-${sha256Hex(code + JSON.stringify(env) + (map ?? ''))}`;
    const folder = versionFolder(this.folder, 'default', digest);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'bundle.js'), code);
    writeFileSync(join(folder, 'bundle.js.map'), map ?? ownMap);
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ format: 1, digest, bundleSha256: sha256Hex(code), env, bindings: {}, builtAt: '' }));
    return this.target({
      function: `f${this.#nextTarget}`, version: 1, digest, tenant: 'default', tier: 'default', debug: false, shape: 'auto', cpuMs: 50, memoryMb: 64, subrequests: 50, wasm: this.#group === 'wasm', secrets: '', shadow: false, ...rest,
    });
  }

  target(target: Target): number {
    const number = this.#nextTarget++;
    this.#send([FRAME.target, number, target]);
    return number;
  }

  forget(target: number): void {
    this.#send([FRAME.forget, target]);
  }

  /** Asks for isolates to be kept alive. @returns the host's answer; at once for 0, which has none */
  async warm(target: number, isolates: number): Promise<number> {
    const answer = isolates === 0 ? Promise.resolve(0) : new Promise<number>((resolve) => this.#warmed.set(target, [...(this.#warmed.get(target) ?? []), resolve]));
    this.#send([FRAME.warm, target, isolates]);
    return await answer;
  }

  /** Cuts the connection to the gateway; the host connects again. */
  async reconnect(): Promise<void> {
    const before = this.#connection;
    before?.destroy();
    while (this.#connection === null || this.#connection === before) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** Figures that were made from now on. */
  async nextFigures(): Promise<HostFigures['node']> {
    // The next push may be on its way already; the one behind it is not.
    const enough = this.figures.length + 2;
    while (this.figures.length < enough) await new Promise((resolve) => setTimeout(resolve, 10));
    const last = this.figures.at(-1);
    if (last === undefined) throw new Error('no figures');
    return last.node;
  }

  get residentBytes(): number {
    return Number(readFileSync(`/proc/${this.process.pid}/statm`, 'utf8').split(' ')[1]) * 4_096;
  }

  invoke(target: number, options: InvokeOptions = {}): Running {
    const id = this.#nextId++;
    const { promise, resolve } = Promise.withResolvers<Answer>();
    const head = Promise.withResolvers<void>();
    const answer: Answer = { status: 0, code: null, params: null, detail: null, headers: {}, fields: [], body: Buffer.alloc(0), received: 0, cpuUs: 0, cold: null, ended: false, final: false, ms: 0 };
    const exchange: Exchange = { answer, started: performance.now(), reads: options.reads ?? true, done: resolve, credit: 256 * 1024, onCredit: null, onHead: head.resolve, chunks: [], cancelled: false };
    this.#exchanges.set(id, exchange);
    const fields = [options.method ?? (options.body !== undefined || options.stream !== undefined ? 'POST' : 'GET'), `http://f.localhost${options.path ?? '/'}`];
    for (const [name, value] of Object.entries({ 'x-request-id': `r${id}`, ...options.headers })) fields.push(name, value);
    const mode: BodyMode = options.stream !== undefined ? BODY.stream : options.body !== undefined ? BODY.inline : BODY.none;
    this.#send([FRAME.invoke, id, target, fields.join('\n'), mode, mode === BODY.inline ? (options.body as string) : null, options.wallMs ?? 10_000]);
    if (options.stream !== undefined) void this.#upload(id, exchange, options.stream);
    return {
      id, answer, done: promise, head: head.promise,
      cancel: (code = 'client_gone') => {
        exchange.cancelled = true;
        this.#send([FRAME.cancel, id, code]);
      },
    };
  }

  async call(target: number, options: InvokeOptions = {}): Promise<Answer> {
    return await this.invoke(target, options).done;
  }

  async text(target: number, options: InvokeOptions = {}): Promise<string> {
    const answer = await this.call(target, options);
    return answer.code === null ? answer.body.toString() : `code ${answer.code}`;
  }

  async #upload(id: number, exchange: Exchange, chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    for await (const chunk of chunks) {
      while (exchange.credit <= 0 && !exchange.answer.final) await new Promise<void>((resolve) => (exchange.onCredit = resolve));
      if (exchange.answer.final || exchange.cancelled) return;
      exchange.credit -= chunk.length;
      this.#send([FRAME.data, id, chunk]);
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#send([FRAME.end, id]);
  }

  #send(frame: Frame): void {
    this.#connection?.send(frame);
  }

  #onFrame(frame: Frame): void {
    if (frame[0] === FRAME.entries) this.entries.push(...frame[2]);
    const id = frame[1] as number;
    if (frame[0] === FRAME.warm) {
      this.#warmed.get(id)?.shift()?.(frame[2]);
      return;
    }
    const exchange = this.#exchanges.get(id);
    if (exchange === undefined) return;
    const { answer } = exchange;
    switch (frame[0]) {
      case FRAME.respond: {
        const [, , status, head, mode, body, final, cpuUs, cold] = frame;
        answer.status = status;
        const fields = head === '' ? [] : head.split('\n');
        answer.fields = fields;
        for (let i = 0; i + 1 < fields.length; i += 2) answer.headers[fields[i] as string] = fields[i + 1] as string;
        answer.cpuUs = cpuUs;
        answer.cold = cold;
        if (mode !== BODY.stream) {
          answer.body = body === null ? Buffer.alloc(0) : Buffer.from(body as string);
          answer.ended = true;
        }
        exchange.onHead?.();
        if (final) this.#finish(id, exchange);
        return;
      }
      case FRAME.data:
        exchange.chunks.push(frame[2]);
        answer.received += frame[2].length;
        if (exchange.reads) this.#send([FRAME.credit, id, frame[2].length]);
        return;
      case FRAME.end:
        answer.ended = true;
        return;
      case FRAME.done:
        answer.cpuUs = frame[2];
        this.#finish(id, exchange);
        return;
      case FRAME.fail:
        answer.code = frame[2];
        answer.params = frame[3];
        answer.cpuUs = frame[4];
        answer.detail = frame[6];
        this.#finish(id, exchange);
        return;
      case FRAME.credit:
        exchange.credit += frame[2];
        exchange.onCredit?.();
        return;
      default:
    }
  }

  #finish(id: number, exchange: Exchange): void {
    exchange.answer.final = true;
    if (exchange.chunks.length > 0) exchange.answer.body = Buffer.concat(exchange.chunks);
    exchange.answer.ms = performance.now() - exchange.started;
    this.#exchanges.delete(id);
    exchange.onCredit?.();
    exchange.onHead?.();
    exchange.done(exchange.answer);
  }
}
