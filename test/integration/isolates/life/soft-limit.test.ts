// The soft limit of memory in real hosts: isolates are retired before they are killed, and no request is lost by it.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { TestHost } from '../../../support/isolates-host.ts';
import type { Answer } from '../../../support/isolates-host.ts';

const MIB = 1_048_576;
/** Requests of each of the six rounds of a leak. */
const ROUND = process.env['THIMBLE_TEST_FULL'] === '1' ? 400 : 250;

/** `requests` calls, so many at once. */
async function load(host: TestHost, target: number, requests: number, atOnce: number, path = '/'): Promise<Answer[]> {
  const answers: Answer[] = [];
  let left = requests;
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (left > 0) {
      left -= 1;
      answers.push(await host.call(target, { path, wallMs: 60_000 }));
    }
  }));
  return answers;
}

const LEAKS = {
  objects: 'keep.push(Array.from({ length: 1_000 }, (_, i) => ({ i, text: "x" + i })))',
  buffers: 'keep.push(new Uint8Array(150_000).fill(1))',
  strings: 'keep.push(("" + Math.random()).repeat(6_000).split("0").join("-"))',
  'a map of closures': 'for (let i = 0; i < 600; i++) { const big = [i, i, i]; map.set(map.size, () => big); }',
} as const;

describe('a function that leaks', () => {
  for (const [what, leak] of Object.entries(LEAKS)) {
    test(`${what}: ${6 * ROUND} requests, several retirements, no error, steady memory`, async () => {
      const host = await TestHost.start();
      const leaking = await host.deploy(`const keep = []; const map = new Map(); export default { fetch() { ${leak}; return new Response('ok'); } };`, { memoryMb: 24, cpuMs: 1_000, function: 'leaking' });
      const good = await host.deploy(`export default { fetch: () => new Response('good') };`, { function: 'good' });
      const residents: number[] = [];
      for (let round = 0; round < 6; round++) {
        const answers = await load(host, leaking, ROUND, 8);
        expect(answers.filter(({ code, status }) => code !== null || status !== 200)).toEqual([]);
        expect(await host.text(good)).toBe('good');
        residents.push(host.residentBytes);
      }
      const figures = await host.nextFigures();
      expect(figures.retired['memory_soft_limit']).toBeGreaterThanOrEqual(3);
      expect(figures.kills).toEqual({});
      // One that retires and one that takes over, beside what the process itself has.
      expect((residents.at(-1) as number) - (residents[0] as number)).toBeLessThan(60 * MIB);
      const line = host.logs.find(({ fn, fields }) => fn === 'leaking' && fields !== null && fields.includes('memory_soft_limit'));
      expect(line?.level).toBe('warn');
      const fields = JSON.parse(line?.fields ?? '{}') as { limit: number; used: number };
      expect(fields.limit).toBe(19);
      expect(fields.used).toBeGreaterThanOrEqual(19);
      expect(host.output.join('')).toContain('an isolate is retired');
    }, 120_000);
  }

  test('nobody meets the start of the successor', async () => {
    const host = await TestHost.start();
    const f = await host.deploy(`const keep = []; export default { fetch() { keep.push(new Uint8Array(300_000).fill(1)); return new Response('ok'); } };`, { memoryMb: 16, cpuMs: 1_000 });
    const answers = await load(host, f, 500, 4);
    expect((await host.nextFigures()).retired['memory_soft_limit']).toBeGreaterThan(2);
    expect(answers.filter(({ cold }) => cold !== null).length).toBeLessThanOrEqual(4);
  }, 60_000);
});

test('what runs in a retired isolate goes on to its end, with its state, while others get the fresh one', async () => {
  const host = await TestHost.start();
  const f = await host.deploy(`let keep = []; let n = 0; const id = crypto.randomUUID(); export default { async fetch(req) {
    n += 1;
    if (req.url.endsWith('/slow')) { await new Promise((r) => setTimeout(r, 1_500)); return new Response(id); }
    if (req.url.endsWith('/leak')) keep.push(new Uint8Array(1e6).fill(1));
    return new Response(id);
  } };`, { memoryMb: 24, cpuMs: 1_000 });
  const first = await host.text(f);
  const slow = host.invoke(f, { path: '/slow' });
  let id = first;
  for (let i = 0; i < 60 && id === first; i++) {
    id = await host.text(f, { path: '/leak' });
    await sleep(5);
  }
  expect(id).not.toBe(first);
  const draining = await host.nextFigures();
  expect([draining.retiring, draining.isolates, draining.retired['memory_soft_limit']]).toEqual([1, 2, 1]);
  expect((await slow.done).body.toString()).toBe(first);
  const after = await host.nextFigures();
  expect([after.retiring, after.isolates]).toEqual([0, 1]);
  expect(await host.text(f)).toBe(id);
}, 60_000);

