// A great many invocations while hosts and the sidecar are killed: every request has an answer, and no effect takes place twice.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isErrorCode } from '../../core/errors/index.ts';
import { bootNode } from '../support/node.ts';
import type { TestNode } from '../support/node.ts';
import { Effects } from './effects.ts';
import { RawClient } from './raw-client.ts';
import { randomOf, seed } from '../support/seed.ts';

const FULL = process.env['THIMBLE_TEST_FULL'] === '1';
const REQUESTS = FULL ? 1_000_000 : 10_000;
const FUNCTIONS = FULL ? 200 : 50;
const CONNECTIONS = 24;
/** Of all requests; the others are GETs. */
const POSTS = 0.3;
/** Well above every limit within the node: what takes longer hangs. */
const HANG_MS = 30_000;
/** Spread over the requests, at random within each part. In the full form a host lives longer than a second each time, so that the supervisor takes it for a good one. */
const KILLS = FULL ? 150 : 8;
/** One kill in so many is the sidecar's. */
const SIDECAR_EVERY = 6;

/** GET: an answer that depends on the request. POST: one effect outside, whose token is the body. */
const SOURCE = `export default { async fetch(request, env) {
  if (request.method === 'GET') return new Response('got' + new URL(request.url).search);
  const token = await request.text();
  try { await (await fetch(env.EFFECTS + token, { method: 'POST' })).text(); } catch (error) { return new Response('tried ' + token + ' ' + error.code); }
  return new Response('done ' + token);
} };`;

/** What may become of a request whose host died, or that found none. */
const NAMED: ReadonlySet<string> = new Set(['host_lost', 'unavailable', 'overloaded', 'quarantined', 'isolate_lost']);

interface Tally {
  readonly outcomes: Map<string, number>;
  readonly wrong: string[];
  /** POSTs by what their client heard: the effect must have taken place once, or may have. */
  readonly done: number[];
  readonly perhaps: number[];
}

describe(`${REQUESTS} invocations of ${FUNCTIONS} functions, seed ${seed}`, () => {
  const effects = new Effects(REQUESTS);
  let node: TestNode;
  beforeAll(async () => {
    const port = await effects.listen();
    node = await bootNode({ hosts: 2, env: { THIMBLE_EGRESS_ALLOW: `127.0.0.1:${port}`, THIMBLE_LOG_LEVEL: 'error' } });
    for (let at = 0; at < FUNCTIONS; at += 10) {
      await Promise.all(Array.from({ length: Math.min(10, FUNCTIONS - at) }, async (_, i) => node.deploy(`f-${at + i}`, SOURCE, { env: { EFFECTS: `http://127.0.0.1:${port}/` }, limits: { concurrency: 1_000 } })));
    }
  }, 120_000);
  afterAll(async () => {
    await node.stop();
    await effects.close();
  });

  it('are all accounted for while hosts are killed, and none is executed twice', async () => {
    const next = randomOf(seed);
    const tally: Tally = { outcomes: new Map(), wrong: [], done: [], perhaps: [] };
    const gateway = node.pidOf('gateway');
    const replaysBefore = await replays(node);
    let started = 0;
    let running = true;
    const client = async (): Promise<void> => {
      const connection = new RawClient(node.port, HANG_MS);
      while (started < REQUESTS && tally.wrong.length < 20) {
        const token = started++;
        await one(connection, token, `f-${Math.floor(next() * FUNCTIONS)}`, next() < POSTS, tally);
      }
      connection.close();
    };
    const load = Promise.all(Array.from({ length: CONNECTIONS }, client));
    const killer = killNowAndThen(node, next, () => (running ? started : REQUESTS));
    await load;
    running = false;
    const kills = await killer;

    expect(tally.wrong).toEqual([]);
    const answered = Array.from(tally.outcomes.values()).reduce((sum, n) => sum + n, 0);
    expect(answered).toBe(REQUESTS);
    // Answered as done: exactly once. Everything else: at most once.
    const counted = (tokens: readonly number[], isWrong: (count: number) => boolean): string[] => tokens.filter((token) => isWrong(effects.of(token))).map((token) => `token ${token}: ${effects.of(token)} effects`);
    expect(counted(tally.done, (count) => count !== 1)).toEqual([]);
    expect(counted(tally.perhaps, (count) => count > 1)).toEqual([]);
    // Deaths did cost something, and little: else nothing was tested, or nearly everything was refused.
    expect(kills.hosts).toBeGreaterThanOrEqual(KILLS / 2);
    expect((await replays(node)) - replaysBefore).toBeGreaterThan(0);
    const failed = answered - (tally.outcomes.get('ok') ?? 0);
    expect(failed).toBeLessThan((kills.hosts + kills.sidecars) * (CONNECTIONS + 1));
    expect(node.pidOf('gateway')).toBe(gateway);
    await node.healthy();
    console.log(`seed ${seed}: ${answered} answered (${Array.from(tally.outcomes, ([code, n]) => `${code} ${n}`).join(', ')}), ${tally.done.length} effects, ${kills.hosts} hosts and ${kills.sidecars} sidecars killed`);
  }, FULL ? 3_600_000 : 120_000);

  async function one(connection: RawClient, token: number, fn: string, isPost: boolean, tally: Tally): Promise<void> {
    const answer = isPost ? await connection.ask('POST', '/', fn, String(token)) : await connection.ask('GET', `/?${token}`, fn, '');
    const outcome = outcomeOf(answer, token, isPost);
    tally.outcomes.set(outcome, (tally.outcomes.get(outcome) ?? 0) + 1);
    const isNamed = outcome === 'ok' || NAMED.has(outcome) || (isPost && outcome === 'sidecar_lost');
    if (!isNamed) tally.wrong.push(`${isPost ? 'POST' : 'GET'} ${token} of ${fn}: ${outcome}, ${answer.status} ${answer.error} ${answer.body.slice(0, 200)}`);
    if (isPost) (outcome === 'ok' ? tally.done : tally.perhaps).push(token);
  }
});

