// A control plane in this process on a port of its own, with a client for its REST API.
import { request } from 'node:http';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { startControlPlane } from '../../control/index.ts';
import type { ControlPlane } from '../../control/index.ts';
import type { ControlBoot, ProcessState, SnapshotPrograms } from '../../core/config/index.ts';
import { deriveTierKey } from '../../core/crypto/index.ts';
import { ISOLATE_FLAGS } from '../../supervisor/node-plan.ts';
import { createLogger } from '../../core/log/index.ts';
import { useTempFolder } from './control-temp.ts';

export const TOKEN = 'test-token-0123456789';
export const TIER_KEY = deriveTierKey('test-node-key', 'default');
/** Of the second tier. */
export const LAB_KEY = deriveTierKey('test-node-key', 'lab');

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The parsed body; {} when it is no JSON. */
  readonly body: Readonly<Record<string, unknown>> & { readonly code?: string; readonly next?: string | null; readonly items?: readonly Record<string, unknown>[]; readonly errors?: readonly Record<string, unknown>[] };
}

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Sent as it is, in place of a JSON body. */
  readonly raw?: string | Buffer;
  readonly token?: string | null;
}

export interface ControlUnderTest {
  readonly plane: ControlPlane;
  readonly data: string;
  readonly socket: string;
  /** Every line it logged. */
  readonly log: () => string;
  readonly call: (method: string, path: string, body?: unknown, options?: CallOptions) => Promise<Reply>;
  /** Creates the function if need be and makes a version of one file. */
  readonly deploy: (name: string, source: string, query?: string) => Promise<Reply>;
  /** Stops it and starts another on the same data. */
  readonly restart: () => Promise<ControlUnderTest>;
  readonly stop: () => Promise<void>;
}

/** As the supervisor says it. */
export function snapshotPrograms(enabled = true): SnapshotPrograms {
  const program = (name: string): string => join(import.meta.dirname, '..', '..', 'isolates', 'snapshots', `${name}.ts`);
  return { enabled, build: program('build'), verify: program('verify'), nodeFlags: ISOLATE_FLAGS, environment: { PATH: process.env['PATH'] ?? '' } };
}

export function bootMessage(data: string, port = 0): ControlBoot {
  return {
    kind: 'control',
    name: 'control',
    logLevel: 'info',
    dataFolder: data,
    sockets: { gateway: join(data, 'gateway.sock'), control: join(data, 'control.sock'), sidecar: join(data, 'sidecar.sock') },
    host: '127.0.0.1',
    port,
    token: TOKEN,
    tierKeys: { default: TIER_KEY.toString('base64'), lab: LAB_KEY.toString('base64') },
    gatewayPort: 1,
    snapshots: snapshotPrograms(),
  };
}

export async function useControl(data = useTempFolder()): Promise<ControlUnderTest> {
  let lines = '';
  const logger = createLogger({ name: 'control', level: 'info', destination: { write: (line: string) => void (lines += line) } });
  const boot = bootMessage(data);
  const plane = await startControlPlane(boot, logger);
  let stopped = false;
  const stop = async (): Promise<void> => {
    if (stopped) return;
    stopped = true;
    await plane.drain(500);
  };
  onTestFinished(stop);
  const call: ControlUnderTest['call'] = (method, path, body, options) => callRest(plane.port, method, path, body, options);
  return {
    plane,
    data,
    socket: boot.sockets.control,
    log: () => lines,
    call,
    deploy: async (name, source, query = '') => {
      await call('PUT', `/v1/functions/${name}`);
      return call('POST', `/v1/functions/${name}/versions${query}`, { files: { 'index.ts': source }, main: 'index.ts' });
    },
    restart: async () => {
      await stop();
      return useControl(data);
    },
    stop,
  };
}

/** One request on a connection of its own. */
export function callRest(port: number, method: string, path: string, body?: unknown, options: CallOptions = {}): Promise<Reply> {
  const payload = options.raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const headers: Record<string, string> = {};
  if (options.token !== null) headers['authorization'] = `Bearer ${options.token ?? TOKEN}`;
  if (payload !== undefined) {
    headers['content-type'] = 'application/json';
    headers['content-length'] = String(Buffer.byteLength(payload));
  }
  for (const [name, value] of Object.entries(options.headers ?? {})) {
    if (value === undefined) delete headers[name];
    else headers[name] = value;
  }
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        let parsed: Reply['body'] = {};
        try {
          parsed = JSON.parse(text) as Reply['body'];
        } catch {
          // Metrics and streams are text.
        }
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text, body: parsed });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(payload);
  });
}

/** A process of the node, as the supervisor reports it. */
export function processState(name: string, kind: ProcessState['kind'], state: ProcessState['state'] = 'ready'): ProcessState {
  return { name, kind, pid: 1, state, restarts: 0, onDemand: false, residentBytes: 1_000 };
}

export const HELLO = "export default { fetch() { return new Response('hello'); } };";
