// Function records with traffic, for tests of what a change of it does.
import { functionRecordSchema } from '../../control/model/records.ts';
import type { FunctionRecord } from '../../control/model/records.ts';
import { limitsSchema, trafficSchema } from '../../core/schemas/index.ts';
import type { Traffic } from '../../core/schemas/index.ts';

/** @param weights  percent by version */
export function trafficOf(weights: Readonly<Record<number, number>>, more: Partial<Traffic> = {}): Traffic {
  return trafficSchema.parse({ split: Object.entries(weights).map(([version, weight]) => ({ version: Number(version), weight })), ...more });
}

/** As an earlier release wrote it: without what came since. */
export function ageRecord(traffic: Traffic): FunctionRecord {
  const now = new Date(0).toISOString();
  return functionRecordSchema.parse({
    name: 'card', tenant: 'default', limits: limitsSchema.parse({}), env: {}, secretNames: [], secrets: '', triggers: [], bindings: {}, public: true, debug: false, keepWarm: 0,
    shape: 'auto', user: null, traffic, history: [], lastVersion: 9, firstVersion: 1, createdAt: now, changedAt: now,
  });
}
