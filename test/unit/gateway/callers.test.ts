// Limits per caller: rates that hold for each one, a table that made-up keys can neither grow nor make forget, keys that nobody can steer.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cellRate, conform } from '../../../core/rate/index.ts';
import { callersSchema } from '../../../core/schemas/index.ts';
import type { CallerGate } from '../../../gateway/callers/caller-gate.ts';
import { CallerGates, MAX_CALLERS_IN_ALL } from '../../../gateway/callers/caller-gates.ts';
import { addressBlock, keyReader } from '../../../gateway/callers/caller-key.ts';
import { CallerTable, MAX_CALLERS } from '../../../gateway/callers/caller-table.ts';
import type { CallerRoom } from '../../../gateway/callers/caller-table.ts';
import { PeerAddresses } from '../../../gateway/client-address.ts';
import { RequestHead } from '../../../gateway/request-head.ts';

const room = (limit = 1_000_000): CallerRoom => {
  const made: CallerRoom = { taken: 0, limit, hasRoom: () => made.taken < limit };
  return made;
};

const facts = (headers: Readonly<Record<string, string>> = {}, cookies: Readonly<Record<string, string>> = {}, user?: string) =>
  ({ header: (name: string) => headers[name], cookie: (name: string) => cookies[name], user: () => user });

function gateOf(settings: object, gates = new CallerGates(), name = 'f'): CallerGate {
  const gate = gates.configure(name, callersSchema.parse({ by: 'header:x-key', ...settings }));
  if (gate === null) throw new Error('no gate');
  return gate;
}

/** @returns '' when the request may pass, or the code of its refusal */
function ask(gate: CallerGate, key: string, nowMs: number): { readonly code: string; readonly retryAfterS: number | undefined } {
  const refusal = gate.refusal(gate.caller(facts({ 'x-key': key }), '', nowMs), nowMs);
  return { code: refusal?.failure.code ?? '', retryAfterS: refusal?.retryAfterS };
}

describe('an even rate with a burst', () => {
  test('lets the burst through at once, and the rate after it, in every window', () => {
    fc.assert(fc.property(fc.double({ min: 0.01, max: 500, noNaN: true }), fc.integer({ min: 1, max: 50 }), fc.array(fc.double({ min: 0, max: 5_000, noNaN: true }), { minLength: 1, maxLength: 200 }), (rps, burst, gaps) => {
      const rate = cellRate(rps, burst);
      const arrivals = { tatMs: 0 };
      const passed: number[] = [];
      let now = 0;
      for (const gap of gaps) {
        now += gap;
        if (conform(arrivals, rate, now) === 0) passed.push(now);
      }
      for (const [i, from] of passed.entries()) for (let j = i; j < passed.length; j++) expect(j - i + 1).toBeLessThanOrEqual(burst + (((passed[j] ?? 0) - from) / 1_000) * rps + 1e-3);
      const fresh = { tatMs: 0 };
      expect(Array.from({ length: burst + 1 }, () => conform(fresh, rate, 0) === 0)).toEqual([...Array.from({ length: burst }, () => true), false]);
    }), { numRuns: 100 });
  });

  test('makes nobody wait longer than one interval, also for what an older and lower rate has cost', () => {
    const arrivals = { tatMs: 0 };
    const slow = cellRate(0.001, 10);
    for (let i = 0; i < 10; i++) conform(arrivals, slow, 0);
    expect(conform(arrivals, slow, 0)).toBeCloseTo(1_000_000);
    expect(conform(arrivals, cellRate(10), 0)).toBeLessThanOrEqual(100);
  });
});

