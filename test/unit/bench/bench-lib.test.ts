// The benches' own arithmetic: a wrong percentile or floor would make every claim worthless.
import { describe, expect, it } from 'vitest';
import { judge } from '../../../bench/lib/floors.ts';
import { parseOptions } from '../../../bench/lib/options.ts';
import { roundOrder } from '../../../bench/lib/servers.ts';
import { median, percentile, spread } from '../../../bench/lib/stats.ts';
import { formatNumber, formatTable } from '../../../bench/lib/table.ts';
import { coldPhasesMs } from '../../../bench/suites/cold-start.ts';

describe('stats', () => {
  it('takes nearest-rank percentiles of unsorted values', () => {
    const values = Array.from({ length: 100 }, (_, i) => 100 - i);
    expect([percentile(values, 50), percentile(values, 99), percentile(values, 100), percentile(values, 0)]).toEqual([50, 99, 100, 1]);
  });

  it('takes the mean of the two middle values', () => {
    expect([median([3, 1, 2]), median([4, 1, 3, 2]), median([7])]).toEqual([2, 2.5, 7]);
  });

  it('answers NaN for no values, which no floor accepts', () => {
    expect(median([])).toBeNaN();
    expect(spread([])).toMatchObject({ count: 0, p99: Number.NaN });
  });
});

describe('floors', () => {
  const bounds = [
    { name: 'ratio', bound: 2.5, side: 'min' },
    { name: 'delay_ms', bound: 5, side: 'max' },
  ] as const;

  it.each([
    [2.5, 5, []],
    [2.49, 5, ['ratio']],
    [3, 5.01, ['delay_ms']],
    [Number.NaN, Number.NaN, ['ratio', 'delay_ms']],
  ])('judges a ratio of %d and a delay of %d', (ratio, delayMs, missed) => {
    expect(judge(new Map([['ratio', ratio], ['delay_ms', delayMs]]), bounds).missed).toEqual(missed);
  });

  it('writes name, value and bound, and leaves out what was not measured', () => {
    expect(judge(new Map([['ratio', 3.14159]]), bounds).lines).toEqual(['ratio 3.142 2.5']);
    expect(judge(new Map([['delay_ms', 4]]), bounds).lines).toEqual(['delay_ms 4 <=5']);
  });
});

describe('cold start reasons', () => {
  it('reads the phases', () => {
    expect(coldPhasesMs('cold_start;queue=0.1;isolate=1.2;restore=0.8;handler=0.3')).toEqual({ queue: 0.1, isolate: 1.2, restore: 0.8, handler: 0.3 });
  });

  it.each(['', 'cpu_limit_exceeded;limit=50;used=53', 'cold_start;queue=0.1'])('refuses %j', (reason) => {
    expect(() => coldPhasesMs(reason)).toThrow(/cold start/);
  });
});

describe('options', () => {
  const names = ['hello', 'json'];

  it('parts suites from examples', () => {
    expect(parseOptions(['--only', 'latency', '--only', 'json', '--check'], names)).toMatchObject({ suites: ['latency'], examples: ['json'], check: true });
  });

  it.each([['--only', 'nothing'], ['--rounds', '0'], ['--fast']])('refuses %s %s', (...argv) => {
    expect(() => parseOptions(argv, names)).toThrow(TypeError);
  });
});

describe('rounds', () => {
  it('lets every server be first, and changes who follows whom', () => {
    const orders = Array.from({ length: 6 }, (_, round) => roundOrder(['a', 'b', 'c'], round).join(''));
    expect(new Set(orders.map((order) => order[0]))).toEqual(new Set(['a', 'b', 'c']));
    expect(orders.some((order) => order.includes('ab')) && orders.some((order) => order.includes('ba'))).toBe(true);
  });
});

describe('tables', () => {
  it('aligns numbers to the right and text to the left', () => {
    expect(formatTable(['name', 'n'], [['a', 1], ['long', 1_234]])).toBe('name      n\na         1\nlong  1,234');
  });

  it('keeps three significant digits', () => {
    expect([formatNumber(0.012345), formatNumber(12.345), formatNumber(999.6), formatNumber(Number.NaN)]).toEqual(['0.0123', '12.3', '1000', '-']);
  });
});
