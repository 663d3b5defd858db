import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CodeBook, SecondSeries, VersionSums } from '../../../control/sensing/index.ts';
import { LogHistogram } from '../../../core/metrics/index.ts';
import type { HostFigures, Peer, VersionFigures } from '../../../core/protocol/index.ts';
import { FigureClock } from '../../../gateway/figure-clock.ts';
import { FigureCell } from '../../../gateway/version-figures.ts';
import { T0, gatewayFrame, increments } from '../../support/sensing.ts';

const NOTHING = { memoryBytes: 0, isolates: 0 };
const failed = (n: number): Record<string, number> => ({ cpu_limit_exceeded: n });

function stand(options: { readonly versions?: number; readonly bytes?: number } = {}): { clock: { ms: number }; series: SecondSeries; push: (span: readonly [number, number], ...versions: VersionFigures[]) => void } {
  const clock = { ms: T0 };
  const series = new SecondSeries({ now: () => clock.ms, ...options });
  return { clock, series, push: (span, ...versions) => series.takeGateway('gateway', gatewayFrame(span, versions), (fn) => fn !== 'gone') };
}

function requestsBySecond(series: SecondSeries, fn: string, version: number): [number, number][] {
  const seconds = new Map<number, VersionSums>();
  series.sumBySecond(fn, version, T0, T0 + 900_000, seconds);
  return [...seconds].map(([second, { requests }]): [number, number] => [second, requests]).toSorted(([a], [b]) => a - b);
}

const host = (name: string, epoch: number): Peer => ({ role: 'host', name, epoch, pid: 1 }) as Peer;
const hosted = (...rows: [fn: string, version: number, memoryBytes: number, isolates: number][]): HostFigures =>
  ({ kind: 'host', versions: rows.map(([fn, version, memoryBytes, isolates]) => ({ function: fn, version, memoryBytes, isolates })) }) as unknown as HostFigures;

describe('a cell of the gateway', () => {
  it('counts as failed what is the tenant\'s or the platform\'s fault, whatever the status that went out before', () => {
    const cell = new FigureCell('f', 1);
    cell.answered(200, '', 1);
    cell.answered(500, '', 1);
    // The head was out when it failed.
    cell.answered(200, 'function_threw', 1);
    cell.answered(503, 'overloaded', 1);
    cell.answered(429, 'rate_limited', 1);
    cell.answered(404, 'not_found', 1);
    cell.answered(499, 'client_gone', 1);
    expect(cell.take().failed).toBe(3);
    expect(cell.take().failed).toBe(0);
  });
});

describe('the gateway\'s clock of figures', () => {
  it('waits until just after each half second, and its spans follow each other without a gap', () => {
    const clock = { ms: T0 + 130 };
    const figures = new FigureClock(500, () => clock.ms);
    for (const [after, delay] of [[130, 371], [501, 500], [999, 2], [1_000, 501]] as const) {
      clock.ms = T0 + after;
      expect(figures.delayMs).toBe(delay);
    }
    expect(figures.take()).toEqual([T0 + 130, T0 + 1_000]);
    clock.ms += 501;
    expect(figures.take()).toEqual([T0 + 1_000, T0 + 1_501]);
    // The machine's clock was set back.
    clock.ms -= 10_000;
    expect(figures.take()).toEqual([clock.ms, clock.ms]);
  });
});

