// What the control API takes: limits and their ranges, names, file paths, traffic, triggers; and the paths in errors.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { copySchema, fieldErrors, fieldPath, filePathSchema, functionNameSchema, functionPutSchema, limitsSchema, pageSchema, trafficSchema, triggerSchema, uploadSchema } from '../../../core/schemas/index.ts';
import type { z } from 'zod';

const ok = (schema: z.ZodType, value: unknown): boolean => schema.safeParse(value).success;
const paths = (schema: z.ZodType, value: unknown): string[] => {
  const parsed = schema.safeParse(value);
  return parsed.success ? [] : fieldErrors(parsed.error).map((e) => e.path);
};

describe('limits', () => {
  const RANGES: readonly (readonly [string, number, number, number])[] = [
    ['cpuMs', 1, 300_000, 50], ['wallMs', 1, 300_000, 10_000], ['idleMs', 1, 86_400_000, 30_000], ['streamMs', 1, 86_400_000, 300_000], ['memoryMb', 8, 1_024, 64],
    ['concurrency', 1, 10_000, 100], ['rps', 0, 1_000_000, 0], ['bodyBytes', 0, 1_024 * 1_048_576, 10 * 1_048_576], ['subrequests', 0, 10_000, 50],
  ];
  it.each(RANGES)('%s is %d to %d, %d when absent', (name, min, max, fallback) => {
    expect(limitsSchema.parse({})[name as 'cpuMs']).toBe(fallback);
    for (const value of [min, max]) expect(ok(limitsSchema, { [name]: value })).toBe(true);
    for (const value of [min - 1, max + 1, min + 0.5, Number.NaN, Number.POSITIVE_INFINITY, String(min), null, true, [min]]) expect([value, paths(limitsSchema, { [name]: value })]).toEqual([value, [name]]);
  });

  it('know no other names', () => {
    expect(paths(limitsSchema, { cpu: 1, wasm: 1, memory: 2 })).toEqual(expect.arrayContaining(['cpu', 'memory', 'wasm']));
    expect(limitsSchema.parse({}).wasm).toBe(false);
  });
});

describe('function names', () => {
  it.each(['a', 'card', 'a1', 'a-b', 'a-b-c', `a${'b'.repeat(61)}`])('%s is one', (name) => expect(ok(functionNameSchema, name)).toBe(true));
  it.each(['', 'A', '1a', '-a', 'a-', 'a--b', 'v7--card', 'a_b', 'a.b', 'ä', 'a b', `a${'b'.repeat(62)}`, 'a\n', 'xn--a', 7, null])('%j is none', (name) => expect(ok(functionNameSchema, name)).toBe(false));
});

describe('file paths', () => {
  it.each(['main.ts', 'src/a/b.ts', '.env', 'a b/ü.ts', '...', 'a/..b/c', '__proto__', 'x'.repeat(512)])('%s is one', (path) => expect(ok(filePathSchema, path)).toBe(true));
  it.each(['', '/a', 'a/', 'a//b', '.', '..', './a', '../a', 'a/../b', 'a/./b', 'a/..', 'a\\b', 'a\0b', 'a\nb', 'C:\\x', 'x'.repeat(513)])('%j is none', (path) => expect(ok(filePathSchema, path)).toBe(false));

  it('that pass never leave their folder', async () => {
    const { posix } = await import('node:path');
    const joined: string[] = [];
    fc.assert(fc.property(fc.array(fc.constantFrom('..', '.', '', 'a', 'b.ts', '/', '\\', '~', '%2e%2e'), { maxLength: 6 }), (parts) => {
      const path = parts.join('/');
      if (ok(filePathSchema, path)) joined.push(posix.join('/root', path));
    }));
    expect(joined.length).toBeGreaterThan(5);
    expect(joined.every((path) => path.startsWith('/root/'))).toBe(true);
  });
});

