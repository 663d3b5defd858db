// Rows of functions' logs about kills and throttles: the first at once, then few, with what was left out counted; bounded.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Explanations } from '../../../gateway/explanations.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'Date'] }));
afterEach(() => void vi.useRealTimers());

const fieldsOf = (explanations: Explanations): Record<string, unknown>[] => (explanations.take()?.[2] ?? []).map((row) => JSON.parse(row[6] ?? '{}') as Record<string, unknown>);

test('a kill names limit and use; what comes soon after is counted in the next row', () => {
  const explanations = new Explanations();
  const kill = { code: 'cpu_limit_exceeded', params: { limit: 50, used: 53, note: 'of the function' } } as const;
  for (let i = 0; i < 10; i++) explanations.note('f', 2, `id-${i}`, kill);
  explanations.note('f', 2, 'id', { code: 'rate_limited', params: { ratePerSec: 5, limit: 5 } });
  explanations.note('g', 1, 'id', kill);
  const rows = explanations.take()?.[2] ?? [];
  expect(rows.map(([, level, fn, version, invocation]) => [level, fn, version, invocation])).toEqual([['warn', 'f', 2, 'id-0'], ['warn', 'f', 2, 'id'], ['warn', 'g', 1, 'id']]);
  expect(JSON.parse(rows[0]?.[6] ?? '')).toEqual({ code: 'cpu_limit_exceeded', limit: 50, used: 53 });
  expect(explanations.take()).toBeUndefined();
  vi.advanceTimersByTime(6_000);
  explanations.note('f', 2, 'later', kill);
  expect(fieldsOf(explanations)).toEqual([{ code: 'cpu_limit_exceeded', limit: 50, used: 53, times: 10 }]);
});

test('codes that explain themselves make no row', () => {
  const explanations = new Explanations();
  explanations.note('f', 1, 'id', { code: 'function_threw', params: null });
  explanations.note('f', 1, 'id', { code: 'body_too_large', params: { limitBytes: 1 } });
  expect(explanations.take()).toBeUndefined();
});

test('rows and memory are bounded, and what found no room is counted', () => {
  const explanations = new Explanations();
  for (let i = 0; i < 6_000; i++) explanations.note(`f${i}`, 1, 'id', { code: 'overloaded', params: { what: 'x' } });
  const [, , rows, dropped] = explanations.take() ?? [0, 0, [], {}];
  expect(rows).toHaveLength(2_000);
  expect(Object.keys(dropped)).toHaveLength(3_000);
});