describe('the limits of each caller', () => {
  test('are its own, and Retry-After is when the next request passes', () => {
    fc.assert(fc.property(fc.double({ min: 0.05, max: 50, noNaN: true }), fc.integer({ min: 1, max: 20 }), (rps, burst) => {
      const gate = gateOf({ rps, burst });
      for (let i = 0; i < burst; i++) expect(ask(gate, 'a', 0).code).toBe('');
      const { code, retryAfterS = 0 } = ask(gate, 'a', 0);
      expect([code, Number.isInteger(retryAfterS), retryAfterS >= 1]).toEqual(['caller_rate_limited', true, true]);
      expect(ask(gate, 'b', 0).code).toBe('');
      // Right to the second.
      expect(ask(gate, 'a', Math.max(0, (retryAfterS - 1) * 1_000 - 1)).code).toBe('caller_rate_limited');
      expect(ask(gate, 'a', retryAfterS * 1_000).code).toBe('');
    }), { numRuns: 60 });
  });

  test('on requests at once count what runs, and cost nothing of the rate', () => {
    const gate = gateOf({ concurrency: 2, rps: 2 });
    const caller = gate.caller(facts({ 'x-key': 'a' }), '', 0);
    caller.running = 2;
    expect([ask(gate, 'a', 0).code, ask(gate, 'a', 0).code, ask(gate, 'b', 0).code]).toEqual(['caller_concurrency_exceeded', 'caller_concurrency_exceeded', '']);
    caller.running = 1;
    expect([ask(gate, 'a', 0).code, ask(gate, 'a', 0).code, ask(gate, 'a', 0).code]).toEqual(['', '', 'caller_rate_limited']);
  });

  test('are shared by all without a key', () => {
    const gate = gateOf({ rps: 1 });
    const none = (nowMs: number): string => gate.refusal(gate.caller(facts(), '', nowMs), nowMs)?.failure.code ?? '';
    expect([none(0), none(0), ask(gate, '', 0).code, ask(gate, 'a', 0).code]).toEqual(['', 'caller_rate_limited', 'caller_rate_limited', '']);
    expect(gate.table.size).toBe(2);
  });

  test('change without forgetting what was used, and begin anew when callers are told apart in another way', () => {
    const gates = new CallerGates();
    const gate = gateOf({ rps: 1 }, gates);
    ask(gate, 'a', 0);
    expect(gateOf({ rps: 2, burst: 1 }, gates)).toBe(gate);
    expect([ask(gate, 'a', 0).code, ask(gate, 'a', 500).code]).toEqual(['caller_rate_limited', '']);
    const other = gateOf({ by: 'address', rps: 1 }, gates);
    expect([other === gate, gates.tracked]).toEqual([false, 0]);
    expect(gates.configure('f', undefined)).toBeNull();
  });
});

describe('the table under a flood of made-up keys', () => {
  test('keeps whoever is limited limited, and gives the flood one more allowance in all', () => {
    const gate = gateOf({ rps: 1, burst: 3 });
    for (let i = 0; i < 3; i++) expect(ask(gate, 'abuser', 0).code).toBe('');
    let passed = 0;
    for (let i = 0; i < MAX_CALLERS * 3; i++) if (ask(gate, `made up ${i}`, 1).code === '') passed += 1;
    expect([passed, gate.table.size]).toEqual([MAX_CALLERS - 1 + 3, MAX_CALLERS]);
    expect(gate.table.crowded).toBe(MAX_CALLERS * 2 + 1);
    expect(ask(gate, 'abuser', 2).code).toBe('caller_rate_limited');
    // A second later places are free again, for each newcomer at once.
    expect(ask(gate, 'late', 1_500).code).toBe('');
    expect([gate.table.size <= MAX_CALLERS, gate.table.crowded]).toEqual([true, MAX_CALLERS * 2 + 1]);
    expect(ask(gate, 'abuser', 999).code).toBe('caller_rate_limited');
  });

  test('never forgets a caller with requests under way', () => {
    const table = new CallerTable(room());
    const busy = table.get('=busy', 0);
    busy.running = 1;
    for (let i = 0; i < MAX_CALLERS * 2; i++) table.get(`=${i}`, 1_000 * i);
    table.sweep(1e9);
    expect([table.get('=busy', 1e9) === busy, table.size]).toEqual([true, 1]);
  });

  test('takes no more than its share of the node, and leaves other functions theirs', () => {
    const gates = new CallerGates();
    const flooded = Array.from({ length: 5 }, (_, i) => gateOf({ rps: 0.01 }, gates, `flooded${i}`));
    for (const gate of flooded) for (let i = 0; i < MAX_CALLERS; i++) ask(gate, `k${i}`, 0);
    expect(gates.tracked).toBeLessThan(MAX_CALLERS_IN_ALL);
    const calm = gateOf({ rps: 1 }, gates, 'calm');
    for (let i = 0; i < 100; i++) expect(ask(calm, `k${i}`, 0).code).toBe('');
    expect(calm.table.crowded).toBe(0);
    expect(gates.figures()).toMatchObject({ tracked: gates.tracked, functions: { calm: 100 } });
    for (const name of ['calm', ...flooded.map((_, i) => `flooded${i}`)]) gates.remove(name);
    expect(gates.tracked).toBe(0);
  });

  test('holds the same callers as a table without bounds would, while there is room', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(30), fc.nat(400)), { maxLength: 300 }), (steps) => {
      const gate = gateOf({ rps: 2, burst: 2 });
      const model = new Map<number, { tatMs: number }>();
      const rate = cellRate(2, 2);
      let now = 0;
      for (const [key, gap] of steps) {
        now += gap;
        let arrivals = model.get(key);
        if (arrivals === undefined) model.set(key, (arrivals = { tatMs: 0 }));
        expect(ask(gate, `k${key}`, now).code === '').toBe(conform(arrivals, rate, now) === 0);
        if (now % 7 === 0) gate.table.sweep(now);
      }
    }), { numRuns: 100 });
  });
});