describe('uploads', () => {
  it('need at least one file, and main among them', () => {
    expect(ok(uploadSchema, { files: { 'main.ts': '' }, main: 'main.ts' })).toBe(true);
    expect(paths(uploadSchema, { files: { 'main.ts': '' }, main: 'other.ts' })).toEqual(['main']);
    expect(paths(uploadSchema, { files: { 'main.ts': '' }, main: 'toString' })).toEqual(['main']);
    expect(paths(uploadSchema, { files: {}, main: 'main.ts' })).toContain('files');
    expect(paths(uploadSchema, { files: { '../x': '' }, main: '../x' }).length).toBeGreaterThan(0);
    expect(paths(uploadSchema, { files: { a: 1 }, main: 'a' })).toEqual(['files.a']);
    expect(paths(uploadSchema, { files: { a: '' }, main: 'a', x: 1 })).toEqual(['x']);
  });

  it('are bounded in files and characters', () => {
    const many = (n: number): Record<string, string> => Object.fromEntries(Array.from({ length: n }, (_, i) => [`f${i}`, '']));
    expect(ok(uploadSchema, { files: many(20_000), main: 'f0' })).toBe(true);
    expect(ok(uploadSchema, { files: many(20_001), main: 'f0' })).toBe(false);
    expect(ok(uploadSchema, { files: { a: 'x'.repeat(20 * 1_048_576 + 1) }, main: 'a' })).toBe(false);
  });

  it('or copies name a version', () => {
    expect(ok(copySchema, { from: 7 })).toBe(true);
    for (const from of [0, -1, 1.5, '7', null]) expect(ok(copySchema, { from })).toBe(false);
  });
});

describe('traffic', () => {
  const split = (...weights: number[]): unknown => ({ split: weights.map((weight, i) => ({ version: i + 1, weight })) });
  it.each([[[100]], [[50, 50]], [[99.99, 0.01]], [[33.33, 33.33, 33.34]], [[0, 100]], [[14.29, 14.29, 14.29, 14.29, 14.29, 14.29, 14.26]]])('takes the weights %j', (weights) => expect(ok(trafficSchema, split(...weights))).toBe(true));
  it.each([[[]], [[99]], [[99.99]], [[100.01]], [[50, 50.01]], [[-1, 101]], [[33.333, 66.667]], [[0.005, 99.995]], [[Number.NaN]], [[100, 100]]])('refuses the weights %j', (weights) => expect(ok(trafficSchema, split(...weights))).toBe(false));

  it('takes any split in steps of 0.01 that sums to 100', () => {
    fc.assert(fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 9_999 }), { maxLength: 20 }), (cuts) => {
      const edges = [0, ...cuts.toSorted((a, b) => a - b), 10_000];
      expect(ok(trafficSchema, split(...edges.slice(1).map((edge, i) => (edge - (edges[i] ?? 0)) / 100)))).toBe(true);
    }));
  });

  it('refuses a version twice, unknown fields and bad stickiness, by their paths', () => {
    expect(ok(trafficSchema, { split: [{ version: 1, weight: 50 }, { version: 1, weight: 50 }] })).toBe(false);
    expect(paths(trafficSchema, { split: [{ version: 0, weight: 100 }] })).toEqual(['split[0].version']);
    expect(paths(trafficSchema, { split: [{ version: 1, weight: 100 }], rules: [{ when: { heder: {} }, version: 1 }] })).toEqual(['rules[0].when.heder']);
    expect(paths(trafficSchema, { split: [{ version: 1, weight: 100 }], rules: [{ when: { any: [{ user: { percent: 101 } }] }, version: 1 }] })).toEqual(['rules[0].when.any[0].user.percent']);
  });

  it('bounds what a request may be held against, over all rules and their parts', () => {
    const ruled = (when: unknown, count: number): unknown => ({ split: [{ version: 1, weight: 100 }], rules: Array.from({ length: count }, () => ({ when, version: 1 })) });
    const named = (count: number): unknown => ({ all: [{ header: Object.fromEntries(Array.from({ length: count }, (_, i) => [`h${i}`, ''])) }] });
    const users = { any: [{ user: { in: Array.from({ length: 10_000 }, (_, i) => String(i)) } }] };
    expect([ok(trafficSchema, ruled(named(98), 10)), ok(trafficSchema, ruled(users, 5))]).toEqual([true, true]);
    expect([paths(trafficSchema, ruled(named(99), 10)), paths(trafficSchema, ruled(users, 6))]).toEqual([['rules'], ['rules']]);
    for (const sticky of ['header:x-user-id', 'cookie:uid', 'user']) expect(ok(trafficSchema, { split: [{ version: 1, weight: 100 }], sticky })).toBe(true);
    for (const sticky of ['', 'header:', 'header:a b', 'jwt:sub', 'users', 'cookie:a\n']) expect(ok(trafficSchema, { split: [{ version: 1, weight: 100 }], sticky })).toBe(false);
  });
});