function outcomeOf({ status, body, error }: { readonly status: number; readonly body: string; readonly error: string }, token: number, isPost: boolean): string {
  if (error !== 'none') return error;
  if (status === 200) {
    if (body === (isPost ? `done ${token}` : `got?${token}`)) return 'ok';
    // The function heard that its call was lost with the sidecar.
    return body === `tried ${token} sidecar_lost` ? 'sidecar_lost' : 'wrong body';
  }
  const code = /"code":"([a-z_]+)"/.exec(body)?.[1] ?? '';
  return isErrorCode(code) ? code : `status ${status}`;
}

interface Life {
  readonly pid: number | null;
  readonly state: string;
}

/** A process as the supervisor knows it. */
async function lifeOf(node: TestNode, name: string): Promise<Life | undefined> {
  const { body } = await node.api('GET', '/healthz');
  return (body['processes'] as readonly (Life & { readonly name: string })[] | undefined)?.find((one) => one.name === name);
}

/** Kills hosts in turn, now and then the sidecar, each with SIGKILL, and the next one only when that one is back. */
async function killNowAndThen(node: TestNode, next: () => number, started: () => number): Promise<{ readonly hosts: number; readonly sidecars: number }> {
  const kills = { hosts: 0, sidecars: 0 };
  for (let n = 1; n <= KILLS; n++) {
    const at = ((n - 1 + next()) * REQUESTS) / KILLS;
    while (started() < at) await sleep(5);
    if (started() >= REQUESTS) break;
    const name = n % SIDECAR_EVERY === 0 ? 'sidecar' : `host-${1 + (n % 2)}`;
    const before = await lifeOf(node, name);
    if (before?.pid === null || before?.pid === undefined) throw new Error(`${name} has no process`);
    process.kill(before.pid, 'SIGKILL');
    kills[name === 'sidecar' ? 'sidecars' : 'hosts'] += 1;
    for (let life = before; life.pid === before.pid || life.state !== 'ready'; life = (await lifeOf(node, name)) ?? before) await sleep(20);
  }
  return kills;
}

async function replays(node: TestNode): Promise<number> {
  const text = await fetch(`http://127.0.0.1:${node.controlPort}/metrics`, { headers: { authorization: `Bearer ${node.token}` } }).then(async (response) => response.text());
  return Number(/^thimble_gateway_replays_total\S* (\d+)/m.exec(text)?.[1] ?? 0);
}
