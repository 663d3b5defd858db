// A whole node in a temporary folder on free ports, for tests from outside: boot, deploy, call, kill, stop.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { OnFinished } from './on-finished.ts';
import { runsPlatformFolder } from './platform-folder.ts';

const ROOT = join(import.meta.dirname, '..', '..');

export interface NodeOptions {
  /** More settings; a given THIMBLE_DATA, THIMBLE_PORT or THIMBLE_CONTROL_PORT is used as it is. */
  readonly env?: Readonly<Record<string, string>>;
  /** Deploy the examples. Default false: a quicker start. */
  readonly examples?: boolean;
  /** Host processes. Default 1. */
  readonly hosts?: number;
  /** What to run instead of the checkout's main.ts, such as an installed package's command. */
  readonly command?: { readonly file: string; readonly args: readonly string[]; readonly cwd: string };
  /** Default 60 s: a loaded machine starts slowly. */
  readonly readyMs?: number;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Answer of one request. A transport failure is status 0 with `error`. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** `code` of a problem+json body. */
  readonly code: string | undefined;
  readonly error: string | undefined;
  readonly ms: number;
}

export interface CallOptions {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array;
  readonly timeoutMs?: number;
}

export interface ApiAnswer {
  readonly status: number;
  readonly code: string | undefined;
  /** Parsed JSON; the caller knows its shape. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface NodeProcess {
  readonly name: string;
  readonly pid: number;
}

/** One request on `agent`; never rejects. */
export async function ask(port: number, options: CallOptions & { readonly agent?: Agent }): Promise<Answer> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const fail = (error: string): void => resolve({ status: 0, headers: {}, text: '', code: undefined, error, ms: performance.now() - startedAt });
    const request = httpRequest({ host: '127.0.0.1', port, agent: options.agent ?? false, method: options.method ?? 'GET', path: options.path ?? '/', headers: options.headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const isProblem = response.headers['content-type']?.startsWith('application/problem+json') === true;
        const code = isProblem ? (JSON.parse(text) as { code?: string }).code : undefined;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, code, error: undefined, ms: performance.now() - startedAt });
      });
    });
    // The whole request, not only silence: what hangs must show as TIMEOUT.
    const timer = setTimeout(() => {
      fail('TIMEOUT');
      request.destroy();
    }, options.timeoutMs ?? 10_000);
    request.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
    request.on('close', () => clearTimeout(timer));
    request.end(options.body);
  });
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => new Promise<ReturnType<typeof createServer>>((resolve) => {
      const server = createServer().listen({ host: '127.0.0.1', port: 0 }, () => resolve(server));
    })),
  );
  return Promise.all(servers.map(async (server) => {
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    if (address === null || typeof address === 'string') throw new TypeError('no port');
    return address.port;
  }));
}

export class TestNode {
  readonly port: number;
  readonly controlPort: number;
  readonly dataFolder: string;
  readonly token: string;
  readonly exited: Promise<Exit>;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #child: ReturnType<typeof spawn>;
  readonly #mark: string;
  readonly #ownsData: boolean;
  #output = '';

