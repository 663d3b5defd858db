// The run queue in a real host: whose entries come first, what is taken out, what survives the loss of an isolate; and what is booked of entries.
import { describe, expect, test } from 'vitest';
import { readJournal } from '../../../core/protocol/index.ts';
import { MAX_RUNNING } from '../../../isolates/limits.ts';
import { BURN, roundsPerMs } from '../../support/isolates-burn.ts';
import { TestHost } from '../../support/isolates-host.ts';
import type { Answer, Running } from '../../support/isolates-host.ts';

const WORK = `${BURN}
let calls = 0;
export default { async fetch(req, env, ctx) {
  const { pathname } = new URL(req.url);
  const n = query(req, 'n');
  if (pathname === '/calls') return new Response(String(calls));
  calls += 1;
  if (pathname === '/spin') for (;;);
  if (pathname === '/steps') { const order = []; for (let i = 0; i < 20; i++) { await new Promise((r) => setTimeout(r, 0)); burn(n); order.push(i); } return Response.json(order); }
  if (pathname === '/abort') { req.signal.addEventListener('abort', () => console.log('aborted')); await new Promise((r) => setTimeout(r, 20_000)); }
  if (pathname === '/interval') { let ticks = 0; const timer = setInterval(() => { burn(n); ticks += 1; }, 1); await new Promise((r) => setTimeout(r, query(req, 'for') || 300)); clearInterval(timer); return new Response(String(ticks)); }
  if (pathname === '/never') await new Promise(() => {});
  if (pathname === '/until') { ctx.waitUntil(new Promise((r) => setTimeout(() => { burn(n); r(); }, 5))); return new Response('answered'); }
  burn(n);
  return new Response('fine');
} };`;

const CPU = { cpuMs: 5_000 };
/** For a machine that does much else. */
const BUSY = { timeout: 15_000 };

interface Stand { host: TestHost; flood: number; good: number; ms: (cpu: number) => number }

/** Of those that leave nothing behind: each waits for all that it has called. */
const sharedHost = TestHost.shared();
let standing: Promise<Stand> | undefined;
const shared = (): Promise<Stand> => (standing ??= standOn(sharedHost()));

async function stand(): Promise<Stand> {
  return standOn(await TestHost.start());
}

async function standOn(host: TestHost): Promise<Stand> {
  const flood = await host.deploy(WORK, { function: 'flood', ...CPU });
  const good = await host.deploy(WORK, { function: 'good', ...CPU });
  await host.call(good);
  const rounds = await roundsPerMs(host, flood);
  return { host, flood, good, ms: (cpu) => Math.round(cpu * rounds) };
}

/** In the order of their answers. */
function noted(calls: readonly (readonly [string, Running])[]): { order: string[]; all: Promise<Answer[]> } {
  const order: string[] = [];
  return { order, all: Promise.all(calls.map(async ([name, { done }]) => {
    const answer = await done;
    order.push(name);
    return answer;
  })) };
}

