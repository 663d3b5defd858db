// Admission of outgoing calls: what is counted is given back, and a tenant's calls per second hold over all its functions.
import { expect, test } from 'vitest';
import { Admission, DEFAULT_LIMITS } from '../../../sidecar/engine/admission.ts';

test('calls at once per function and per tenant', () => {
  const admission = new Admission({ ...DEFAULT_LIMITS, callsPerFunction: 2, callsPerTenant: 3 });
  expect([admission.enter('t', 'a'), admission.enter('t', 'a'), admission.enter('t', 'a')?.code]).toEqual([undefined, undefined, 'overloaded']);
  expect([admission.enter('t', 'b'), admission.enter('t', 'b')?.code, admission.enter('u', 'c')]).toEqual([undefined, 'overloaded', undefined]);
  admission.leave('t', 'a');
  expect(admission.enter('t', 'b')).toBeUndefined();
});

test('calls per second of a tenant with a quota, kept when the quotas are sent again', () => {
  const admission = new Admission(DEFAULT_LIMITS);
  const allowed = (tenant: string): number => Array.from({ length: 50 }, (_, i) => admission.enter(tenant, `f${i % 5}`)).filter((refusal) => refusal === undefined).length;
  admission.setRates([['shop', 10]]);
  const first = allowed('shop');
  expect(first).toBeGreaterThanOrEqual(10);
  expect(first).toBeLessThan(20);
  expect(admission.enter('shop', 'f')).toEqual({ code: 'tenant_subrequests_limited', params: { limit: 10 } });
  expect(allowed('lab')).toBe(50);
  admission.setRates([['shop', 10], ['lab', 5]]);
  expect(allowed('shop')).toBeLessThan(10);
  expect(allowed('lab')).toBeLessThan(15);
  admission.setRates([]);
  expect(allowed('shop')).toBe(50);
});
