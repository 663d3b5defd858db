// Reclaim in real hosts: under pressure, by rest, kept warm, and over many lives.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { TestHost } from '../../../support/isolates-host.ts';

const MIB = 1_048_576;
const FULL = process.env['THIMBLE_TEST_FULL'] === '1';
const REPEATS = FULL ? 100 : 12;

/** Says which isolate answers once the request's body has ended, and holds so many MB. */
const holding = (mb: number): string => `const held = Array.from({ length: ${mb * 8} }, (_, i) => new Uint8Array(131_072).fill(i + 1)); const id = crypto.randomUUID();
  export default { async fetch(req) { await req.text(); return new Response(id + held.length); } };`;

/** A body that ends when the test says so. */
async function* endsWith(told: Promise<void>): AsyncGenerator<Uint8Array> {
  yield new Uint8Array(1);
  await told;
}

test('hundreds of functions on a small memory budget: the host stays below it, no request fails', async () => {
  const host = await TestHost.start({ memoryBytes: 400 * MIB });
  const functions = [];
  for (let i = 0; i < 300; i++) functions.push(await host.deploy(holding(2), { function: `f${i}`, env: { N: String(i) }, cpuMs: 1_000 }));
  let most = 0;
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < functions.length; i += 4) {
      const answers = await Promise.all(functions.slice(i, i + 4).map(async (f) => host.call(f)));
      expect(answers.filter(({ code }) => code !== null)).toEqual([]);
      most = Math.max(most, host.residentBytes);
    }
  }
  expect(most).toBeLessThan(400 * MIB);
  const figures = await host.nextFigures();
  expect(figures.reclaimed['pressure']).toBeGreaterThan(100);
  expect(figures.isolates).toBeGreaterThan(20);
  expect(figures.kills).toEqual({});
}, 240_000);

test('pressure takes the one that rested longest, never what runs or lingers, and what is kept warm last', async () => {
  const host = await TestHost.start({ memoryBytes: 400 * MIB });
  const targets = [];
  for (let i = 0; i < 120; i++) targets.push(await host.deploy(holding(4), { function: `f${i}`, env: { N: String(i) }, cpuMs: 1_000 }));
  const running = await host.deploy(holding(2), { function: 'running' });
  const lingering = await host.deploy(`const id = crypto.randomUUID(); export default { fetch(req, env, ctx) {
    if (req.url.endsWith('/linger')) ctx.waitUntil(new Promise((r) => setTimeout(r, 25_000))); return new Response(id); } };`, { function: 'lingering' });
  const warm = await host.deploy(holding(2), { function: 'warm', env: { W: '1' } });
  expect(await host.warm(warm, 1)).toBe(1);
  const ids = [await host.text(running), await host.text(lingering), await host.text(warm)];
  const told = Promise.withResolvers<void>();
  const waiting = host.invoke(running, { stream: endsWith(told.promise) });
  // Its final frame comes when the work behind the response has ended.
  await host.invoke(lingering, { path: '/linger' }).head;
  const others = [];
  for (const f of targets) others.push({ f, id: await host.text(f) });
  const figures = await host.nextFigures();
  expect(figures.reclaimed['pressure']).toBeGreaterThan(10);
  expect([await host.text(running), await host.text(lingering), await host.text(warm)]).toEqual(ids);
  expect(waiting.answer.final).toBe(false);
  told.resolve();
  expect((await waiting.done).body.toString()).toBe(ids[0]);
  // The newest are still there, the oldest are not.
  const newest = others.at(-1) as (typeof others)[number];
  expect(await host.text(newest.f)).toBe(newest.id);
  const oldest = others[0] as (typeof others)[number];
  expect(await host.text(oldest.f)).not.toBe(oldest.id);
}, 120_000);

