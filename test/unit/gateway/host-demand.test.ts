// When the gateway says that hosts of an on-demand group are wanted, and when that they are not.
import { expect, test } from 'vitest';
import { HostDemand } from '../../../gateway/host-demand.ts';

test('a waiting request is a wish, repeated each second until a host is there', () => {
  const demand = new HostDemand(10_000);
  expect(demand.review(0, 0, 0, 0, 0)).toBeUndefined();
  expect(demand.review(10, 1, 0, 0, 0)).toBe(true);
  expect(demand.review(20, 2, 0, 0, 0)).toBeUndefined();
  expect(demand.review(1_009, 2, 0, 0, 0)).toBeUndefined();
  expect(demand.review(1_010, 2, 0, 0, 0)).toBe(true);
  expect(demand.review(2_020, 0, 2, 0, 1)).toBeUndefined();
  // All its hosts are full: more of them would not come.
  expect(demand.review(9_000, 5, 2, 0, 1)).toBeUndefined();
});

test('hosts without work for long enough are wanted no more', () => {
  const demand = new HostDemand(10_000);
  demand.review(0, 1, 0, 0, 0);
  expect(demand.review(5_000, 0, 1, 0, 1)).toBeUndefined();
  expect(demand.review(14_999, 0, 0, 0, 1)).toBeUndefined();
  expect(demand.review(15_000, 0, 0, 0, 1)).toBe(false);
  expect(demand.review(15_500, 0, 0, 0, 1)).toBeUndefined();
  expect(demand.review(16_000, 0, 0, 0, 1)).toBe(false);
  expect(demand.review(16_500, 0, 0, 0, 0)).toBeUndefined();
});

test('a request right after that is a wish at once', () => {
  const demand = new HostDemand(1_000);
  demand.review(0, 1, 0, 0, 0);
  expect(demand.review(1_000, 0, 0, 0, 1)).toBe(false);
  expect(demand.review(1_001, 1, 0, 0, 0)).toBe(true);
});

test('a gateway that starts beside running hosts gives them their time', () => {
  const demand = new HostDemand(1_000);
  expect(demand.review(50_000, 0, 0, 0, 1)).toBeUndefined();
  expect(demand.review(50_999, 0, 0, 0, 1)).toBeUndefined();
  expect(demand.review(51_000, 0, 0, 0, 1)).toBe(false);
});

test('invocations that began and ended between two looks are work', () => {
  const demand = new HostDemand(1_000);
  demand.review(0, 0, 0, 7, 1);
  expect(demand.review(900, 0, 0, 8, 1)).toBeUndefined();
  expect(demand.review(1_899, 0, 0, 8, 1)).toBeUndefined();
  expect(demand.review(1_900, 0, 0, 8, 1)).toBe(false);
});