describe('turns', () => {
  test('a call that comes behind a burst of another function is entered before nearly all of the burst', async () => {
    const { host, flood, good, ms } = await shared();
    const { order, all } = noted([
      ...Array.from({ length: 40 }, () => ['flood', host.invoke(flood, { path: `/burn?n=${ms(15)}` })] as const),
      ...Array.from({ length: 5 }, () => ['good', host.invoke(good)] as const),
    ]);
    await all;
    // One entry of the burst was under way; the five come next.
    expect(order.slice(0, 8).filter((name) => name === 'good').length).toBe(5);
  });

  test('a call of a function that is cold does not wait for the burst either', async () => {
    const { host, flood, ms } = await shared();
    const fresh = await host.deploy(WORK, { function: 'fresh' });
    const { order, all } = noted([
      ...Array.from({ length: 40 }, () => ['flood', host.invoke(flood, { path: `/burn?n=${ms(15)}` })] as const),
      ['fresh', host.invoke(fresh)],
    ]);
    const answers = await all;
    expect(order.indexOf('fresh')).toBeLessThan(10);
    // It waits for the entry that is under way, and for its files to be read: a fraction of a millisecond where they are known.
    expect(answers.at(-1)?.cold?.[0]).toBeGreaterThan(0);
  });

  test('nor behind a burst of a function that has to start first', async () => {
    const { host, good, ms } = await shared();
    const cold = await host.deploy(WORK, { function: 'cold', ...CPU });
    const burst: (readonly [string, Running])[] = Array.from({ length: 30 }, () => ['cold', host.invoke(cold, { path: `/burn?n=${ms(15)}` })]);
    const late = (async (): Promise<void> => {
      await burst[0]?.[1].head;
      burst.push(['good', host.invoke(good)]);
    })();
    const cancelled = host.invoke(cold, { path: `/burn?n=${ms(15)}` });
    cancelled.cancel();
    expect((await cancelled.done).cpuUs).toBe(0);
    await late;
    const { order, all } = noted(burst);
    const answers = await all;
    // The start and the first entry are over when it comes; what is under way then and what was answered before it was heard of is all that it waits for.
    expect(order.indexOf('good')).toBeLessThan(15);
    expect(new Set(answers.map(({ body }) => body.toString()))).toEqual(new Set(['fine']));
    // Time behind the others is queue time of the cold start.
    const queuedMs = answers.slice(1, 30).map(({ cold: phases }) => phases?.[0] ?? 0);
    expect(queuedMs[0]).toBeGreaterThan(0);
    expect(queuedMs).toEqual(queuedMs.toSorted((a, b) => a - b));
  });

  test('a flood of cold starts holds up neither a warm function of the same tenant nor one of another', async () => {
    const { host, good, ms } = await shared();
    const other = await host.deploy(WORK, { function: 'other', tenant: 'other' });
    await host.call(other);
    const cold = await Promise.all(Array.from({ length: 30 }, async (_, i) => await host.deploy(`${BURN} burn(${ms(5)}); ${WORK.slice(BURN.length)}`, { function: `cold${i}` })));
    const { order, all } = noted([...cold.map((f) => ['cold', host.invoke(f)] as const), ...Array.from({ length: 3 }, () => [['good', host.invoke(good)], ['other', host.invoke(other)]] as const).flat()]);
    const answers = await all;
    expect(order.slice(0, 10).filter((name) => name !== 'cold').length).toBe(6);
    expect(answers.filter(({ code, cold: phases }) => code === null && phases !== null).length).toBe(30);
  });

  test('entries of one invocation keep their order while they wait', async () => {
    const { host, flood, ms } = await shared();
    const burst = Array.from({ length: 20 }, () => host.invoke(flood, { path: `/burn?n=${ms(3)}` }));
    const steps = Array.from({ length: 3 }, () => host.invoke(flood, { path: `/steps?n=${ms(1)}` }));
    for (const { done } of steps) expect(JSON.parse((await done).body.toString())).toEqual(Array.from({ length: 20 }, (_, i) => i));
    for (const { done } of burst) expect((await done).body.toString()).toBe('fine');
  });

  test('an interval that is slower than its own work does not pile up entries', async () => {
    const { host, flood, good, ms } = await shared();
    const busy = host.invoke(flood, { path: `/interval?n=${ms(10)}` });
    const ticks = Number((await busy.done).body.toString());
    expect(ticks).toBeGreaterThan(2);
    expect(ticks).toBeLessThanOrEqual(40);
    expect(await host.text(good)).toBe('fine');
  });
});