// The next two run at the same time: the first mostly waits.
test.concurrent('one that rests gives back what its garbage took, and goes on with its state', async ({ onTestFinished }) => {
  const host = await TestHost.start({}, onTestFinished);
  const targets = [];
  for (let i = 0; i < 40; i++) {
    targets.push(await host.deploy(`let n = 0; export default { fetch() { let x; for (let j = 0; j < 150_000; j++) x = { j, a: [j, j + 1], s: 's' + j }; return new Response(String(++n)); } };`, { function: `f${i}`, env: { N: String(i) }, cpuMs: 5_000 }));
  }
  for (const f of targets) expect(await host.text(f)).toBe('1');
  const busy = await host.nextFigures();
  const residentBusy = host.residentBytes;
  for (let waited = 0; waited < 30_000 && (await host.nextFigures()).shrunk < 40; waited += 1_000) await sleep(500);
  const rested = await host.nextFigures();
  expect(rested.shrunk).toBe(40);
  expect(rested.isolates).toBe(40);
  expect(rested.heapBytes).toBeLessThan(busy.heapBytes / 2);
  expect(residentBusy - host.residentBytes).toBeGreaterThan(40 * MIB);
  for (const f of targets) expect(await host.text(f)).toBe('2');
}, 120_000);

test.concurrent(`${REPEATS} kills and as many retirements leave nothing behind`, async ({ onTestFinished }) => {
  const host = await TestHost.start({}, onTestFinished);
  const bomb = await host.deploy(`export default { fetch(req) { if (req.url.endsWith('/bomb')) { const a = []; for (;;) a.push({ x: [a.length] }); } return new Response('ok'); } };`, { memoryMb: 8, cpuMs: 20_000, function: 'bomb' });
  const spin = await host.deploy(`export default { fetch() { for (;;); } };`, { cpuMs: 5, function: 'spin' });
  const leak = await host.deploy(`const keep = []; export default { fetch() { keep.push(new Uint8Array(1_000_000).fill(1)); return new Response('ok'); } };`, { memoryMb: 10, cpuMs: 1_000, function: 'leak' });
  const round = async (times: number): Promise<number> => {
    for (let i = 0; i < times; i++) {
      expect((await host.call(bomb, { path: '/bomb' })).code).toBe('memory_limit_exceeded');
      expect((await host.call(spin)).code).toBe('cpu_limit_exceeded');
      for (let j = 0; j < 8; j++) expect(await host.text(leak)).toBe('ok');
    }
    await sleep(500);
    return host.residentBytes;
  };
  const before = await round(REPEATS / 4);
  const after = await round(REPEATS);
  const figures = await host.nextFigures();
  expect([figures.kills['memory'], figures.kills['cpu']]).toEqual([1.25 * REPEATS, 1.25 * REPEATS]);
  expect(figures.retired['memory_soft_limit']).toBeGreaterThan(REPEATS);
  expect(figures.isolates).toBeLessThanOrEqual(3);
  expect(after - before).toBeLessThan(40 * MIB);
}, 300_000);

test('buffers that a stalled stream holds count; the isolate is retired and its stream goes on', async () => {
  const host = await TestHost.start();
  const f = await host.deploy(`const id = crypto.randomUUID(); export default { fetch(req) {
    if (!req.url.endsWith('/stream')) return new Response(id);
    const held = Array.from({ length: 22 }, (_, i) => new Uint8Array(1_000_000).fill(i));
    let n = 0;
    return new Response(new ReadableStream({ pull(c) { if (n === held.length) c.close(); else c.enqueue(held[n++]); } }));
  } };`, { memoryMb: 24, cpuMs: 5_000 });
  const first = await host.text(f);
  const stalled = host.invoke(f, { path: '/stream', reads: false, wallMs: 60_000 });
  await stalled.head;
  let id = first;
  for (let i = 0; i < 100 && id === first; i++) id = await host.text(f);
  expect(id).not.toBe(first);
  expect((await host.nextFigures()).retiring).toBe(1);
  stalled.cancel();
  await stalled.done;
  expect((await host.nextFigures()).retiring).toBe(0);
}, 60_000);

test('isolates outlive a reconnect of the gateway', async () => {
  const host = await TestHost.start();
  const settings = { function: 'same', digest: '' };
  const f = await host.deploy(holding(1), { function: settings.function });
  const id = await host.text(f);
  await host.reconnect();
  const again = await host.deploy(holding(1), { function: settings.function });
  expect(await host.text(again)).toBe(id);
});
