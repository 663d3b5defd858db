// A whole node with functions that get killed again and again: quarantine, the way back, penalty hosts; and neighbours that notice nothing.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLoad, useNode, bootNode } from '../../support/node.ts';
import type { Answer, TestNode } from '../../support/node.ts';

const HELLO = "export default { fetch() { return new Response('hello'); } };";
/** What a request asks of it: nothing, an endless loop, a native loop that no isolate can be disposed out of, or an allocation that V8 dies of. */
const RISKY = `export default { fetch(request) {
  const { pathname } = new URL(request.url);
  if (pathname === '/loop') for (;;);
  if (pathname === '/native') Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1);
  if (pathname === '/abort') return new Response(String(new Array(1e8).fill(0).length));
  return new Response('fine');
} };`;

const wrong = (answers: readonly Answer[]): Answer[] => answers.filter((answer) => !(answer.status === 200 && answer.text === 'hello'));
const tally = (answers: readonly Answer[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const { code, status } of answers) counts[code ?? status] = (counts[code ?? status] ?? 0) + 1;
  return counts;
};

async function stateOf(node: TestNode, name: string): Promise<Readonly<Record<string, unknown>>> {
  return (await node.api('GET', `/v1/functions/${name}/stats`)).body['standing'] as Record<string, unknown>;
}

