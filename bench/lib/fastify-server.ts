// Fastify on plain Node, in a process of its own.
import { join } from 'node:path';
import { startChild, waitFor } from './child.ts';
import { BENCH } from './paths.ts';
import { treeCpuMs, treeResidentBytes } from './processes.ts';
import type { BenchServer } from './servers.ts';

export async function startFastify(env: ReadonlyMap<string, Readonly<Record<string, string>>>): Promise<BenchServer> {
  const child = startChild(process.execPath, [join(BENCH, 'peers/fastify.mjs')], {
    env: { ...process.env, NODE_ENV: 'production', ...env.get('card') },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let port = 0;
  child.process.once('message', (message) => ({ port } = message as { port: number }));
  await waitFor('fastify', child, 10_000, () => port > 0);
  return {
    name: 'fastify',
    origin: () => ({ server: 'fastify', port, host: undefined }),
    cpuMs: () => treeCpuMs(child.pid),
    residentBytes: () => treeResidentBytes(child.pid),
    stop: () => child.stop(),
  };
}
