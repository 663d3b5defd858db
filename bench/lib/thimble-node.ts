// A Thimble node from this checkout, with a data folder of its own on free ports.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild, waitFor } from './child.ts';
import { call } from './http.ts';
import { ROOT } from './paths.ts';
import { pidsRunning, processCpuMs, processTree, treeCpuMs, treeMemory, treeResidentBytes } from './processes.ts';
import type { ProcessMemory } from './processes.ts';

const READY_WITHIN_MS = 60_000;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface ThimbleNode {
  readonly pid: number;
  readonly port: number;
  readonly dataFolder: string;
  /** Milliseconds from spawn to the ready line. */
  readonly bootMs: number;
  /** The text of /metrics. */
  metrics(): Promise<string>;
  /** Calls the control API. @throws Error  the status is none of 2xx */
  api(method: string, path: string, body?: unknown): Promise<Readonly<Record<string, unknown>>>;
  /** CPU time of the node's processes so far, without the demo's upstreams. */
  cpuMs(): number;
  /** CPU time of the demo's upstreams so far. */
  upstreamsCpuMs(): number;
  residentBytes(): number;
  /** Of the host processes alone: where the isolates are. */
  hostsResidentBytes(): number;
  /** Every process of the node but the demo's upstreams: its name, resident bytes, and its proportional share of what is mapped. */
  memory(): readonly ProcessMemory[];
  stop(): Promise<void>;
}

/**
 * @param root  the checkout to run: this one, or that of another commit
 * @param prepare  fills the data folder before the node starts
 *
 * Runs what `npm start` runs, without npm's own process, which would count as the node's memory.
 */
export async function startThimble(settings: Readonly<Record<string, string>> = {}, root = ROOT, prepare: (dataFolder: string) => Promise<void> = async () => {}): Promise<ThimbleNode> {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: { start: string } };
  const dataFolder = mkdtempSync(join(tmpdir(), 'thimble-bench-'));
  const port = await freePort();
  const controlPort = await freePort();
  const token = randomBytes(24).toString('hex');
  const clean = (): void => rmSync(dataFolder, { recursive: true, force: true, maxRetries: 3 });
  process.once('exit', clean);
  await prepare(dataFolder);
  const startedMs = performance.now();
  const child = startChild('sh', ['-c', `exec ${scripts.start}`], {
    cwd: root,
    env: {
      ...process.env,
      PATH: `${join(root, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
      THIMBLE_HOST: '127.0.0.1',
      THIMBLE_PORT: String(port),
      THIMBLE_CONTROL_PORT: String(controlPort),
      THIMBLE_DATA: dataFolder,
      // First calls are to be cold ones.
      THIMBLE_PREWARM: '0',
      THIMBLE_TOKEN: token,
      ...settings,
    },
  });
  try {
    await waitFor('the Thimble node', child, READY_WITHIN_MS, () => child.output().includes('thimble ready'));
  } catch (thrown) {
    await child.stop();
    throw thrown;
  }
  const bootMs = performance.now() - startedMs;
  // The demo's upstreams stand for services elsewhere: all servers call them, and none pays for them.
  const upstreams = pidsRunning(child.pid, 'upstreams');
  return {
    pid: child.pid,
    port,
    dataFolder,
    bootMs,
    async api(method, path, body) {
      const answer = await call({
        port: controlPort,
        method,
        path,
        headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      if (answer.status < 200 || answer.status > 299) throw new Error(`${method} ${path} answered ${answer.status}: ${answer.body.slice(0, 1_000)}`);
      return JSON.parse(answer.body) as Readonly<Record<string, unknown>>;
    },
    metrics: async () => (await call({ port: controlPort, path: '/metrics', headers: { authorization: `Bearer ${token}` } })).body,
    cpuMs: () => treeCpuMs(child.pid, upstreams),
    upstreamsCpuMs: () => [...upstreams].reduce((sum, pid) => sum + processCpuMs(pid), 0),
    residentBytes: () => treeResidentBytes(child.pid),
    hostsResidentBytes: () => {
      const hosts = pidsRunning(child.pid, 'thimble host-');
      return processTree(child.pid).reduce((sum, use) => (hosts.has(use.pid) ? sum + use.residentBytes : sum), 0);
    },
    memory: () => treeMemory(child.pid, upstreams),
    async stop() {
      await child.stop();
      clean();
      process.off('exit', clean);
    },
  };
}
