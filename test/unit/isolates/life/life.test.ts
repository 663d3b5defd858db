// The rules of an isolate's life, without isolates: when to look, when to suspect, who goes first, and how much of the loop's time it may take.
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { BackgroundStarts } from '../../../../isolates/life/background-starts.ts';
import { HeapGauge } from '../../../../isolates/life/heap-gauge.ts';
import { IdleList } from '../../../../isolates/life/idle-list.ts';
import type { IdlePlace } from '../../../../isolates/life/idle-list.ts';
import { pressureOf } from '../../../../isolates/life/pressure.ts';
import { Reclaimer } from '../../../../isolates/life/reclaimer.ts';
import type { Reclaimable } from '../../../../isolates/life/reclaimer.ts';
import { SoftLimit } from '../../../../isolates/life/soft-limit.ts';
import { TimeBudget } from '../../../../isolates/life/time-budget.ts';
import type { HeapSize } from '../../../../isolates/vm.ts';

const MIB = 1_048_576;
const mb = (used: number): HeapSize => ({ usedBytes: used * MIB, residentBytes: used * MIB });

describe('the gauge', () => {
  test('finds a leak before its hard limit, whatever its pace, and looks at most once in 64 entries at one that does not grow', () => {
    fc.assert(fc.property(fc.double({ min: 0.000_1, max: 0.15, noNaN: true }), fc.integer({ min: 16, max: 256 }), (share, limit) => {
      const perEntry = share * limit;
      const gauge = new HeapGauge(limit);
      gauge.start(mb(1));
      let used = 1;
      for (let entry = 0; used < limit; entry++) {
        used += perEntry;
        gauge.entriesLeft -= 1;
        if (gauge.entriesLeft <= 0 && gauge.take(mb(used))) break;
      }
      // Found between the soft limit and the hard one.
      return used >= 0.8 * limit && used < limit;
    }));
    const still = new HeapGauge(64);
    still.start(mb(2));
    let looks = 0;
    let suspicions = 0;
    for (let entry = 0; entry < 6_400; entry++) {
      still.entriesLeft -= 1;
      if (still.entriesLeft > 0) continue;
      looks += 1;
      suspicions += Number(still.take(mb(2)));
    }
    expect(suspicions).toBe(0);
    expect(looks).toBeLessThan(6_400 / 64 + 8);
  });

  test('garbage raises the mark until the next collection; what survives decides', () => {
    const gauge = new HeapGauge(100);
    gauge.start(mb(10));
    expect(gauge.take(mb(81))).toBe(true);
    expect(gauge.collected(mb(70))).toBe(false);
    expect(gauge.take(mb(84))).toBe(false);
    expect(gauge.take(mb(86))).toBe(true);
    expect(gauge.collected(mb(20))).toBe(false);
    expect(gauge.take(mb(79))).toBe(false);
    expect(gauge.take(mb(81))).toBe(true);
    expect(gauge.collected(mb(80.5))).toBe(true);
  });

  test('a module that needs most of its memory from the start gets half of the rest', () => {
    const gauge = new HeapGauge(100);
    gauge.start(mb(90));
    expect(gauge.softBytes).toBe(95 * MIB);
    expect(gauge.take(mb(94))).toBe(false);
    expect(gauge.take(mb(96))).toBe(true);
  });
});

