// Peers that have no isolate of their own for a tenant's cold start: a process each, from its start to its first answer.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild } from './child.ts';
import { call } from './http.ts';
import { BENCH } from './paths.ts';

const WITHIN_MS = 30_000;
/** Between tries to connect: a fraction of what is measured. */
const POLL_MS = 1;

export interface ProcessPeer {
  readonly name: string;
  /** The file beside the module `main.js`, and the command line. */
  prepare(folder: string, port: number): { readonly command: string; readonly args: readonly string[] };
}

const binary = (name: string): string => join(BENCH, 'node_modules/.bin', name);

export const PROCESS_PEERS: readonly ProcessPeer[] = [
  {
    name: 'deno',
    prepare(folder, port) {
      writeFileSync(join(folder, 'server.js'), `import main from './main.js';\nDeno.serve({ port: ${port}, hostname: '127.0.0.1', onListen() {} }, (request) => main.fetch(request));\n`);
      return { command: binary('deno'), args: ['run', '--allow-net', '--no-check', '--quiet', join(folder, 'server.js')] };
    },
  },
  {
    name: 'bun',
    prepare(folder, port) {
      writeFileSync(join(folder, 'server.js'), `import main from './main.js';\nBun.serve({ port: ${port}, hostname: '127.0.0.1', fetch: (request) => main.fetch(request) });\n`);
      return { command: binary('bun'), args: ['run', join(folder, 'server.js')] };
    },
  },
  {
    name: 'workerd',
    prepare(folder, port) {
      writeFileSync(join(folder, 'config.capnp'), `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (modules = [(name = "main.js", esModule = embed "main.js")], compatibilityDate = "2025-11-01"))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
`);
      return { command: binary('workerd'), args: ['serve', join(folder, 'config.capnp')] };
    },
  },
];

/** Peers whose program is installed in bench/. */
export function installedPeers(): readonly ProcessPeer[] {
  return PROCESS_PEERS.filter(({ name }) => existsSync(binary(name)));
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** @returns milliseconds from the start of the process to its first answer. @throws Error  another answer, or none */
export async function coldProcessMs(peer: ProcessPeer, source: string, expectBody: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'thimble-cold-peer-'));
  try {
    writeFileSync(join(folder, 'main.js'), source);
    const port = await freePort();
    const { command, args } = peer.prepare(folder, port);
    const startedMs = performance.now();
    const child = startChild(command, args, { env: { PATH: process.env['PATH'], HOME: folder } });
    try {
      for (;;) {
        try {
          const { status, body } = await call({ port, path: '/' });
          if (status !== 200 || body !== expectBody) throw new TypeError(`${peer.name} answered ${status} ${body.slice(0, 200)}`);
          return performance.now() - startedMs;
        } catch (error) {
          if (error instanceof TypeError || performance.now() - startedMs > WITHIN_MS) throw new Error(`${peer.name} does not answer: ${child.output()}`, { cause: error });
        }
        await sleep(POLL_MS);
      }
    } finally {
      await child.stop(500);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
