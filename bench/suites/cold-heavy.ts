// Cold start of a module that takes long to evaluate: from its version snapshot, evaluated, and in a process of its own on the peers. All take turns.
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { HEAVY_BODY, heavyModule, rounds } from '../lib/heavy-module.ts';
import { call } from '../lib/http.ts';
import { coldProcessMs, installedPeers } from '../lib/process-peers.ts';
import type { Results } from '../lib/results.ts';
import { roundOrder } from '../lib/servers.ts';
import { spread } from '../lib/stats.ts';
import { formatTable } from '../lib/table.ts';
import { startThimble } from '../lib/thimble-node.ts';
import type { ThimbleNode } from '../lib/thimble-node.ts';
import { coldPhasesMs } from './cold-start.ts';

const INIT_MS = 200;
/** Builds run at the lowest priority. */
const BUILT_WITHIN_MS = 600_000;
const WITH = 'version snapshot';
const WITHOUT = 'evaluated each time';

interface Candidate {
  readonly name: string;
  readonly ms: number[];
  /** The cold start of function number `i`, milliseconds. */
  coldMs(i: number): Promise<number>;
}

interface Node {
  readonly node: ThimbleNode;
  readonly agent: Agent;
}

/** Every function differs by one constant: none shares a file, a snapshot or an isolate with another. */
async function deployAll(node: ThimbleNode, n: number, functions: number): Promise<void> {
  for (let i = 0; i < functions; i++) {
    await node.api('PUT', `/v1/functions/heavy-${i}`, { tenant: `heavy-${i}`, limits: { memoryMb: 128 } });
    await node.api('POST', `/v1/functions/heavy-${i}/versions`, { files: { 'index.js': heavyModule(n, `heavy-${i}`) }, main: 'index.js' });
  }
}

async function untilBuilt(node: ThimbleNode, functions: number, state: 'ready' | 'none'): Promise<number> {
  let bytes = 0;
  for (let i = 0; i < functions; i++) {
    for (const endAt = performance.now() + BUILT_WITHIN_MS; ; await sleep(100)) {
      const { snapshot } = (await node.api('GET', `/v1/functions/heavy-${i}/versions/1`)) as { snapshot: { state: string; reason?: string; bytes?: number } };
      bytes += snapshot.bytes ?? 0;
      if (snapshot.state === state) break;
      if (snapshot.state !== 'pending' || performance.now() > endAt) throw new Error(`heavy-${i}: its snapshot is ${snapshot.state} ${snapshot.reason ?? ''}`);
    }
  }
  return bytes / functions;
}

async function thimbleCandidate(name: string, at: Node): Promise<Candidate> {
  const { node, agent } = at;
  for (let i = 0; i < 50; i++) await call({ port: node.port, path: '/.thimble/livez', agent });
  return {
    name,
    ms: [],
    async coldMs(i) {
      const answer = await call({ port: node.port, path: '/', headers: { host: `heavy-${i}.localhost:${node.port}` }, agent });
      if (answer.status !== 200 || answer.body !== HEAVY_BODY) throw new Error(`heavy-${i} answered ${answer.status} ${answer.body.slice(0, 500)}`);
      coldPhasesMs(String(answer.headers['x-thimble-reason'] ?? ''));
      return answer.ms;
    },
  };
}

/** @returns p50 at the client of starts from version snapshots, milliseconds */
export async function coldHeavy(results: Results, functions: number): Promise<number> {
  const n = rounds(INIT_MS);
  const nodes: Node[] = [];
  try {
    const candidates: Candidate[] = [];
    let blobBytes = 0;
    for (const [name, switched, state] of [[WITH, '1', 'ready'], [WITHOUT, '0', 'none']] as const) {
      const at = { node: await startThimble({ THIMBLE_EXAMPLES: '0', THIMBLE_SNAPSHOTS: switched }), agent: new Agent({ keepAlive: true, maxSockets: 1 }) };
      nodes.push(at);
      await deployAll(at.node, n, functions);
      blobBytes = Math.max(blobBytes, await untilBuilt(at.node, functions, state));
      candidates.push(await thimbleCandidate(`thimble, ${name}`, at));
    }
    for (const peer of installedPeers()) candidates.push({ name: `${peer.name}, a process each`, ms: [], coldMs: (i) => coldProcessMs(peer, heavyModule(n, `heavy-${i}`), HEAVY_BODY) });
    for (let i = 0; i < functions; i++) {
      for (const candidate of roundOrder(candidates, i)) {
        const ms = await candidate.coldMs(i);
        candidate.ms.push(ms);
        results.add('cold_heavy', { server: candidate.name, function: i, client_ms: ms });
        await sleep(20);
      }
    }
    const size = heavyModule(n, 'x').length;
    console.log(`\ncold start of a module of ${(size / 1e6).toFixed(2)} MB with ${INIT_MS} ms of initialisation, ${functions} fresh functions each, taking turns; a snapshot has ${(blobBytes / 1e6).toFixed(1)} MB`);
    console.log(formatTable(['server', 'p50 ms', 'p99 ms', 'max ms'], candidates.map(({ name, ms }) => [name, spread(ms).p50, spread(ms).p99, spread(ms).max])));
    for (const { name, ms } of candidates) results.figure(`cold_heavy_p50_ms_${name.replaceAll(/[^a-z]+/g, '_')}`, spread(ms).p50);
    return spread(candidates[0]?.ms ?? []).p50;
  } finally {
    for (const { node, agent } of nodes) {
      agent.destroy();
      await node.stop();
    }
  }
}
