import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Minutes, SecondSeries, SeriesReader } from '../../../control/sensing/index.ts';
import type { Metric } from '../../../control/sensing/index.ts';
import { METRICS } from '../../../control/sensing/index.ts';
import { openLmdbRows } from '../../../control/store/index.ts';
import { PlatformError } from '../../../core/errors/index.ts';
import { createLogger } from '../../../core/log/index.ts';
import type { OrderedRows } from '../../../core/ports/index.ts';
import { useTempFolder } from '../../support/control-temp.ts';
import { T0, gatewayFrame, increments } from '../../support/sensing.ts';

const NOTHING = { memoryBytes: 0, isolates: 0 };
const MINUTE = T0 / 60_000;
const ALL = (): boolean => true;
const DAY_MS = 86_400_000;

function rowsIn(folder: string): OrderedRows {
  const store = openLmdbRows(join(folder, 'control-figures'));
  onTestFinished(() => store.close());
  return store.rows('minutes');
}

function stand(rows: OrderedRows | (() => OrderedRows) = rowsIn(useTempFolder()), limits: { readonly rows?: number; readonly pending?: number } = {}) {
  const clock = { ms: T0 };
  let log = '';
  const logger = createLogger({ name: 'control', level: 'info', destination: { write: (line: string) => void (log += line) } });
  const minutes = new Minutes({ open: typeof rows === 'function' ? rows : (): OrderedRows => rows, now: () => clock.ms, logger, ...limits });
  const add = (fn: string, version: number, ok: number, failures: Readonly<Record<string, number>> = {}, held = NOTHING): void => minutes.add(increments(fn, version, ok, failures), Math.floor(clock.ms / 1_000), held);
  const requests = (fn: string, from = MINUTE - 100_000, to = MINUTE + 100_000, version?: number): [number, number][] => [...minutes.read(fn, (one) => version === undefined || one === version, from, to, 1_000).minutes].map(([minute, sums]) => [minute - MINUTE, sums.requests]);
  return { clock, minutes, add, requests, log: () => log };
}

/** Rows that refuse while `failing` is set, as a full disk does. */
function refusing(rows: OrderedRows): OrderedRows & { failing: boolean } {
  const wrapped = {
    failing: false,
    get: (key: string) => rows.get(key), range: rows.range.bind(rows), keys: rows.keys.bind(rows),
    get count() { return rows.count; },
    write: (changes: Parameters<OrderedRows['write']>[0]) => {
      if (wrapped.failing) throw new PlatformError('storage_failed', undefined, { cause: new Error('No space left on device') });
      rows.write(changes);
    },
  };
  return wrapped;
}