describe('a function that loops for ever', () => {
  let node: TestNode;
  beforeAll(async () => {
    node = await bootNode({ hosts: 1 });
    await node.deploy('hello', HELLO);
  });
  afterAll(async () => void (await node.stop()));

  /** 50 requests a second for `forMs`. */
  async function flood(name: string, forMs: number): Promise<readonly Answer[]> {
    const answers: Promise<Answer>[] = [];
    for (const endAt = performance.now() + forMs; performance.now() < endAt; await sleep(20)) answers.push(node.call(name, '/loop'));
    return Promise.all(answers);
  }

  it('is quarantined after five kills, and its neighbours have no error', async () => {
    await node.deploy('loop', RISKY);
    expect((await node.call('loop')).text).toBe('fine');
    const load = startLoad(node, 'hello', { connections: 2 });
    const answers = await flood('loop', 2_500);
    const neighbours = await load.stop();
    expect(wrong(neighbours)).toEqual([]);
    expect(neighbours.length).toBeGreaterThan(0);
    const { cpu_limit_exceeded: killed = 0, quarantined = 0, ...rest } = tally(answers);
    expect(rest).toEqual({});
    // Five, what its host had begun when the fifth was known, and the probes of two seconds.
    expect(killed).toBeGreaterThanOrEqual(5);
    expect(killed).toBeLessThanOrEqual(12);
    expect(quarantined).toBeGreaterThan(killed);
    expect(answers.at(-1)?.headers['x-thimble-reason']).toMatch(/^quarantined;strikes=\d+;until=@\d+$/);
    expect(Number(answers.at(-1)?.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    // The host that ran it all is the first one still.
    expect(node.output).not.toContain('the process died');
  });

  it('says so in stats, in the list, in its own log and in metrics', async () => {
    await expect.poll(async () => (await stateOf(node, 'loop'))['state'], { timeout: 5_000 }).toBe('quarantined');
    expect(await stateOf(node, 'loop')).toMatchObject({ last: { reason: 'cpu_limit_exceeded', version: 1 }, penalty: null });
    expect((await stateOf(node, 'hello'))['state']).toBe('good');
    expect((await node.api('GET', '/v1/quarantine')).body['items']).toEqual([expect.objectContaining({ name: 'loop', tier: 'default' })]);
    const logs = JSON.stringify((await node.api('GET', '/v1/functions/loop/logs')).body);
    expect(logs).toContain('quarantined after');
    const metrics = await fetch(`http://127.0.0.1:${node.controlPort}/metrics`, { headers: { authorization: `Bearer ${node.token}` } });
    const text = await metrics.text();
    expect(text).toMatch(/thimble_gateway_strikes_total\{gateway="gateway",reason="cpu_limit_exceeded"\} [1-9]/);
    expect(text).toMatch(/thimble_gateway_quarantined_functions\{gateway="gateway"\} 1/);
  });

  it('comes back by itself when it behaves again', async () => {
    await expect.poll(async () => (await node.call('loop')).text, { timeout: 30_000, interval: 200 }).toBe('fine');
    for (let i = 0; i < 5; i++) expect((await node.call('loop')).text).toBe('fine');
    await expect.poll(async () => (await stateOf(node, 'loop'))['state'], { timeout: 5_000 }).toBe('watched');
  });

  it('comes back with the first request after other code is live', async () => {
    for (let i = 0; (await node.call('loop', '/loop')).code !== 'quarantined'; i++) expect(i).toBeLessThan(10);
    await node.deploy('loop', HELLO);
    expect((await node.call('loop', '/loop')).text).toBe('hello');
    expect((await node.call('loop', '/loop')).text).toBe('hello');
  });

  it('comes back by an operator\'s word, which is in the audit trail', async () => {
    await node.deploy('loop', RISKY);
    for (let i = 0; (await node.call('loop', '/loop')).code !== 'quarantined'; i++) expect(i).toBeLessThan(10);
    await expect.poll(async () => (await stateOf(node, 'loop'))['state'], { timeout: 5_000 }).toBe('quarantined');
    const pardon = await node.api('POST', '/v1/functions/loop/pardon');
    expect(pardon).toMatchObject({ status: 200, body: { name: 'loop', pardoned: { state: 'quarantined' } } });
    expect((await node.call('loop')).text).toBe('fine');
    await expect.poll(async () => (await stateOf(node, 'loop'))['state'], { timeout: 5_000 }).toBe('good');
    const rows = (await node.api('GET', '/v1/audit?limit=1000')).body['items'] as Record<string, unknown>[];
    expect(rows.at(-1)).toMatchObject({ action: 'function.pardon', target: 'loop', actor: 'admin', before: { state: 'quarantined' } });
    expect((await node.api('POST', '/v1/functions/nobody/pardon')).code).toBe('not_found');
  });

  it('one whose module throws at its start rests too; one whose handler throws does not', async () => {
    await node.deploy('broken', "throw new Error('no');");
    await node.deploy('throws', "export default { fetch() { throw new Error('no'); } };");
    const codes: unknown[] = [];
    for (let i = 0; i < 8; i++) codes.push((await node.call('broken')).code);
    expect(codes).toEqual([...Array<string>(5).fill('function_threw'), ...Array<string>(3).fill('quarantined')]);
    for (let i = 0; i < 12; i++) expect((await node.call('throws')).code).toBe('function_threw');
  });
});

// At the same time: both wait for hosts and for terms of rest most of the time.
describe.concurrent.each([['/native', 'a loop in native code, which the heartbeat ends'], ['/abort', 'an allocation that V8 dies of']])('a function that kills its host: %s, %s', (path) => {
  it('runs on a penalty host next, rests when it kills that too, and ordinary hosts live on', { timeout: 120_000 }, async ({ expect, onTestFinished }) => {
    const node = await useNode({ hosts: 2 }, onTestFinished);
    await node.deploy('hello', HELLO);
    await node.deploy('risky', RISKY);
    const pids = (): string => node.processes().filter(({ name }) => /^host-\d$/.test(name)).map(({ name, pid }) => `${name}=${pid}`).toSorted().join(' ');
    expect((await node.call('risky', path)).code).toBe('host_lost');
    await expect.poll(() => node.processes().filter(({ name }) => /^host-\d$/.test(name)).length, { timeout: 20_000 }).toBe(2);
    const before = pids();
    const load = startLoad(node, 'hello', { connections: 2 });
    // What it can do it still does: the first request waits for the host, but no longer than 5 s on a machine as busy as this may be.
    await expect.poll(async () => (await node.call('risky')).text, { timeout: 30_000 }).toBe('fine');
    expect(node.processes().map(({ name }) => name)).toContain('penalty-1');
    await expect.poll(async () => (await stateOf(node, 'risky'))['state'], { timeout: 5_000 }).toBe('penalty');
    const answers: Answer[] = [];
    for (let i = 0; i < 20; i++) {
      answers.push(await node.call('risky', path));
      await sleep(100);
    }
    // A probe may have killed a second penalty host; whatever came between was refused.
    const { host_lost: lost = 0, quarantined = 0, ...rest } = tally(answers);
    expect(rest).toEqual({});
    expect(lost).toBeGreaterThanOrEqual(1);
    expect(lost).toBeLessThanOrEqual(2);
    expect(quarantined).toBe(20 - lost);
    expect(wrong(await load.stop())).toEqual([]);
    expect(pids()).toBe(before);
    await expect.poll(async () => (await stateOf(node, 'risky'))['state'], { timeout: 5_000 }).toBe('quarantined');
    expect((await stateOf(node, 'risky'))['penalty']).not.toBeNull();
    // Pardoned, it is back on ordinary hosts: nothing runs on the penalty host any more.
    expect((await node.api('POST', '/v1/functions/risky/pardon')).status).toBe(200);
    expect(await node.call('risky')).toMatchObject({ status: 200, text: 'fine' });
    await expect.poll(async () => (await stateOf(node, 'risky'))['state'], { timeout: 5_000 }).toBe('good');
  });
});