describe('the list of those that rest', () => {
  interface Member extends IdlePlace<Member> { readonly n: number }
  const member = (n: number): Member => ({ n, idleList: null, idlePrevious: null, idleNext: null, idleSinceMs: 0 });

  test('keeps the order in which they came to rest, under any coming and going', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.constantFrom('add', 'remove', 'unseen')), { maxLength: 200 }), (steps) => {
      const list = new IdleList<Member>();
      const members = Array.from({ length: 10 }, (_, n) => member(n));
      let model: { n: number; seen: boolean }[] = [];
      for (const [i, [n, step]] of steps.entries()) {
        const one = members[n] as Member;
        let given: (number | undefined)[] = [];
        if (step === 'add') {
          list.add(one, i + 1);
          if (!model.some((m) => m.n === n)) model.push({ n, seen: false });
        } else if (step === 'remove') {
          list.remove(one);
          model = model.filter((m) => m.n !== n);
        } else {
          const expected = model.find((m) => !m.seen);
          given = [list.nextUnseen(Number.POSITIVE_INFINITY)?.n, expected?.n];
          if (expected !== undefined) expected.seen = true;
        }
        expect(given[0]).toBe(given[1]);
        expect(list.length).toBe(model.length);
        const order = [];
        for (let at = list.first; at !== null; at = at.idleNext) order.push(at.n);
        expect(order).toEqual(model.map((m) => m.n));
      }
    }));
  });

  test('gives what rests long enough, once a rest', () => {
    const list = new IdleList<Member>();
    const [a, b] = [member(1), member(2)];
    list.add(a, 10);
    list.add(b, 20);
    expect([list.nextUnseen(5), list.nextUnseen(15), list.nextUnseen(15)]).toEqual([null, a, null]);
    list.remove(a);
    list.add(a, 30);
    expect([list.nextUnseen(30), list.nextUnseen(30), list.nextUnseen(30)]).toEqual([b, a, null]);
  });
});

test('pressure shortens the rest, then makes room, then is dire', () => {
  const at = (share: number): unknown => {
    const { idleMs, excessBytes, dire } = pressureOf(share * 1_000, 1_000, 300_000, 5_000);
    return [Math.round(idleMs), Math.round(excessBytes), dire];
  };
  expect([at(0.1), at(0.7), at(0.775), at(0.85), at(0.9), at(0.95)]).toEqual([
    [300_000, 0, false], [300_000, 0, false], [152_500, 0, false], [5_000, 0, false], [5_000, 50, false], [5_000, 100, true],
  ]);
});

test('a share of time is given out, saved up to a bound, and what was taken too much is owed', () => {
  const budget = new TimeBudget(50, 50);
  expect(budget.open(1_000)).toBe(true);
  budget.spend(60);
  expect([budget.open(1_000), budget.open(1_150), budget.open(1_250)]).toEqual([false, false, true]);
  budget.spend(0);
  expect(budget.open(100_000)).toBe(true);
  budget.spend(51);
  expect(budget.open(100_000)).toBe(false);
});

