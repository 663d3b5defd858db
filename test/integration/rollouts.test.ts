// Rollouts on a real node under load: a bad version is taken off by what its users saw, a good one goes to the end.
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootNode } from '../support/node.ts';
import type { TestNode } from '../support/node.ts';

const FULL = process.env['THIMBLE_TEST_FULL'] === '1';

/** Waits as if for an upstream; `failEvery`: one request in so many answers 500. */
const source = (waitMs: number, failEvery = 0): string => `let n = ${failEvery} / 2; export default { async fetch() {
  await new Promise((resolve) => setTimeout(resolve, ${waitMs} * (0.7 + 0.6 * Math.random())));
  return ${failEvery} > 0 && ++n % ${failEvery} === 0 ? new Response('broken', { status: 500 }) : Response.json({ ok: true });
} };`;

interface Load {
  sent: number;
  failed: number;
  stop(): void;
}

/** So many requests a second at fixed times, whether or not answers have come (an open loop). */
function load(node: TestNode, name: string, perSec: number): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: 100 });
  const startedAt = performance.now();
  const made: Load = { sent: 0, failed: 0, stop: () => {} };
  const timer = setInterval(() => {
    for (; made.sent < ((performance.now() - startedAt) / 1_000) * perSec; made.sent++) {
      const one = request({ host: '127.0.0.1', port: node.port, agent, headers: { 'x-thimble-function': name } }, (response) => {
        if ((response.statusCode ?? 0) >= 500) made.failed += 1;
        response.resume();
      });
      one.on('error', () => {
        if (running) made.failed += 1;
      });
      one.end();
    }
  }, 10);
  let running = true;
  made.stop = () => {
    running = false;
    clearInterval(timer);
    agent.destroy();
  };
  return made;
}

interface Seen {
  readonly state: string;
  readonly reason: { readonly code: string } | null;
  readonly createdAt: string;
  readonly endedAt: string;
  readonly decisions: readonly { readonly action: string; readonly weight: number }[];
  readonly seen: { readonly samples: { readonly canary: number; readonly live: number }; readonly gates: readonly { readonly gate: string; readonly verdict: string }[] };
}

let node: TestNode;

beforeAll(async () => {
  node = await bootNode({ hosts: 1 });
}, 90_000);
afterAll(async () => {
  await node.stop();
});

/** Version 1 is live; version 2 rolled out under load until it is over. */
async function rollOut(name: string, canary: string, post: unknown, perSec: number): Promise<{ rollout: Seen; tookMs: number; sent: number; failed: number; live: unknown }> {
  await node.deploy(name, source(10));
  await node.api('POST', `/v1/functions/${name}/versions`, { files: { 'index.js': canary }, main: 'index.js' });
  const requests = load(node, name, perSec);
  try {
    // The gates learn from live what is usual before there is anything to compare.
    await sleep(3_000);
    const before = { sent: requests.sent, failed: requests.failed };
    const started = await node.api('POST', `/v1/functions/${name}/rollouts`, post);
    expect(started).toMatchObject({ status: 201, body: { state: 'running' } });
    const read = async (): Promise<Seen> => (await node.api('GET', `/v1/functions/${name}/rollouts/1`)).body as unknown as Seen;
    let rollout = await read();
    for (const giveUpAt = performance.now() + 60_000; rollout.state === 'running' && performance.now() < giveUpAt; rollout = await read()) await sleep(200);
    const { traffic } = (await node.api('GET', `/v1/functions/${name}`)).body as { readonly traffic?: { readonly split: unknown } };
    return { rollout, tookMs: Date.parse(rollout.endedAt) - Date.parse(rollout.createdAt), sent: requests.sent - before.sent, failed: requests.failed - before.failed, live: traffic?.split };
  } finally {
    requests.stop();
  }
}

const TEN = { version: 2, steps: [{ weight: 10, hold: '60s' }] };
const ONE_LIVE = [{ version: 1, weight: 100 }];
const PER_SEC = 200;
/** In the short form a machine that others share may stand still for a while. */
const WITHIN_MS = FULL ? 15_000 : 30_000;

describe('under 200 requests a second', { timeout: 120_000 }, () => {
  it('a version that fails one request in twenty is taken off', async () => {
    const { rollout, tookMs, sent, failed, live } = await rollOut('fails', source(10, 20), TEN, PER_SEC);
    console.log(`failing: ${rollout.reason?.code} after ${tookMs} ms, ${failed} of ${sent} failed, ${JSON.stringify(rollout.seen.samples)}`);
    expect([rollout.state, rollout.reason?.code, live]).toEqual(['rolled_back', 'error_rate', ONE_LIVE]);
    expect(tookMs).toBeLessThan(WITHIN_MS);
    expect(failed / sent).toBeLessThan(0.01);
  });

  it('a good one goes to the end', async () => {
    const steps = FULL ? [{ weight: 10, hold: '15s' }, { weight: 50, hold: '10s' }] : [{ weight: 25, hold: '3s' }, { weight: 50, hold: '3s' }];
    const { rollout, tookMs, sent, failed, live } = await rollOut('good', source(10), { version: 2, steps, minSamples: FULL ? 300 : 50, settle: '1s' }, PER_SEC);
    console.log(`good: ${rollout.state} after ${tookMs} ms, ${JSON.stringify(rollout.seen)}`);
    expect([rollout.state, rollout.reason, live]).toEqual(['finished', null, [{ version: 2, weight: 100 }]]);
    expect(failed / sent).toBeLessThan(0.01);
    expect(rollout.decisions.map(({ action, weight }) => [action, weight])).toEqual([['start', steps[0]?.weight], ['promote', 50], ['finish', 100]]);
  });

  it.runIf(FULL)('a version that takes twice as long is taken off', async () => {
    const { rollout, tookMs, failed, live } = await rollOut('slow', source(20), TEN, PER_SEC);
    expect([rollout.state, rollout.reason?.code, live, failed]).toEqual(['rolled_back', expect.stringMatching(/^latency_/), ONE_LIVE, 0]);
    expect(tookMs).toBeLessThan(WITHIN_MS);
  });
});