describe('seconds', () => {
  it('are those in which something happened, not those in which it was said', () => {
    const { clock, series, push } = stand();
    clock.ms = T0 + 1_002;
    push([T0 + 1, T0 + 501], increments('f', 1, 3));
    push([T0 + 501, T0 + 1_001], increments('f', 1, 4, failed(1)));
    clock.ms = T0 + 1_502;
    push([T0 + 1_001, T0 + 1_501], increments('f', 1, 5), increments('f', 2, 7), increments('gone', 1, 9));
    expect(series.window('f', 1, T0, T0 + 1_000)).toMatchObject({ requests: 8, failed: 1, fromMs: T0, toMs: T0 + 1_000 });
    expect(series.window('f', 1, T0, T0 + 1_000).codes).toEqual(new Map([['cpu_limit_exceeded', 1]]));
    expect(series.window('f', 1, T0, T0 + 1_000).wallUs.total).toBe(8);
    expect(series.window('f', 1, T0, T0 + 1_000).cpuUs.total).toBe(2);
    expect(series.window('f', 1, T0 + 1_000, T0 + 2_000).requests).toBe(5);
    expect(series.window('f', 1, T0, T0 + 2_000).requests).toBe(13);
    expect(series.window('f', 2, T0, T0 + 2_000).requests).toBe(7);
    expect(series.window('f', 3, T0, T0 + 2_000)).toMatchObject({ requests: 0, memoryBytes: 0, isolates: 0 });
    expect(series.window('gone', 1, T0, T0 + 2_000).requests).toBe(0);
    expect(series.versionsOf('f')).toEqual([1, 2]);
    expect(requestsBySecond(series, 'f', 1)).toEqual([[T0 / 1_000, 8], [T0 / 1_000 + 1, 5]]);
  });

  it('take increments that come late, and those of several gateways', () => {
    const { clock, series } = stand();
    const push = (gateway: string, second: number): void => series.takeGateway(gateway, gatewayFrame([T0 + second * 1_000, T0 + second * 1_000 + 500], [increments('f', 1, 1)]), () => true);
    clock.ms = T0 + 9_000;
    for (const second of [1, 2, 1, 3, 2, 3]) push(second % 2 === 0 ? 'a' : 'b', second);
    for (const second of [1, 2, 3]) expect(series.window('f', 1, T0 + second * 1_000, T0 + (second + 1) * 1_000).requests).toBe(2);
    expect(requestsBySecond(series, 'f', 1)).toEqual([1, 2, 3].map((s) => [T0 / 1_000 + s, 2]));
  });

  it('are the present one for a clock that cannot be', () => {
    const { series, push } = stand();
    push([T0 + 60_000, T0 + 61_000], increments('f', 1, 1));
    push([0, 10], increments('f', 1, 1));
    expect(series.window('f', 1, T0, T0 + 1_000).requests).toBe(2);
    expect(series.upToMs).toBeLessThanOrEqual(T0 + 2_000);
  });

  it('show what isolates of all hosts hold, in the mean', () => {
    const { series, push } = stand();
    series.takeHost(host('host-1', 1), hosted(['f', 1, 4_096_000, 2], ['g', 1, 9_999, 1]));
    series.takeHost(host('host-2', 1), hosted(['f', 1, 1_024_000, 1]));
    push([T0, T0 + 400], increments('f', 1, 1));
    // One that is back under its name has another epoch: the old one's end is not its end.
    series.lost(host('host-2', 9));
    push([T0, T0 + 400], increments('f', 1, 1));
    expect(series.window('f', 1, T0, T0 + 1_000)).toMatchObject({ memoryBytes: 5_120_000, isolates: 3 });
    series.lost(host('host-2', 1));
    push([T0 + 1_000, T0 + 1_400], increments('f', 1, 1));
    expect(series.window('f', 1, T0 + 1_000, T0 + 2_000)).toMatchObject({ memoryBytes: 4_096_000, isolates: 2 });
    expect(series.window('f', 1, T0, T0 + 2_000).memoryBytes).toBeCloseTo((5_120_000 * 2 + 4_096_000) / 3, 0);
  });
});

