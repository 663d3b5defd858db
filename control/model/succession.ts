// What a change of traffic means for callers: who moves to which version, and which versions those may come back to that were served before.
import { placesFor } from '../../core/routing/index.ts';
import { MAX_SKEW_AGE_MS } from '../../core/schemas/index.ts';
import type { Traffic } from '../../core/schemas/index.ts';
import type { FunctionRecord } from './records.ts';

function versionsOf({ rules, split }: Traffic): Set<number> {
  return new Set([...rules.map(({ version }) => version), ...split.filter(({ weight }) => weight > 0).map(({ version }) => version)]);
}

/** The places of the new split, as near to those of the present one as can be; null where they follow from the split. */
function movedPlaces({ traffic, places }: FunctionRecord, { split }: Traffic): Record<string, number[]> | null {
  const before = places ?? (traffic === null ? null : placesFor(null, traffic.split));
  return split.some(({ weight }) => weight === 100) ? null : placesFor(before, split);
}

/**
 * When traffic left the versions that callers may still come back to (`skew`). A version newer than all that stay was taken back, not
 * replaced: nobody is held to it.
 */
function leftBehind({ traffic, leftAt }: FunctionRecord, next: Traffic, now: string): Record<string, number> {
  const live = versionsOf(next);
  const newest = Math.max(...live);
  const nowMs = Date.parse(now);
  const left = new Map(Object.entries(leftAt).map(([version, atMs]) => [Number(version), atMs]));
  for (const version of traffic === null ? [] : versionsOf(traffic)) left.set(version, nowMs);
  return Object.fromEntries([...left].filter(([version, atMs]) => !live.has(version) && version < newest && nowMs - atMs <= MAX_SKEW_AGE_MS));
}

/** The members of a record that change with its traffic. */
export function succession(record: FunctionRecord, next: Traffic, now: string): Pick<FunctionRecord, 'traffic' | 'places' | 'leftAt' | 'changedAt'> {
  return { traffic: next, places: movedPlaces(record, next), leftAt: leftBehind(record, next, now), changedAt: now };
}
