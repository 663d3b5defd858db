// What a change of traffic keeps in the record: the places of callers, and the versions that they may still be held to.
import { describe, expect, test } from 'vitest';
import { ageRecord, trafficOf } from '../../support/traffic-records.ts';
import { PlaceIndex } from '../../../core/routing/index.ts';
import { withTraffic } from '../../../control/model/traffic.ts';

const DAY = 86_400_000;
const at = (ms: number): string => new Date(ms).toISOString();

describe('versions that are left behind', () => {
  test('are those that newer ones replaced, with the time of it', () => {
    const second = withTraffic(ageRecord(trafficOf({ 1: 100 })), trafficOf({ 2: 100 }), at(1_000));
    expect(second.leftAt).toEqual({ 1: 1_000 });
    const third = withTraffic(second, trafficOf({ 3: 100 }), at(2_000));
    expect(third.leftAt).toEqual({ 1: 1_000, 2: 2_000 });
  });

  test('do not hold those that were taken back: their callers go with the traffic', () => {
    const canary = withTraffic(ageRecord(trafficOf({ 1: 100 })), trafficOf({ 1: 90, 2: 10 }), at(1_000));
    const back = withTraffic(canary, trafficOf({ 1: 100 }), at(2_000));
    expect(back.leftAt).toEqual({});
    // Also not when a newer one comes later.
    expect(withTraffic(back, trafficOf({ 3: 100 }), at(3_000)).leftAt).toEqual({ 1: 3_000 });
  });

  test('are none any more once they have traffic again, and after the longest time that there is', () => {
    const second = withTraffic(ageRecord(trafficOf({ 1: 100 })), trafficOf({ 2: 100 }), at(1_000));
    expect(withTraffic(second, trafficOf({ 1: 50, 2: 50 }), at(2_000)).leftAt).toEqual({});
    expect(withTraffic(second, trafficOf({ 3: 100 }), at(1_000 + 7 * DAY)).leftAt).toEqual({ 1: 1_000, 2: 1_000 + 7 * DAY });
    expect(withTraffic(second, trafficOf({ 3: 100 }), at(1_001 + 7 * DAY)).leftAt).toEqual({ 2: 1_001 + 7 * DAY });
  });

  test('count rules as traffic, and weights of 0 as none', () => {
    const ruled = withTraffic(ageRecord(trafficOf({ 1: 100 })), { ...trafficOf({ 1: 0, 3: 100 }), rules: [{ when: {}, version: 2 }] }, at(1_000));
    expect(ruled.leftAt).toEqual({ 1: 1_000 });
  });
});

describe('places', () => {
  test('are kept where the split alone does not tell them, also from a record of an earlier release', () => {
    const split = trafficOf({ 1: 50, 2: 50 });
    const old = { ...ageRecord(split), places: null };
    const next = trafficOf({ 1: 40, 2: 50, 3: 10 });
    const { places } = withTraffic(old, next, at(1));
    const [before, after] = [new PlaceIndex(null, split.split), new PlaceIndex(places, next.split)];
    const moves = Array.from({ length: 10_000 }, (_, place) => `${before.at(place)}>${after.at(place)}`).filter((move) => move[0] !== move[2]);
    expect([moves.length, new Set(moves)]).toEqual([1_000, new Set(['1>3'])]);
    expect(withTraffic(old, trafficOf({ 3: 100 }), at(1)).places).toBeNull();
  });
});