describe('the reclaimer', () => {
  interface Fake extends Reclaimable { readonly name: string; sizeMb: number; running: number; keptWarm: boolean; onCollect?: () => void }

  function use(options: { budgetMb?: number; idleMs?: number } = {}): { reclaimer: Reclaimer<Fake>; gone: string[]; make: (name: string, sizeMb: number, keptWarm?: boolean) => Fake; memory: { mb: number }; tick: (ms: number) => void; clock: { ms: number; busy: number }; retirements: () => number; shrunk: string[] } {
    const gone: string[] = [];
    const shrunk: string[] = [];
    const memory = { mb: 0 };
    let retirements = 0;
    const clock = { ms: 1, busy: 0 };
    const now = vi.spyOn(performance, 'now').mockImplementation(() => clock.ms);
    onTestFinished(() => now.mockRestore());
    const drop = (what: string) => (fake: Fake, reason = ''): void => {
      memory.mb -= fake.sizeMb;
      gone.push(`${what}${reason} ${fake.name}`);
    };
    const reclaimer = new Reclaimer<Fake>({ budgetBytes: (options.budgetMb ?? 1_000) * MIB, idleMs: options.idleMs ?? 300_000, residentBytes: () => memory.mb * MIB, busyShare: () => clock.busy }, {
      reclaim: drop(''), finish: drop('finished'), retireLargest: () => (retirements += 1), resized: () => {},
    });
    onTestFinished(() => reclaimer.close());
    const make = (name: string, sizeMb: number, keptWarm = false): Fake => {
      const gauge = new HeapGauge(1_000);
      gauge.start(mb(1));
      gauge.take(mb(sizeMb));
      memory.mb += sizeMb;
      return {
        name, sizeMb, running: 0, keptWarm, gauge, idleList: null, idlePrevious: null, idleNext: null, idleSinceMs: 0,
        measure: (into) => Object.assign(into, mb(sizeMb)),
        collect() {
          shrunk.push(name);
          this.onCollect?.();
          return true;
        },
      };
    };
    const tick = (ms: number): void => {
      clock.ms = ms;
      reclaimer.tick(ms);
    };
    return { reclaimer, gone, make, memory, clock, tick, retirements: () => retirements, shrunk };
  }

  test('takes what has rested its time, the first first, and nothing that runs', () => {
    const { reclaimer, gone, make, tick } = use();
    const [a, b, c] = [make('a', 1), make('b', 1), make('c', 1)] as [Fake, Fake, Fake];
    reclaimer.rests(a, 1_000);
    reclaimer.rests(b, 2_000);
    reclaimer.rests(c, 3_000);
    reclaimer.wakes(b);
    tick(300_999);
    expect(gone).toEqual([]);
    tick(302_500);
    expect(gone).toEqual(['idle a']);
    tick(303_001);
    expect(gone).toEqual(['idle a', 'idle c']);
  });

  test('under pressure takes the one that rested longest until there is room; what is kept warm only in dire need; then retires', () => {
    const { reclaimer, gone, make, memory, tick, retirements } = use();
    reclaimer.rests(make('warm', 100, true), 1);
    for (let i = 0; i < 5; i++) reclaimer.rests(make(`f${i}`, 50), 10 + i);
    memory.mb = 880;
    tick(1_000);
    expect(gone).toEqual(['pressure f0']);
    memory.mb = 900;
    tick(2_000);
    expect(gone).toEqual(['pressure f0', 'pressure f1']);
    expect(retirements()).toBe(0);
    memory.mb = 1_300;
    tick(3_000);
    expect(gone.slice(2)).toEqual(['pressure f2', 'pressure f3', 'pressure f4', 'pressure warm']);
    expect(retirements()).toBe(1);
  });

  test('makes room before a start, however fast they come', () => {
    const { reclaimer, memory, make } = use({ budgetMb: 400 });
    for (let i = 1; i <= 500; i++) {
      reclaimer.beforeStart();
      reclaimer.rests(make(`f${i}`, 5), i);
      expect(memory.mb).toBeLessThan(370);
    }
  });

  test('finishes what is out of service first, within its time: hundreds of large ones do not stop the loop', () => {
    vi.useFakeTimers({ toFake: ['setImmediate'] });
    onTestFinished(() => void vi.useRealTimers());
    const { reclaimer, gone, make, clock, tick } = use({ budgetMb: 100_000 });
    vi.spyOn(performance, 'now').mockImplementation(() => (clock.ms += 5));
    for (let i = 0; i < 200; i++) reclaimer.finish(make(`f${i}`, 30));
    // Each takes 5 ms or more: one a turn, and what is saved up is used up soon.
    for (let turn = 0; turn < 50; turn++) vi.advanceTimersToNextTimer();
    expect(gone.length).toBeLessThan(40);
    const before = gone.length;
    tick(clock.ms + 1_000);
    for (let turn = 0; turn < 50; turn++) vi.advanceTimersToNextTimer();
    expect(gone.length).toBeGreaterThan(before);
    expect(gone.length - before).toBeLessThan(20);
  });

  test('shrinks what has grown and rests, once a rest', () => {
    const { reclaimer, shrunk, make, tick } = use();
    const grown = make('grown', 8);
    const small = make('small', 1);
    const huge = make('huge', 200);
    for (const [i, one] of [grown, small, huge].entries()) reclaimer.rests(one, 1_000 + i);
    tick(5_000);
    expect(shrunk).toEqual([]);
    tick(11_500);
    tick(20_000);
    expect(shrunk).toEqual(['grown']);
    reclaimer.wakes(grown);
    grown.sizeMb = 8;
    reclaimer.rests(grown, 30_000);
    tick(40_001);
    expect(shrunk).toEqual(['grown']);
  });

  test('what may wait takes under a hundredth of a busy loop, and a quarter of a quiet one', () => {
    const { reclaimer, shrunk, make, tick, clock } = use({ budgetMb: 1_000_000 });
    vi.useFakeTimers({ toFake: ['setImmediate'] });
    onTestFinished(() => void vi.useRealTimers());
    for (let i = 0; i < 500; i++) {
      const one = make(`f${i}`, 8);
      one.onCollect = () => (clock.ms += 5);
      reclaimer.rests(one, 1 + i / 1_000);
    }
    const second = (): number => {
      const before = shrunk.length;
      for (let i = 0; i < 4; i++) {
        tick(clock.ms + 250);
        for (let turn = 0; turn < 30 && vi.getTimerCount() > 0; turn++) vi.advanceTimersToNextTimer();
      }
      return shrunk.length - before;
    };
    clock.ms = 20_000;
    clock.busy = 0.5;
    second();
    expect(second()).toBeLessThanOrEqual(2);
    clock.busy = 0.01;
    second();
    expect(second()).toBeGreaterThan(30);
    clock.busy = 0.5;
    second();
    expect(second()).toBeLessThanOrEqual(2);
  });

  test('4,000 that rest cost a tick nothing', () => {
    const { reclaimer, make, tick } = use({ budgetMb: 100_000 });
    for (let i = 0; i < 4_000; i++) reclaimer.rests(make(`f${i}`, 1), 1_000);
    tick(2_000);
    const began = process.cpuUsage();
    for (let i = 0; i < 10_000; i++) tick(2_000);
    const { user, system } = process.cpuUsage(began);
    // A scan of all would be 40 million steps.
    expect((user + system) / 10_000).toBeLessThan(50);
  });
});