describe('minutes', () => {
  it('are written when they are over, with what came late added, and read with what is not written yet', async () => {
    const rows = rowsIn(useTempFolder());
    const { clock, minutes, add, requests } = stand(rows);
    add('f', 1, 3, { cpu_limit_exceeded: 2 }, { memoryBytes: 1_048_576, isolates: 1 });
    clock.ms = T0 + 59_000;
    add('f', 1, 1, {}, { memoryBytes: 3 * 1_048_576, isolates: 2 });
    add('f', 2, 7);
    await minutes.flush();
    expect(rows.count).toBe(0);
    expect(requests('f')).toEqual([[0, 13]]);
    clock.ms = T0 + 62_000;
    add('f', 1, 10);
    await minutes.flush();
    expect(minutes.counts.written).toBe(2);
    expect(minutes.pending).toBe(1);
    expect(requests('f')).toEqual([[0, 13], [1, 10]]);
    expect(requests('f', undefined, undefined, 1)).toEqual([[0, 6], [1, 10]]);
    minutes.add(increments('f', 1, 100), T0 / 1_000 + 30, NOTHING);
    await minutes.flush();
    expect(requests('f', undefined, undefined, 1)).toEqual([[0, 106], [1, 10]]);
    const sums = minutes.read('f', (one) => one === 1, MINUTE, MINUTE + 1, 10).minutes.get(MINUTE);
    expect(sums).toMatchObject({ failed: 2, memoryMaxKib: 3 * 1_024 });
    expect([...(sums?.codes ?? [])].map(([code, n]) => [minutes.codeName(code), n])).toEqual([['cpu_limit_exceeded', 2]]);
    expect(sums?.wallUs.total).toBe(106);
    // A name that the other begins with is another function.
    add('f-2', 1, 50);
    add('f0', 1, 50);
    await minutes.flush(true);
    expect(requests('f')).toEqual([[0, 113], [1, 10]]);
  });

  it('go on after a restart, within the same minute too', async () => {
    const folder = useTempFolder();
    const store = openLmdbRows(join(folder, 'control-figures'));
    const first = stand(store.rows('minutes'));
    first.add('f', 1, 5, { function_threw: 1 });
    await first.minutes.flush(true);
    await store.close();
    const second = stand(rowsIn(folder));
    second.add('f', 1, 2, { function_threw: 1 });
    expect(second.requests('f')).toEqual([[0, 9]]);
    await second.minutes.flush(true);
    expect(second.requests('f')).toEqual([[0, 9]]);
    const sums = second.minutes.read('f', ALL, MINUTE, MINUTE + 1, 10).minutes.get(MINUTE);
    expect([...(sums?.codes ?? [])].map(([code, n]) => [second.minutes.codeName(code), n])).toEqual([['function_threw', 2]]);
  });

  it('add up to the same whatever is written when', async () => {
    const step = fc.record({ fn: fc.constantFrom('a', 'a-b', 'ab'), version: fc.integer({ min: 1, max: 3 }), second: fc.integer({ min: 0, max: 300 }), ok: fc.integer({ min: 0, max: 4 }), killed: fc.integer({ min: 0, max: 2 }), flush: fc.boolean() });
    const rows = rowsIn(useTempFolder());
    let run = 0;
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      // Each run has functions of its own: opening a database a run would cost more than the test.
      const prefix = `r${(run += 1)}x`;
      const { minutes, clock } = stand(rows);
      const expected = new Map<string, number>();
      for (const { fn, version, second, ok, killed, flush } of steps) {
        if (ok + killed === 0) continue;
        minutes.add(increments(prefix + fn, version, ok, { memory_limit_exceeded: killed }), T0 / 1_000 + second, NOTHING);
        const key = `${fn} ${Math.floor(second / 60)}`;
        expected.set(key, (expected.get(key) ?? 0) + ok + killed);
        clock.ms = T0 + 180_000;
        if (flush) await minutes.flush();
      }
      const found = ['a', 'a-b', 'ab'].flatMap((fn) => [...minutes.read(prefix + fn, ALL, MINUTE, MINUTE + 10, 100).minutes].map(([minute, sums]) => [`${fn} ${minute - MINUTE}`, sums.requests] as const));
      expect(new Map(found)).toEqual(expected);
    }), { numRuns: 40 });
  });

  it('are kept for 30 days, and let go of in bounded steps', async () => {
    const rows = rowsIn(useTempFolder());
    const { clock, minutes, add, requests } = stand(rows);
    for (let i = 0; i < 450; i++) add(`fn-${i}`, 1, 1);
    clock.ms = T0 + 15 * DAY_MS;
    add('fn-7', 1, 1);
    await minutes.flush(true);
    clock.ms = T0 + 30 * DAY_MS - 60_000;
    for (let i = 0; i < 5; i++) minutes.expire();
    expect(minutes.counts.expired).toBe(0);
    clock.ms = T0 + 30 * DAY_MS + 3_700_000;
    minutes.expire();
    // 200 functions a step.
    expect(minutes.counts.expired).toBe(200);
    for (let i = 0; i < 5; i++) minutes.expire();
    expect(minutes.counts.expired).toBe(450);
    expect(requests('fn-7')).toEqual([[15 * 24 * 60, 1]]);
    expect(rows.count).toBe(2);
  });

  it('that are too many go early', async () => {
    const rows = rowsIn(useTempFolder());
    const { clock, minutes, log } = stand(rows, { rows: 100 });
    for (let minute = 0; minute < 30 * 24 * 60; minute += 120) minutes.add(increments('f', 1, 1), T0 / 1_000 + minute * 60, NOTHING);
    clock.ms = T0 + 30 * DAY_MS;
    await minutes.flush(true);
    expect(rows.count).toBe(361);
    for (let i = 0; i < 1_000 && rows.count > 101; i++) minutes.expire();
    expect(rows.count).toBeLessThanOrEqual(101);
    expect(minutes.keptMinutes).toBeLessThan(30 * 24 * 60);
    expect(log()).toContain('there are more figures by the minute than there is room for');
  });
});