describe('keys', () => {
  test('are bounded: a long one is told apart by its digest, which no short one looks like', () => {
    const read = keyReader('header:X-Key');
    const key = (value: string): string => read(facts({ 'x-key': value }), '');
    const long = 'k'.repeat(10_000);
    expect(key(long)).toHaveLength(65);
    expect(key(`${long}a`)).not.toBe(key(`${long}b`));
    expect(key(key(long))).not.toBe(key(long));
    expect(key('a')).not.toBe(key('b'));
    expect([key(''), read(facts(), '')]).toEqual(['', '']);
    // As a number V8 would place it by its value.
    expect(Number.isNaN(Number(key('12345')))).toBe(true);
  });

  test('come from where the settings say', () => {
    const all = facts({ 'x-key': 'h' }, { uid: 'c' }, 'u');
    expect(['header:X-Key', 'cookie:uid', 'user', 'address'].map((by) => keyReader(by)(all, '192.0.2.7'))).toEqual(['=h', '=c', '=u', '=192.0.2.7']);
  });

  test.each([
    ['192.0.2.7', '192.0.2.7'], ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'], ['2001:db8::6', '2001:db8:0:0'], ['::1', '0:0:0:0'], ['fe80::', 'fe80:0:0:0'], ['1:2:3::', '1:2:3:0'], ['1:2:3:4:5::', '1:2:3:4'],
    ['::2:3:4:5:6:7:8', '0:2:3:4'],
  ])('an address is its block: %s', (address, block) => {
    expect(addressBlock(address)).toBe(block);
  });

  test('the address is the client\'s, whatever it writes in front of what trusted proxies wrote', () => {
    const peers = new PeerAddresses(['10.0.0.0/8', '2001:db8:ffff::/48']);
    const client = (peer: string, forwardedFor: string): string => {
      const head = new RequestHead();
      head.forwardedFor = forwardedFor;
      return peers.client(head, peers.get(new TextEncoder().encode(peer).buffer));
    };
    expect(client('192.0.2.1', '203.0.113.9')).toBe('192.0.2.1');
    expect(client('10.0.0.1', '')).toBe('10.0.0.1');
    expect(client('10.0.0.1', '203.0.113.9')).toBe('203.0.113.9');
    expect(client('10.0.0.1', '1.2.3.4, 203.0.113.9,10.9.9.9')).toBe('203.0.113.9');
    expect(client('10.0.0.1', '203.0.113.9, unknown')).toBe('10.0.0.1');
    expect(client('10.0.0.1', '2001:0db8:0000:0001::9, 2001:db8:ffff::1')).toBe('2001:db8:0:1::9');
    expect(client('10.0.0.1', '::ffff:203.0.113.9')).toBe('203.0.113.9');
    expect(client('10.0.0.1', '10.0.0.2, 10.0.0.3')).toBe('10.0.0.1');
    expect(client('10.0.0.1', 'fe80::1%eth0')).toBe('10.0.0.1');
  });
});

test('a rate is 0 or one that Retry-After can say', () => {
  for (const rps of [-1, 0.0009, 1e-300, 100_001, Number.NaN]) expect(callersSchema.safeParse({ by: 'user', rps }).success).toBe(false);
  for (const rps of [0, 0.001, 0.5, 100_000]) expect(callersSchema.safeParse({ by: 'user', rps }).success).toBe(true);
});