test('a large heap is not collected: what it uses decides; a small one is, one a turn', async () => {
  const retired: string[] = [];
  const collected: string[] = [];
  const soft = new SoftLimit<{ name: string; gauge: HeapGauge; leaving: boolean; leaksUntilMs: number; measure: (into: HeapSize) => void; collect: () => boolean }>((one) => retired.push(one.name));
  const one = (name: string, limit: number, used: number, after: number): Parameters<typeof soft.look>[0] => {
    let size = mb(used);
    const gauge = new HeapGauge(limit);
    gauge.start(mb(1));
    return {
      name, gauge, leaving: false, leaksUntilMs: 0, measure: (into) => Object.assign(into, size),
      collect: () => {
        collected.push(name);
        size = mb(after);
        return true;
      },
    };
  };
  for (const isolate of [one('large below', 1_000, 850, 0), one('large above', 1_000, 920, 0), one('garbage', 64, 60, 10), one('leak', 64, 60, 59), one('fine', 64, 30, 30)]) soft.look(isolate);
  expect([retired, collected]).toEqual([[], []]);
  await expect.poll(() => retired.length).toBe(2);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([retired, collected]).toEqual([['large above', 'leak'], ['garbage', 'leak']]);
  // Of one that is known to leak the next isolate is not collected, unless that was long ago.
  const known = Object.assign(one('known', 64, 52, 52), { leaksUntilMs: performance.now() + 1_000 });
  const forgotten = Object.assign(one('forgotten', 64, 52, 10), { leaksUntilMs: performance.now() - 1 });
  soft.look(known);
  soft.look(forgotten);
  await expect.poll(() => retired.length).toBe(3);
  await expect.poll(() => collected.length).toBe(3);
  expect([retired[2], collected[2]]).toEqual(['known', 'forgotten']);
});

test('starts that nobody waits for: one a turn, behind what somebody waits for, but not for ever', async () => {
  const order: string[] = [];
  let busy = false;
  const line = new BackgroundStarts<string>((item) => order.push(item), () => busy);
  onTestFinished(() => line.close());
  for (let i = 0; i < 3; i++) line.add(`start ${i}`);
  expect(order).toEqual([]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(order).toEqual(['start 0']);
  busy = true;
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(order.length).toBeLessThanOrEqual(2);
  await expect.poll(() => order.length).toBe(3);
  expect(order).toEqual(['start 0', 'start 1', 'start 2']);
});