test('cancelling reaches an invocation of a retired isolate', async () => {
  const host = await TestHost.start();
  const f = await host.deploy(`const keep = []; const id = crypto.randomUUID(); export default { async fetch(req) {
    if (req.url.endsWith('/wait')) { await new Promise((r) => req.signal.addEventListener('abort', r)); console.log('aborted in ' + id); return new Response('late'); }
    keep.push(new Uint8Array(2e6).fill(1)); return new Response(id);
  } };`, { memoryMb: 24, cpuMs: 1_000 });
  const first = await host.text(f);
  const waiting = host.invoke(f, { path: '/wait' });
  while ((await host.text(f)) === first);
  waiting.cancel();
  await waiting.done;
  for (let i = 0; i < 200 && !host.logs.some(({ message }) => message === `aborted in ${first}`); i++) await sleep(20);
  expect(host.logs.map(({ message }) => message)).toContain(`aborted in ${first}`);
  expect((await host.nextFigures()).retiring).toBe(0);
}, 60_000);

test('garbage is no reason: a function that goes up and down is never retired', async () => {
  const host = await TestHost.start();
  const f = await host.deploy(`const base = Array.from({ length: 40_000 }, (_, i) => ({ i })); export default { fetch(req) {
    const rubbish = []; for (let i = 0; i < 12; i++) rubbish.push(new Uint8Array(1e6).fill(i)); const more = Array.from({ length: 20_000 }, (_, i) => [i, {}]);
    return new Response(String(rubbish.length + more.length + base.length));
  } };`, { memoryMb: 40, cpuMs: 1_000 });
  const answers = await load(host, f, 300, 2);
  expect(new Set(answers.map(({ body }) => body.toString()))).toEqual(new Set(['60012']));
  const figures = await host.nextFigures();
  expect([figures.retired, figures.kills]).toEqual([{}, {}]);
}, 60_000);

test('one that lives just under its hard limit from the start works, and is not retired over and over', async () => {
  const host = await TestHost.start();
  const f = await host.deploy(`const all = Array.from({ length: 27 }, (_, i) => new Uint8Array(1e6).fill(i)); export default { fetch: () => new Response(String(all.length)) };`, { memoryMb: 32, cpuMs: 1_000 });
  const answers = await load(host, f, 300, 4);
  expect(new Set(answers.map(({ body, code }) => code ?? body.toString()))).toEqual(new Set(['27']));
  expect((await host.nextFigures()).retired).toEqual({});
}, 60_000);

test('who takes all at once meets the hard limit; those before it had no harm', async () => {
  const host = await TestHost.start();
  const f = await host.deploy(`export default { fetch(req) { if (req.url.endsWith('/bomb')) { const a = []; for (;;) a.push({ x: [a.length] }); } return new Response('ok'); } };`, { memoryMb: 24, cpuMs: 20_000 });
  for (let i = 0; i < 3; i++) {
    expect(await host.text(f)).toBe('ok');
    expect((await host.call(f, { path: '/bomb' })).code).toBe('memory_limit_exceeded');
  }
  expect((await host.nextFigures()).kills).toEqual({ memory: 3 });
}, 60_000);

test('a successor that can not start does no harm: the isolate goes on', async () => {
  const host = await TestHost.start();
  // The second isolate finds its start forbidden.
  const lastStart = Date.now() + 2_000;
  const f = await host.deploy(`
    const keep = []; let ready = false;
    export default { async fetch(req) { keep.push(new Uint8Array(500_000).fill(1)); if (keep.length > 30) keep.length = 25; return new Response('ok'); } };
    if (performance.timeOrigin > ${lastStart}) throw new Error('too late to start');`, { memoryMb: 16, cpuMs: 1_000 });
  expect(await host.text(f)).toBe('ok');
  await sleep(lastStart + 200 - Date.now());
  const answers = await load(host, f, 200, 2);
  expect(answers.filter(({ code }) => code !== null)).toEqual([]);
  expect((await host.nextFigures()).retired).toEqual({});
  expect(host.logs.filter(({ message }) => message.includes('too late to start')).length).toBeGreaterThan(0);
}, 60_000);

test('retired isolates that do not drain are bounded, and those given up say why', async () => {
  const host = await TestHost.start();
  const f = await host.deploy(`const keep = []; const id = crypto.randomUUID(); export default { async fetch(req) {
    if (req.url.endsWith('/hang')) { await new Promise((r) => setTimeout(r, 60_000)); }
    keep.push(new Uint8Array(2e6).fill(1)); return new Response(id);
  } };`, { memoryMb: 16, cpuMs: 1_000 });
  const hanging = [];
  let last = await host.text(f);
  for (let i = 0; i < 6; i++) {
    hanging.push(host.invoke(f, { path: '/hang', wallMs: 60_000 }));
    let id = last;
    while (id === last) id = await host.text(f);
    last = id;
  }
  const lost = await Promise.all(hanging.slice(0, 2).map(({ done }) => done));
  expect(lost.map(({ code, params }) => [code, params])).toEqual([['isolate_lost', { entered: true }], ['isolate_lost', { entered: true }]]);
  const figures = await host.nextFigures();
  expect([figures.retiring, figures.kills]).toEqual([4, { overdue: 2 }]);
  expect(host.logs.filter(({ message }) => message.startsWith('a retired isolate was killed')).length).toBe(2);
  expect(await host.text(f)).toBe(last);
}, 60_000);
