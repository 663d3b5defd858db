// Figures of shadows: sums under the settings that they were counted under, bounded whatever a gateway says.
import { expect, it } from 'vitest';
import { ShadowStore, shadowReportSchema } from '../../../control/shadows/index.ts';
import { MAX_DIFFERENCES } from '../../../core/protocol/index.ts';
import type { ShadowRow } from '../../../core/protocol/index.ts';
import { shadowRecordSchema } from '../../../core/schemas/index.ts';
import type { ShadowRecord } from '../../../core/schemas/index.ts';

const settings = (since: string, version = 2): ShadowRecord => shadowRecordSchema.parse({ version, since });
const FIRST = settings('2026-01-01T00:00:00.000Z');
const NEXT = settings('2026-01-02T00:00:00.000Z', 3);
const GATEWAY = { role: 'gateway' } as const;

function row(of: ShadowRecord, more: Partial<ShadowRow> = {}): ShadowRow {
  return {
    function: 'card', version: of.version, since: of.since, mirrored: 3, equal: 1, different: 1, incomparable: 0, failed: { live: 0, shadow: 1 }, lost: { unavailable: 1 }, skipped: { method: 2 }, dropped: { busy: 4 },
    live: { wallUs: [[40, 3]], cpuUs: [[30, 3]] },
    shadow: { function: 'card', version: of.version, statuses: { 200: 2 }, codes: { function_threw: 1 }, wallUs: [[41, 2]], cpuUs: [[31, 2]], coldStarts: 1, coldUs: [], coldPhasesMs: [0, 0, 0, 0], limits: {} },
    differences: [], ...more,
  };
}

const difference = (atMs: number): ShadowRow['differences'][number] => ({ atMs, method: 'GET', path: '/', invocation: 'i', version: 1, kind: 'body', at: '/a', live: '1', shadow: '2' });

function use(): { store: ShadowStore; now: { record: ShadowRecord | undefined } } {
  const now: { record: ShadowRecord | undefined } = { record: FIRST };
  return { store: new ShadowStore({ shadowOf: (name) => (name === 'card' ? now.record : undefined) }), now };
}

it('adds up what gateways count, and answers in the form that the document says', () => {
  const { store } = use();
  for (let n = 0; n < 2; n++) store.take(GATEWAY, { rows: [row(FIRST, { differences: [difference(n)] })] });
  const report = store.report('card', FIRST);
  expect(shadowReportSchema.parse(report)).toEqual(report);
  expect(report).toMatchObject({
    mirrored: 6, equal: 2, different: 2, failed: { live: 0, shadow: 2 }, lost: { unavailable: 2 }, skipped: { method: 4 }, dropped: { busy: 8 },
    live: { wallMs: { p50: 1.024 } }, answers: { statuses: { 200: 4 }, codes: { function_threw: 2 }, coldStarts: 2 },
  });
  // The newest first.
  expect(report.differences.map(({ time }) => time)).toEqual(['1970-01-01T00:00:00.001Z', '1970-01-01T00:00:00.000Z']);
  expect(store.sums).toMatchObject({ mirrored: 6, outcomes: { equal: 2, different: 2, incomparable: 0, lost: 2 } });
});

it('counts nothing of an earlier shadow for a later one, nor of functions that have none', () => {
  const { store, now } = use();
  store.take(GATEWAY, { rows: [row(FIRST)] });
  now.record = NEXT;
  store.changed('card');
  // On its way when the settings changed.
  store.take(GATEWAY, { rows: [row(FIRST), row({ ...NEXT, version: 2 }), { ...row(NEXT), function: 'other' }] });
  expect(store.report('card', NEXT).mirrored).toBe(0);
  store.take(GATEWAY, { rows: [row(NEXT)] });
  expect([store.report('card', NEXT).mirrored, store.report('card', FIRST).mirrored]).toEqual([3, 0]);
  now.record = undefined;
  store.changed('card');
  store.take(GATEWAY, { rows: [row(NEXT)] });
  expect(store.report('card', NEXT).mirrored).toBe(0);
});

it('keeps the newest differences, and not more reasons than there can be', () => {
  const { store } = use();
  for (let n = 0; n < 5; n++) {
    store.take(GATEWAY, { rows: [row(FIRST, { differences: Array.from({ length: MAX_DIFFERENCES }, (_, i) => difference(n * 100 + i)), dropped: Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`reason_${'abcdefghij'[n]}${'abcdefghij'[i % 10]}${'abcdefghij'[Math.floor(i / 10)]}`, 1])) })] });
  }
  const report = store.report('card', FIRST);
  expect(report.differences).toHaveLength(MAX_DIFFERENCES);
  expect(report.differences[0]?.time).toBe(new Date(449).toISOString());
  expect(Object.keys(report.dropped).length).toBeLessThanOrEqual(41);
  expect(Object.values(report.dropped).reduce((a, b) => a + b, 0)).toBe(500);
  store.take(GATEWAY, { rows: [row(FIRST, { lost: { 'no word!': 2, __proto__: 1 } })] });
  expect(store.report('card', FIRST).lost['other']).toBe(2);
});

it('refuses what is not of the form, and whoever is no gateway', () => {
  const { store } = use();
  const bad = [undefined, {}, { rows: 1 }, { rows: [{}] }, { rows: [row(FIRST, { mirrored: -1 })] }, { rows: [row(FIRST, { differences: [{ ...difference(1), live: 'x'.repeat(301) }] })] }, { rows: [row(FIRST, { differences: Array<ShadowRow['differences'][number]>(MAX_DIFFERENCES + 1).fill(difference(1)) })] }];
  for (const figures of bad) store.take(GATEWAY, figures);
  store.take({ role: 'host' }, { rows: [row(FIRST)] });
  expect([store.rejected, store.report('card', FIRST).mirrored]).toEqual([bad.length + 1, 0]);
});
