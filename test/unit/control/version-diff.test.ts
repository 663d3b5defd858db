// Differences of versions stay bounded, whatever was uploaded, and what is left out says why.
import { describe, expect, it } from 'vitest';
import { diffVersions } from '../../../control/model/version-diff.ts';
import type { DiffSide, VersionDiff } from '../../../control/model/version-diff.ts';

const side = (files: Readonly<Record<string, string>>, bindings: Readonly<Record<string, unknown>> = {}): DiffSide => ({
  record: { version: 1, digest: 'sha256-x', bytes: 1, buildMs: 0, message: null, from: null, main: 'a', sources: '', env: {}, bindings, createdAt: '', createdBy: '' },
  sources: { files, main: 'a' },
  report: null,
});
const diff = (before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): Promise<VersionDiff> => diffVersions(side(before), side(after));
const lines = (count: number, prefix: string): string => Array.from({ length: count }, (_, i) => `${prefix} ${i}\n`).join('');

describe('the difference of two versions', () => {
  it('leaves out patches of files that are too large, or differ too much, and says so', async () => {
    const made = await diff(
      { large: 'x'.repeat(300_000), lines: '\n'.repeat(30_000), different: lines(6_000, 'a'), long: 'x', 'small.ts': 'a\n' },
      { large: 'y'.repeat(300_000), lines: `\n${'\n'.repeat(30_000)}`, different: lines(6_000, 'b'), long: 'y'.repeat(100_000), 'small.ts': 'b\n' },
    );
    expect(Object.fromEntries(made.files.map(({ path, omitted }) => [path, omitted]))).toEqual({ large: 'too_large', lines: 'too_large', different: 'too_different', long: 'too_large', 'small.ts': null });
    expect(made.files.every(({ patch, omitted }) => (patch === null) !== (omitted === null))).toBe(true);
  });

  it('spends its budget of text on the author\'s files before packages, and lists no more than it says', async () => {
    const before: Record<string, string> = {};
    const after: Record<string, string> = {};
    for (let i = 0; i < 1_200; i++) after[`node_modules/p/${String(i).padStart(4, '0')}.js`] = lines(200, 'x');
    before['z.ts'] = 'a';
    after['z.ts'] = 'b';
    const made = await diff(before, after);
    expect([made.files.length, made.more, made.unchanged]).toEqual([1_000, 201, 0]);
    expect(made.files[0]).toMatchObject({ path: 'z.ts', omitted: null });
    expect(made.files.reduce((sum, { patch }) => sum + (patch?.length ?? 0), 0)).toBeLessThanOrEqual(1_048_576);
    expect(made.files.at(-1)?.omitted).toBe('out_of_budget');
  });

  it('lets other work run between files', async () => {
    let turns = 0;
    const timer = setInterval(() => (turns += 1), 1);
    await diff({}, Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`f${i}`, lines(2_000, String(i))])));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(2);
  });

  it('compares names that objects inherit like any other, and bindings by value', async () => {
    const made = await diffVersions(side({ ['__proto__x']: 'a', toString: 'f' }, { KV: { type: 'kv', a: 1 } }), side({ constructor: 'b' }, { KV: { a: 1, type: 'kv' }, Q: { type: 'queue' } }));
    expect(made.files.map(({ path, change }) => `${change} ${path}`)).toEqual(['removed __proto__x', 'added constructor', 'removed toString']);
    expect(made.bindings).toEqual([{ key: 'Q', before: null, after: { type: 'queue' } }]);
  });
});