describe('a disk that refuses', () => {
  it('is named once and counted, and nothing is lost that finds room in memory', async () => {
    const rows = refusing(rowsIn(useTempFolder()));
    const { clock, minutes, add, requests, log } = stand(rows, { pending: 3 });
    rows.failing = true;
    add('f', 1, 1);
    for (let i = 0; i < 4; i++) {
      clock.ms += 65_000;
      await minutes.flush();
      // Not again within 10 s.
      await minutes.flush();
      if (i < 2) add('f', 1, 1);
    }
    expect(minutes.counts).toMatchObject({ failed: 4, written: 0, lost: 0 });
    expect(log().match(/by the minute cannot be written/g)).toHaveLength(1);
    expect(log()).toContain('"code":"storage_failed"');
    expect(log()).toContain('No space left on device');
    add('g', 1, 1);
    add('g', 2, 1);
    expect(minutes.counts.lost).toBe(2);
    rows.failing = false;
    clock.ms += 65_000;
    await minutes.flush();
    expect(minutes.counts.written).toBe(3);
    expect(requests('f').map(([, n]) => n)).toEqual([1, 1, 1]);
    rows.failing = true;
    add('f', 1, 1);
    await minutes.flush(true);
    expect(log().match(/by the minute cannot be written/g)).toHaveLength(2);
  });

  it('at the start, too: rows are opened when they can be, and codes keep their meaning', async () => {
    const rows = rowsIn(useTempFolder());
    const before = stand(rows);
    before.add('f', 1, 0, { function_threw: 1 });
    await before.minutes.flush(true);
    // Numbers of another release, where this code came first.
    rows.write([['!codes', Buffer.from(JSON.stringify(['memory_limit_exceeded', 'other', 'client_gone']))], ['f/00000000/0000000000000001', null]]);
    let closed = true;
    const { clock, minutes, add } = stand(() => {
      if (closed) throw new PlatformError('storage_failed');
      return rows;
    });
    expect(minutes.counts.failed).toBe(1);
    add('g', 1, 0, { memory_limit_exceeded: 3 });
    closed = false;
    clock.ms += 70_000;
    await minutes.flush();
    const sums = minutes.read('g', ALL, MINUTE, MINUTE + 1, 10).minutes.get(MINUTE);
    expect([...(sums?.codes ?? [])].map(([code, n]) => [code, minutes.codeName(code), n])).toEqual([[0, 'memory_limit_exceeded', 3]]);
  });
});