  constructor(options: NodeOptions, ports: readonly [number, number]) {
    this.#ownsData = options.env?.['THIMBLE_DATA'] === undefined;
    this.dataFolder = options.env?.['THIMBLE_DATA'] ?? mkdtempSync(join(tmpdir(), 'thimble-node-'));
    // As if it had been started here before. Nodes with a data folder of the test's own, and those of other builds, make theirs.
    const platform = this.#ownsData && options.command === undefined ? runsPlatformFolder() : undefined;
    if (platform !== undefined) cpSync(platform, join(this.dataFolder, 'platform', basename(platform)), { recursive: true });
    this.port = Number(options.env?.['THIMBLE_PORT'] ?? ports[0]);
    this.controlPort = Number(options.env?.['THIMBLE_CONTROL_PORT'] ?? ports[1]);
    this.token = options.env?.['THIMBLE_TOKEN'] ?? randomBytes(16).toString('hex');
    this.#mark = `THIMBLE_OUTSIDE_TEST=${randomBytes(8).toString('hex')}`;
    const [markName = '', markValue = ''] = this.#mark.split('=');
    const command = options.command ?? { file: process.execPath, args: ['--disable-warning=ExperimentalWarning', 'main.ts'], cwd: ROOT };
    this.#child = spawn(command.file, command.args, {
      cwd: command.cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'], THIMBLE_HOSTS: String(options.hosts ?? 1), THIMBLE_EXAMPLES: options.examples === true ? '1' : '0', THIMBLE_TOKEN: this.token,
        ...options.env,
        THIMBLE_DATA: this.dataFolder, THIMBLE_PORT: String(this.port), THIMBLE_CONTROL_PORT: String(this.controlPort), [markName]: markValue,
      },
    });
    const take = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString('utf8')).slice(-1_048_576);
    };
    this.#child.stdout?.on('data', take);
    this.#child.stderr?.on('data', take);
    this.exited = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    process.once('exit', this.#killAll);
  }

  /** Pid of the process that was started: the supervisor, unless a command wraps it. */
  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the node was not spawned');
    return this.#child.pid;
  }

  /** Standard output and error, the last megabyte. */
  get output(): string {
    return this.#output;
  }

  /** Resolves at the ready line; throws with the output when the node ends or stays silent. */
  async ready(withinMs = 60_000): Promise<this> {
    let ended: Exit | undefined;
    void this.exited.then((exit) => {
      ended = exit;
    });
    for (const giveUpAt = performance.now() + withinMs; !this.#output.includes('thimble ready'); await sleep(20)) {
      if (ended === undefined && performance.now() < giveUpAt) continue;
      const output = this.#output.slice(-4_000);
      await this.stop();
      throw new Error(`the node did not get ready (${JSON.stringify(ended ?? 'too late')}):\n${output}`);
    }
    return this;
  }

  /** Living processes of this node: found by a mark in their environment, so orphans too. Names are the process titles. */
  processes(): readonly NodeProcess[] {
    return readdirSync('/proc').flatMap((entry) => {
      const pid = Number(entry);
      if (!Number.isInteger(pid)) return [];
      try {
        if (!readFileSync(`/proc/${pid}/environ`, 'latin1').includes(this.#mark)) return [];
        if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'))) return [];
        // A title overwrites the arguments; what follows its end is padding.
        const title = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        return [{ name: /^thimble (\S+)/.exec(title)?.[1] ?? title, pid }];
      } catch {
        return [];
      }
    });
  }

  /** @throws Error  no such process now */
  pidOf(name: string): number {
    const found = this.processes().find((one) => one.name === name);
    if (found === undefined) throw new Error(`no process ${name} among ${this.processes().map((one) => one.name).join(', ')}`);
    return found.pid;
  }

  kill(name: string, signal: NodeJS.Signals = 'SIGKILL'): number {
    const pid = this.pidOf(name);
    process.kill(pid, signal);
    return pid;
  }

  async api(method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<ApiAnswer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const answer = await ask(this.controlPort, {
      timeoutMs: 30_000, ...options, method, path,
      headers: { authorization: `Bearer ${this.token}`, ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }), ...options.headers },
      ...(text === undefined ? {} : { body: text }),
    });
    if (answer.error !== undefined) return { status: 0, code: answer.error, body: {} };
    return { status: answer.status, code: answer.code, body: answer.text === '' ? {} : (JSON.parse(answer.text) as Record<string, unknown>) };
  }

  /**
   * Creates or changes the function and makes a version of it live. `source`: text of index.js, or files by path with the main one first.
   *
   * @returns number of the version
   */
  async deploy(name: string, source: string | Readonly<Record<string, string>>, settings: Readonly<Record<string, unknown>> = {}): Promise<number> {
    const files = typeof source === 'string' ? { 'index.js': source } : source;
    const put = await this.api('PUT', `/v1/functions/${name}`, settings);
    if (put.status < 200 || put.status > 299) throw new Error(`PUT ${name}: ${put.status} ${JSON.stringify(put)}`);
    const post = await this.api('POST', `/v1/functions/${name}/versions?activate=true`, { files, main: Object.keys(files)[0] });
    if (post.status !== 201) throw new Error(`version of ${name}: ${post.status} ${JSON.stringify(post)}`);
    return Number(post.body['version']);
  }

  /** Calls a function through the gateway, over kept-alive connections. */
  async call(name: string, path = '/', options: CallOptions = {}): Promise<Answer> {
    return ask(this.port, { ...options, path, agent: this.#agent, headers: { 'x-thimble-function': name, ...options.headers } });
  }

  /** Waits until /readyz of the control API answers 200. */
  async healthy(withinMs = 10_000): Promise<void> {
    for (const giveUpAt = performance.now() + withinMs; ; await sleep(20)) {
      const answer = await ask(this.controlPort, { path: '/readyz', timeoutMs: 1_000 });
      if (answer.status === 200) return;
      if (performance.now() > giveUpAt) throw new Error(`not healthy within ${withinMs} ms: ${answer.status} ${answer.text}\n${this.#output.slice(-3_000)}`);
    }
  }

  /** SIGTERM, then SIGKILL to what is left after 12 s; removes the data. Safe to call twice. */
  async stop(): Promise<Exit> {
    this.#agent.destroy();
    this.#child.kill('SIGTERM');
    const exit = await Promise.race([this.exited, sleep(12_000, undefined, { ref: false })]);
    this.#killAll();
    process.off('exit', this.#killAll);
    if (this.#ownsData) rmSync(this.dataFolder, { recursive: true, force: true, maxRetries: 5 });
    return exit ?? (await this.exited);
  }

  readonly #killAll = (): void => {
    for (const { pid } of this.processes()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended just now.
      }
    }
  };
}

/** Starts a node without waiting for it, for starts that must fail. The caller stops it. */
export async function spawnNode(options: NodeOptions = {}): Promise<TestNode> {
  const [port = 0, controlPort = 0] = await freePorts(2);
  return new TestNode(options, [port, controlPort]);
}

/** Starts a node and waits until it is ready. The caller stops it: `afterAll(() => node.stop())`. */
export async function bootNode(options: NodeOptions = {}): Promise<TestNode> {
  return (await spawnNode(options)).ready(options.readyMs);
}

/** A ready node for the running test, stopped after it. A test that runs beside others gives its own `onTestFinished`. */
export async function useNode(options: NodeOptions = {}, onFinished: OnFinished = onTestFinished): Promise<TestNode> {
  const node = await bootNode(options);
  onFinished(async () => void (await node.stop()));
  return node;
}

/** A load of GETs: `connections` clients, each pausing for 5 ms between requests, until `stop`, which returns every answer. The machine is never saturated by it. */
export function startLoad(node: TestNode, name: string, options: CallOptions & { readonly connections?: number } = {}): { readonly answers: readonly Answer[]; stop(): Promise<readonly Answer[]> } {
  const answers: Answer[] = [];
  const agent = new Agent({ keepAlive: true });
  let running = true;
  const client = async (): Promise<void> => {
    while (running) {
      const answer = await ask(node.port, { ...options, agent, headers: { 'x-thimble-function': name, ...options.headers } });
      answers.push(answer);
      await sleep(5);
    }
  };
  const clients = Promise.all(Array.from({ length: options.connections ?? 8 }, client));
  return {
    answers,
    stop: async () => {
      running = false;
      await clients;
      agent.destroy();
      return answers;
    },
  };
}