describe('out of the queue', () => {
  test('calls that are cancelled while they wait never run', async () => {
    const { host, flood, ms } = await shared();
    const before = Number(await host.text(flood, { path: '/calls' }));
    const burst = Array.from({ length: 20 }, () => host.invoke(flood, { path: `/burn?n=${ms(15)}` }));
    await burst[0]?.done;
    const cancelled = burst.slice(10);
    for (const call of cancelled) call.cancel();
    const answers = await Promise.all(cancelled.map(({ done }) => done));
    expect(answers.map(({ cpuUs, code }) => [cpuUs, code])).toEqual(cancelled.map(() => [0, null]));
    expect(Number(await host.text(flood, { path: '/calls' }))).toBe(before + 10);
  });

  test('one that runs already hears of its cancel in its turn, and is over then', async () => {
    const { host, flood, ms } = await shared();
    const waiting = host.invoke(flood, { path: '/abort' });
    await expect.poll(() => readJournal(host.journalFd).entered.some(({ sequence }) => sequence === waiting.id), BUSY).toBe(true);
    const burst = Array.from({ length: 20 }, () => host.invoke(flood, { path: `/burn?n=${ms(5)}` }));
    waiting.cancel();
    await expect.poll(() => host.logs.some(({ message }) => message === 'aborted'), BUSY).toBe(true);
    for (const { done } of burst) expect((await done).code).toBeNull();
  });

  test('calls that wait when their isolate is killed run in the next one', async () => {
    const host = await TestHost.start();
    const f = await host.deploy(WORK, { function: 'f', cpuMs: 50 });
    await host.call(f);
    const spin = host.invoke(f, { path: '/spin' });
    const behind = Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? host.invoke(f) : host.invoke(f, { method: 'POST', body: 'x' })));
    expect((await spin.done).code).toBe('cpu_limit_exceeded');
    const answers = await Promise.all(behind.map(({ done }) => done));
    expect(answers.map(({ code, body }) => [code, body.toString()])).toEqual(behind.map(() => [null, 'fine']));
    expect(answers[0]?.cold).not.toBeNull();
  });

  test('calls that wait when the host is killed were not entered: they may be replayed', async () => {
    const { host, flood, ms } = await stand();
    const first = host.invoke(flood, { path: `/burn?n=${ms(20)}` });
    const burst = Array.from({ length: 50 }, () => host.invoke(flood, { path: `/burn?n=${ms(20)}` }));
    await first.done;
    await burst[0]?.done;
    host.process.kill('SIGKILL');
    await host.exited;
    const entered = readJournal(host.journalFd).entered.map(({ sequence }) => sequence);
    const unanswered = burst.filter(({ answer }) => !answer.final || answer.code === 'host_gone').map(({ id }) => id);
    expect(unanswered.length).toBeGreaterThan(20);
    // The one on the thread at most, and one whose answer was lost with the host.
    expect(unanswered.filter((id) => entered.includes(id)).length).toBeLessThanOrEqual(3);
  });

  test('the host takes so many invocations and no more', async () => {
    const { host, good } = await stand();
    const waiting = await host.deploy(WORK, { function: 'waiting', ...CPU });
    const calls = Array.from({ length: MAX_RUNNING + 50 }, () => host.invoke(waiting, { path: '/never', wallMs: 60_000 }));
    const refused = await Promise.all(calls.slice(MAX_RUNNING).map(({ done }) => done));
    expect(refused.map(({ code, params }) => [code, params])).toEqual(refused.map(() => ['overloaded', { what: 'invocations of one host' }]));
    for (const call of calls.slice(0, 100)) call.cancel();
    await Promise.all(calls.slice(0, 100).map(({ done }) => done));
    expect(await host.text(good)).toBe('fine');
  });
});