describe('reading', () => {
  const all = new Set<Metric>(METRICS);
  function reader() {
    const { clock, minutes } = stand();
    const seconds = new SecondSeries({ now: () => clock.ms, onFigures: (row, second, held) => minutes.add(row, second, held) });
    const push = (atMs: number, ...versions: ReturnType<typeof increments>[]): void => {
      clock.ms = atMs + 500;
      seconds.takeGateway('gateway', gatewayFrame([atMs, atMs + 500], versions), () => true);
    };
    return { clock, minutes, push, read: (query: Partial<Parameters<SeriesReader['read']>[1]>) => new SeriesReader(seconds, minutes, () => clock.ms).read('f', { step: '1s', fromMs: undefined, toMs: undefined, version: undefined, firstVersion: 1, metrics: all, limit: 100, ...query }) };
  }
  const field = (thrown: unknown): unknown => (thrown instanceof PlatformError ? (thrown.params as unknown as { errors: { path: string }[] }).errors[0]?.path : thrown);

  it('gives points by the second and by the minute, of one version or of all', () => {
    const { push, read } = reader();
    push(T0 + 1_000, increments('f', 1, 3, { function_threw: 1 }), increments('f', 2, 4), increments('g', 1, 9));
    push(T0 + 3_000, increments('f', 1, 1));
    push(T0 + 61_000, increments('f', 1, 1));
    const bySecond = read({ fromMs: T0, toMs: T0 + 10_000 });
    expect(bySecond).toMatchObject({ name: 'f', version: null, step: '1s', from: new Date(T0).toISOString(), to: new Date(T0 + 10_000).toISOString(), upTo: new Date(T0 + 61_000).toISOString(), next: null });
    expect(bySecond.items.map((p) => [Date.parse(p.time) - T0, p.requests, p.errorRate])).toEqual([[1_000, 8, 0.125], [3_000, 1, 0]]);
    expect(bySecond.items[0]).toMatchObject({ failed: 1, codes: { function_threw: 1 }, wallMs: { p50: 1.024, p99: 1.024 }, cpuMs: { p50: 0.108 }, coldStarts: 0, memoryBytes: { mean: 0, max: 0 }, isolates: 0 });
    expect(read({ fromMs: T0, toMs: T0 + 10_000, version: 2 }).items.map((p) => p.requests)).toEqual([4]);
    // The function of version 1 was another one, of the same name.
    expect(read({ fromMs: T0, toMs: T0 + 10_000, firstVersion: 2 }).items.map((p) => p.requests)).toEqual([4]);
    expect(read({ step: '1m', firstVersion: 2 }).items.map((p) => p.requests)).toEqual([4]);
    expect(read({ step: '1m', fromMs: T0, toMs: T0 + 600_000 }).items.map((p) => [Date.parse(p.time) - T0, p.requests])).toEqual([[0, 9], [60_000, 1]]);
    expect(read({ step: '1m' }).items).toHaveLength(2);
    expect(read({ fromMs: T0, toMs: T0 + 10_000, metrics: new Set<Metric>(['requests', 'cpuMs']) }).items[0]).toEqual({ time: new Date(T0 + 1_000).toISOString(), requests: 8, cpuMs: { p50: 0.108, p99: 0.108 } });
  });

  it('gives pages that follow each other', async () => {
    const { push, read, minutes } = reader();
    for (let i = 0; i < 25; i++) push(T0 + i * 10_000, increments('f', 1 + (i % 2), 1));
    for (const step of ['1s', '1m'] as const) {
      const pages: (string | undefined)[][] = [];
      let fromMs: number | undefined = T0;
      while (fromMs !== undefined && pages.length < 50) {
        const { items, next } = read({ step, fromMs, toMs: T0 + 300_000, limit: step === '1s' ? 10 : 2 });
        pages.push(items.map((p) => p.time));
        fromMs = next === null ? undefined : Date.parse(next);
      }
      expect(pages.map((page) => page.length)).toEqual(step === '1s' ? [10, 10, 5] : [2, 2, 1]);
      expect(new Set(pages.flat()).size).toBe(pages.flat().length);
      await minutes.flush(true);
    }
  });

  it('refuses spans that are none, or longer than what is kept', () => {
    const { read } = reader();
    for (const query of [{ fromMs: T0, toMs: T0 }, { fromMs: T0 + 5_000, toMs: T0 }, { fromMs: T0 - 1_000_000, toMs: T0 }, { step: '1m' as const, fromMs: T0 - 31 * DAY_MS, toMs: T0 }]) {
      let thrown: unknown;
      try {
        read(query);
      } catch (error) {
        thrown = error;
      }
      expect(field(thrown)).toBe('from');
    }
    expect(read({ step: '1m', fromMs: T0 - 30 * DAY_MS, toMs: T0 }).items).toEqual([]);
  });
});