describe('triggers', () => {
  it.each([{ path: '/' }, { path: '/cards/:id' }, { path: '/a/*', host: 'api.acme.io' }, { path: '/x{/:y}?', host: '*.acme.io', methods: ['GET', 'POST'] }])('%j is one', (t) => expect(ok(triggerSchema, { type: 'http', ...t })).toBe(true));
  it.each([{ path: 'cards' }, { path: '' }, { path: '/(' }, { path: '/:a/:a' }, { path: '/', methods: [] }, { path: '/', methods: ['get'] }, { path: '/', methods: ['CONNECT'] }, { path: '/', host: '' }, { path: '/', port: 1 }, {}])('%j is none', (t) => expect(ok(triggerSchema, { type: 'http', ...t })).toBe(false));
  it('of other types are none yet', () => expect(ok(triggerSchema, { type: 'timer', cron: '* * * * *' })).toBe(false));
});

describe('functions', () => {
  it('take every field, and none is needed', () => {
    expect(ok(functionPutSchema, {})).toBe(true);
    expect(ok(functionPutSchema, { tenant: 'shop', limits: { cpuMs: 5 }, env: { A_1: 'x' }, secrets: { KEY: 'x', OLD: null }, triggers: [{ type: 'http', path: '/' }], bindings: {}, public: false, debug: true, keepWarm: 1, shape: 'fetch', user: 'jwt:sub' })).toBe(true);
  });
  it.each([
    [{ tenant: 'A' }, 'tenant'], [{ limits: { cpuMs: 0 } }, 'limits.cpuMs'], [{ env: { A: 1 } }, 'env.A'], [{ env: { A: null } }, 'env.A'], [{ env: { '1A': 'x' } }, 'env["1A"]'], [{ secrets: { A: 1 } }, 'secrets.A'],
    [{ env: { A: 'x'.repeat(65_537) } }, 'env.A'], [{ keepWarm: -1 }, 'keepWarm'], [{ shape: 'koa' }, 'shape'], [{ user: 'query:x' }, 'user'], [{ public: 'yes' }, 'public'], [{ name: 'x' }, 'name'], [{ bindings: { A: { type: 'kv' } } }, 'bindings'],
    [{ triggers: [{ type: 'http', path: 'x' }] }, 'triggers[0].path'], [[], '(body)'], [null, '(body)'], ['x', '(body)'],
  ])('%j is refused at %s', (value, path) => expect(paths(functionPutSchema, value)).toContain(path));
  it('hold at most 256 variables', () => {
    const env = (n: number): unknown => ({ env: Object.fromEntries(Array.from({ length: n }, (_, i) => [`V${i}`, ''])) });
    expect(ok(functionPutSchema, env(256))).toBe(true);
    expect(paths(functionPutSchema, env(257))).toEqual(['env']);
  });
});

describe('pages and paths', () => {
  it('pages have a bounded limit', () => {
    expect(pageSchema.parse({})).toEqual({ limit: 100 });
    expect(pageSchema.parse({ limit: '7', cursor: 'x' })).toEqual({ limit: 7, cursor: 'x' });
    for (const limit of ['0', '1001', 'x', '1.5', '']) expect(ok(pageSchema, { limit })).toBe(false);
  });
  it('paths read as they are written in JavaScript', () => {
    expect([fieldPath([]), fieldPath(['a']), fieldPath(['a', 0, 'b-c']), fieldPath(['files', 'a/b.ts']), fieldPath([0])]).toEqual(['(body)', 'a', 'a[0].b-c', 'files["a/b.ts"]', '[0]']);
  });
});