describe('completeness', () => {
  it('goes as far as the slowest gateway, not back, and not by one that is gone or silent', () => {
    const { clock, series } = stand();
    const say = (gateway: string, toMs: number): void => series.takeGateway(gateway, gatewayFrame([toMs - 500, toMs], []), () => true);
    expect(series.upToMs).toBe(0);
    clock.ms = T0 + 10_000;
    say('a', T0 + 9_501);
    expect(series.upToMs).toBe(T0 + 9_000);
    say('b', T0 + 7_900);
    expect(series.upToMs).toBe(T0 + 9_000);
    say('a', T0 + 10_001);
    expect(series.upToMs).toBe(T0 + 9_000);
    say('b', T0 + 10_002);
    expect(series.upToMs).toBe(T0 + 10_000);
    clock.ms = T0 + 12_000;
    say('a', T0 + 12_001);
    expect(series.upToMs).toBe(T0 + 10_000);
    series.lost({ role: 'gateway', name: 'b', epoch: 1, pid: 1 } as Peer);
    expect(series.upToMs).toBe(T0 + 12_000);
    say('b', T0 + 12_100);
    clock.ms = T0 + 17_000;
    say('a', T0 + 17_001);
    // Silent for 5 s.
    clock.ms = T0 + 17_100;
    series.review();
    expect(series.upToMs).toBe(T0 + 17_000);
  });
});

describe('memory', () => {
  it('is let go of after 15 minutes, and with the function', () => {
    const { clock, series, push } = stand();
    push([T0, T0 + 400], increments('f', 1, 1), increments('g', 1, 1));
    expect(series.bytes).toBeGreaterThan(0);
    series.forget('g');
    expect(series.versionsOf('g')).toEqual([]);
    clock.ms = T0 + 899_000;
    for (let i = 0; i < 40; i++) series.review();
    expect(series.window('f', 1, T0, T0 + 1_000).requests).toBe(1);
    push([clock.ms, clock.ms + 400], increments('f', 2, 1));
    clock.ms = T0 + 902_000;
    for (let i = 0; i < 40; i++) series.review();
    expect(series.versionsOf('f')).toEqual([2]);
    clock.ms += 900_000;
    for (let i = 0; i < 40; i++) series.review();
    expect(series.bytes).toBe(0);
    expect(series.versionsTracked).toBe(0);
    expect(series.versionsDropped).toBe(0);
  });

  it('holds only so many versions: the one without news for longest goes, and is counted', () => {
    const { series, push } = stand({ versions: 3 });
    push([T0, T0 + 1], increments('a', 1, 1), increments('b', 1, 1), increments('c', 1, 1));
    push([T0, T0 + 1], increments('a', 1, 1));
    push([T0, T0 + 1], increments('d', 1, 1));
    expect(['a', 'b', 'c', 'd'].map((fn) => series.window(fn, 1, T0, T0 + 1_000).requests)).toEqual([2, 0, 1, 1]);
    expect(series.versionsDropped).toBe(1);
    expect(series.versionsTracked).toBe(3);
  });

  it('holds only so many bytes: the oldest seconds of all go first, then whole versions', () => {
    const { clock, series, push } = stand({ bytes: 350_000 });
    const rows = Array.from({ length: 40 }, (_, i) => increments(`f${i}`, 1, 1));
    for (let s = 0; s < 400; s++) {
      clock.ms = T0 + s * 1_000 + 501;
      push([clock.ms - 501, clock.ms], ...rows);
      series.review();
      // What the second at hand adds is above it until the next review lets go.
      expect(series.bytes).toBeLessThan(450_000);
    }
    expect(series.versionsDropped).toBe(0);
    expect(series.keptMs).toBeLessThan(390_000);
    expect(series.keptMs).toBeGreaterThanOrEqual(120_000);
    expect(series.window('f0', 1, clock.ms - 100_000, clock.ms).requests).toBe(100);

    const small = stand({ bytes: 5_000 });
    for (let s = 0; s < 200; s++) {
      small.clock.ms = T0 + s * 1_000 + 501;
      small.push([small.clock.ms - 501, small.clock.ms], ...rows);
      small.series.review();
    }
    expect(small.series.versionsDropped).toBeGreaterThan(0);
    expect(small.series.bytes).toBeLessThanOrEqual(5_000);
  });
});