describe('what is booked', () => {
  test('at 80 % of the CPU time the log says so: once an invocation, and at most once a second', async () => {
    const { host, ms } = await stand();
    const tight = await host.deploy(WORK, { function: 'tight', version: 2, cpuMs: 50 });
    await host.call(tight, { path: '/calls' });
    const startedMs = performance.now();
    // Entries of a millisecond, until the budget is spent: each passes through its last fifth.
    for (let i = 0; i < 5; i++) expect((await host.call(tight, { path: `/interval?n=${ms(1)}&for=20000`, wallMs: 30_000 })).code).toBe('cpu_limit_exceeded');
    const seconds = (performance.now() - startedMs) / 1_000;
    const lines = (): typeof host.logs => host.logs.filter(({ fields }) => fields?.includes('cpu_soft_limit') === true);
    const soft = (): number => host.figures.flatMap(({ used: rows }) => rows).filter((row) => row.function === 'tight').reduce((sum, row) => sum + row.softLimits, 0);
    await expect.poll(soft, BUSY).toBe(5);
    expect(host.figures.at(-1)?.node.softLimits).toBe(5);
    await expect.poll(() => lines().length, BUSY).toBeGreaterThan(0);
    expect(lines()[0]).toMatchObject({ level: 'warn', fn: 'tight' });
    const { code, limit, used } = JSON.parse(lines()[0]?.fields ?? '') as { code: string; limit: number; used: number };
    expect([code, limit, used >= 40 && used < 50]).toEqual(['cpu_soft_limit', 50, true]);
    expect(new Set(lines().map(({ invocation }) => invocation)).size).toBe(lines().length);
    expect(lines().length).toBeLessThanOrEqual(Math.floor(seconds) + 1);
  });

  test('every entry once: answers, timers, waitUntil work and start-up add up to what the thread has used', async () => {
    const { host, flood, ms } = await stand();
    const heavy = await host.deploy(`${BURN} burn(${ms(40)}); ${WORK.slice(BURN.length)}`, { function: 'heavy', ...CPU });
    const until = host.invoke(flood, { path: `/until?n=${ms(30)}` });
    const answers = await Promise.all([
      ...Array.from({ length: 6 }, () => host.call(flood, { path: `/burn?n=${ms(10)}` })), ...Array.from({ length: 3 }, () => host.call(flood, { path: `/steps?n=${ms(3)}` })), host.call(heavy), until.done,
    ]);
    // 60 of calls, 180 of timers, 30 of waitUntil work.
    const charged = answers.reduce((sum, { cpuUs }) => sum + cpuUs, 0);
    expect(charged).toBeGreaterThan(270_000 * 0.8);
    const settled = host.figures.length;
    await expect.poll(() => host.figures.length, BUSY).toBeGreaterThan(settled + 1);
    const rows = host.figures.flatMap(({ used }) => used);
    const sum = (name: string, of: 'cpuUs' | 'startupUs' | 'entries'): number => rows.filter((row) => row.function === name).reduce((total, row) => total + row[of], 0);
    expect(sum('heavy', 'startupUs')).toBeGreaterThan(40_000 * 0.6);
    expect(sum('heavy', 'cpuUs')).toBeLessThan(20_000);
    // The calibration's calls are in there too.
    expect(sum('flood', 'cpuUs')).toBeGreaterThan(charged - 20_000);
    expect(sum('good', 'entries')).toBe(1);
  });

  test('gateways hear of long entries, and of short ones once there have been long ones', async () => {
    const { host, ms } = await stand();
    const [long, short] = [await host.deploy(WORK, { function: 'long', ...CPU }), await host.deploy(WORK, { function: 'short', ...CPU })];
    const rows = (of: number): typeof host.entries => host.entries.filter(([target]) => target === of);
    await host.call(short, { path: '/calls' });
    await host.call(long, { path: `/burn?n=${ms(20)}` });
    await expect.poll(() => rows(long), BUSY).toEqual([[long, 1, 1, expect.any(Number)]]);
    expect(rows(long)[0]?.[3]).toBeGreaterThan(10_000);
    await host.call(short, { path: '/calls' });
    await host.call(long, { path: '/calls' });
    await expect.poll(() => rows(long).at(-1), BUSY).toEqual([long, 1, 0, expect.any(Number)]);
    expect(rows(long).length).toBe(2);
    expect(rows(short).every(([, , over]) => over > 0)).toBe(true);
  });

  test('on a slow host every function with entries is in the rows', async () => {
    const host = await TestHost.start({ group: 'slow' });
    const f = await host.deploy(WORK);
    await host.call(f);
    await expect.poll(() => host.entries.at(-1), BUSY).toEqual([f, 1, 0, expect.any(Number)]);
  });
});