describe('sums as bytes', () => {
  const pairs = fc.array(fc.tuple(fc.integer({ min: 0, max: 160 }), fc.integer({ min: 1, max: 2 ** 24 })), { maxLength: 40 });
  const figures: fc.Arbitrary<VersionFigures> = fc.record({
    function: fc.constant('f'), version: fc.constant(1),
    statuses: fc.dictionary(fc.constantFrom('200', '404', '500', '503'), fc.integer({ min: 0, max: 2 ** 30 })),
    codes: fc.dictionary(fc.constantFrom('function_threw', 'client_gone', 'cpu_limit_exceeded', 'madeUp', '__proto__'), fc.integer({ min: 1, max: 2 ** 30 })),
    failed: fc.option(fc.integer({ min: 0, max: 2 ** 31 }), { nil: undefined }) as fc.Arbitrary<number>,
    wallUs: pairs, cpuUs: pairs, coldStarts: fc.nat(), coldUs: fc.constant([]), coldPhasesMs: fc.constant([0, 0, 0, 0]) as fc.Arbitrary<[number, number, number, number]>, limits: fc.constant({}),
  });
  const held = fc.record({ memoryBytes: fc.integer({ min: 0, max: 2 ** 45 }), isolates: fc.nat() });
  const plain = (sums: VersionSums): unknown => ({
    counts: [sums.requests, sums.failed, sums.coldStarts, sums.looks, sums.memoryKib, sums.memoryMaxKib, sums.isolates], codes: [...sums.codes].toSorted(([a], [b]) => a - b), wallUs: sums.wallUs.toPairs(), cpuUs: sums.cpuUs.toPairs(),
  });

  it('read back are what was written, and adding them is adding what they are of', () => {
    const book = new CodeBook();
    fc.assert(fc.property(fc.array(fc.tuple(figures, held), { maxLength: 6 }), fc.nat(20), (increment, offset) => {
      const all = new VersionSums();
      const read = new VersionSums();
      const bytes = new Uint8Array(10_000);
      for (const [one, now] of increment) {
        all.addFigures(one, now, book);
        const part = new VersionSums();
        part.addFigures(one, now, book);
        const end = part.encode(bytes, offset);
        expect(read.addEncoded(bytes, offset)).toBe(end);
      }
      expect(plain(read)).toEqual(plain(all));
      expect(read.wallUs.quantile(0.99)).toBe(all.wallUs.quantile(0.99));
      const end = all.encode(bytes, offset);
      const again = new VersionSums();
      expect(again.addEncoded(bytes, offset)).toBe(end);
      expect(plain(again)).toEqual(plain(all));
    }), { numRuns: 200 });
  });

  it('fit into a second\'s record at their largest', () => {
    const sums = new VersionSums();
    const book = new CodeBook();
    const full = new LogHistogram();
    for (let i = 0; i <= 160; i++) full.add(i, 2 ** 32 - 1);
    const huge = { ...increments('f', 1, 0), statuses: { 200: 1e300 }, codes: Object.fromEntries(book.names.map((name) => [name, 1e300])), failed: 1e300, coldStarts: 1e300, wallUs: full.toPairs(), cpuUs: full.toPairs() };
    for (let i = 0; i < 3; i++) sums.addFigures(huge, { memoryBytes: 1e300, isolates: 1e300 }, book);
    const bytes = new Uint8Array(8_192);
    const end = sums.encode(bytes, 0);
    const again = new VersionSums();
    expect(again.addEncoded(bytes, 0)).toBe(end);
    expect(again.requests).toBe(sums.requests);
    expect(again.codes).toEqual(sums.codes);
  });

  it('know codes by numbers that never change', () => {
    const book = new CodeBook(['bad_request', 'once_upon_a_time']);
    expect(book.number('bad_request')).toBe(0);
    expect(book.name(1)).toBe('once_upon_a_time');
    expect(book.name(book.number('function_threw'))).toBe('function_threw');
    expect(book.name(book.number('once upon'))).toBe('other');
    expect(new CodeBook(book.names).names).toEqual(book.names);
    const sums = new VersionSums();
    sums.addFigures(increments('f', 1, 1, failed(2)), NOTHING, book);
    expect(sums.codes.get(book.number('cpu_limit_exceeded'))).toBe(2);
  });
});
