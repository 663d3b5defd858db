// Tokens, coverage and failed attempts, on a fake clock and a store in memory.
import { describe, expect, it, vi } from 'vitest';
import fc from 'fast-check';
import { FailedAttempts, Gatekeeper, NODE_ADMIN, Tokens, coversFunction, hashToken, idOfToken, isBound, namesFunction, networkOf, newToken } from '../../../control/access/index.ts';
import type { Caller } from '../../../control/access/index.ts';
import { Catalog, KEYS, Ledger } from '../../../control/model/index.ts';
import { createLogger } from '../../../core/log/index.ts';
import { functionPatternSchema } from '../../../core/schemas/index.ts';
import { MemoryStore } from '../../support/control-memory-store.ts';

const ME = { name: 'admin', from: '127.0.0.1' };
const quiet = createLogger({ name: 'control', level: 'fatal' });
const bound = (functions: readonly string[] | null, tenants: readonly string[] | null): Caller => ({ name: 'ci/1', tokenId: '1', role: 'deployer', functions, tenants });

function tokensOn(store: MemoryStore, now: () => number): Tokens {
  return new Tokens({ store, ledger: new Ledger({ store, catalog: Catalog.load(store), onCommit: () => {} }), now });
}

describe('a token', () => {
  it('has 256 random bits, an id that says when it was made, and a form that scanners know', () => {
    const made = Array.from({ length: 100 }, (_, i) => newToken(1_700_000_000_000 + i));
    expect(new Set(made.map(({ text }) => text)).size).toBe(100);
    for (const { id, text, hash } of made) {
      expect(text).toMatch(/^thm_[0-9a-f]{20}_[\w-]{43}$/);
      expect([idOfToken(text), hashToken(text)]).toEqual([id, hash]);
    }
    expect(made.map(({ id }) => id)).toEqual(made.map(({ id }) => id).toSorted());
    fc.assert(fc.property(fc.string(), (text) => idOfToken(text) === undefined));
  });

  it('is known until its time is over, to the millisecond, and never by another secret', async () => {
    const store = new MemoryStore();
    let nowMs = Date.parse('2026-01-01T00:00:00Z');
    const tokens = tokensOn(store, () => nowMs);
    const { token, record } = (await tokens.create(ME, { name: 'ci', role: 'reader', expiresAt: '2026-01-02T00:00:00Z' })).result;
    expect(tokens.recognise(token)).toMatchObject({ name: `ci/${record.id}`, role: 'reader' });
    for (const wrong of [token.slice(0, -1), `${token}x`, token.replace(record.id, '0'.repeat(20)), newToken(nowMs).text, record.hash, record.id, '']) expect(tokens.recognise(wrong)).toBeUndefined();
    const caller = tokens.recognise(token) as Caller;
    nowMs = Date.parse('2026-01-02T00:00:00Z') - 1;
    expect([tokens.holds(caller), tokens.recognise(token) !== undefined]).toEqual([true, true]);
    nowMs += 1;
    expect([tokens.holds(caller), tokens.recognise(token)]).toEqual([false, undefined]);
    expect(JSON.stringify(store.list({ prefix: '' }))).not.toContain(token.slice(25));
  });

  it('tells its watchers once when it is revoked, or when a time beyond the longest timer is over', async () => {
    vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:00Z') });
    try {
      const tokens = tokensOn(new MemoryStore(), Date.now);
      const revoked = (await tokens.create(ME, { name: 'a', role: 'reader' })).result;
      const expiring = (await tokens.create(ME, { name: 'b', role: 'reader', expiresAt: '2026-03-01T00:00:00Z' })).result;
      const seen: string[] = [];
      const caller = (token: string): Caller => tokens.recognise(token) as Caller;
      tokens.watch(caller(revoked.token), () => void seen.push('revoked'));
      tokens.watch(caller(expiring.token), () => void seen.push('expired'));
      tokens.watch(caller(expiring.token), () => void seen.push('never'))();
      tokens.watch(NODE_ADMIN, () => void seen.push('never'))();
      await tokens.revoke(ME, revoked.record.id);
      expect(seen).toEqual(['revoked']);
      await vi.advanceTimersByTimeAsync(58 * 86_400_000);
      expect(seen).toEqual(['revoked']);
      await vi.advanceTimersByTimeAsync(2 * 86_400_000);
      expect(seen).toEqual(['revoked', 'expired']);
    } finally {
      vi.useRealTimers();
    }
  });

  it('has its last use to the minute, written in one commit for all, and none for a second use in the same minute', async () => {
    const store = new MemoryStore();
    let nowMs = Date.parse('2026-01-01T00:00:59Z');
    const tokens = tokensOn(store, () => nowMs);
    const { token, record } = (await tokens.create(ME, { name: 'ci', role: 'reader' })).result;
    const { revision } = store;
    for (let i = 0; i < 100; i++) tokens.recognise(token);
    expect([tokens.lastUsed(record.id), store.revision]).toEqual(['2026-01-01T00:00:00.000Z', revision]);
    await tokens.saveUses();
    tokens.recognise(token);
    await tokens.saveUses();
    expect(store.revision).toBe(revision + 1);
    expect(tokensOn(store, () => nowMs).lastUsed(record.id)).toBe('2026-01-01T00:00:00.000Z');
    nowMs += 1_000;
    tokens.recognise(token);
    expect(tokens.lastUsed(record.id)).toBe('2026-01-01T00:01:00.000Z');
    // What was used and then revoked leaves nothing behind.
    await tokens.revoke(ME, record.id);
    await tokens.saveUses();
    expect([store.list({ prefix: KEYS.tokens }), store.list({ prefix: KEYS.tokenUses })]).toEqual([[], []]);
  });
});

describe('coverage', () => {
  it('needs the name and the tenant, each where the token is bound by it', () => {
    for (const [functions, tenants, name, tenant, covers] of [
      [null, null, 'card', 'a', true], [['card'], null, 'card', 'a', true], [['card'], null, 'card-two', 'a', false], [['card*'], null, 'card-two', 'a', true], [['card*'], null, 'car', 'a', false],
      [['card-*'], null, 'card', 'a', false], [['*'], null, 'card', 'a', true], [null, ['a'], 'card', 'a', true], [null, ['a'], 'card', 'b', false], [['card'], ['a'], 'card', 'b', false], [['x'], ['a'], 'card', 'a', false],
    ] as const) expect([functions, tenants, name, tenant, coversFunction(bound(functions, tenants), name, tenant)]).toEqual([functions, tenants, name, tenant, covers]);
    expect([isBound(NODE_ADMIN), isBound(bound(['*'], null)), isBound(bound(null, ['a']))]).toEqual([false, true, true]);
  });

  it('is by plain beginnings: no pattern that is accepted covers more than it says', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/);
    fc.assert(fc.property(fc.oneof(name, name.map((text) => `${text}*`)), name, (pattern, other) => {
      expect(functionPatternSchema.safeParse(pattern).success).toBe(true);
      const stem = pattern.replace('*', '');
      expect(namesFunction(bound([pattern], null), other)).toBe(pattern.endsWith('*') ? other.startsWith(stem) : other === stem);
    }));
    for (const bad of ['', '**', 'a*b', '*a', 'A', '-a', 'a.b', '.*', 'a'.repeat(64)]) expect(functionPatternSchema.safeParse(bad).success).toBe(false);
  });
});

describe('failed attempts', () => {
  it('take a burst, then one a second from each network, and forget the oldest address', () => {
    let nowMs = 0;
    const attempts = new FailedAttempts(quiet, () => nowMs);
    const tries = (address: string, count: number): number => {
      let read = 0;
      for (let i = 0; i < count; i++) {
        if (attempts.exhausted(address)) continue;
        attempts.failed(address);
        read += 1;
      }
      return read;
    };
    expect([tries('10.0.0.1', 100), tries('::ffff:10.0.0.1', 10), tries('10.0.0.2', 10)]).toEqual([60, 0, 10]);
    expect([tries('2001:db8:1:2::1', 60), tries('2001:db8:1:2:ffff::9', 10), tries('2001:db8:1:3::1', 10)]).toEqual([60, 0, 10]);
    nowMs += 5_000;
    expect(tries('10.0.0.1', 100)).toBe(5);
    nowMs += 3_600_000;
    expect(tries('10.0.0.1', 100)).toBe(60);
    for (let i = 0; i < 10_000; i++) attempts.failed(`10.1.${i >> 8}.${i & 255}`);
    expect(attempts.exhausted('10.0.0.1')).toBe(false);
    expect(attempts.failures).toBeGreaterThan(10_000);
  });

  it('count an IPv6 site as one', () => {
    for (const [address, network] of [['1.2.3.4', '1.2.3.4'], ['::ffff:1.2.3.4', '1.2.3.4'], ['::1', '0:0:0:0'], ['fe80::1%eth0', 'fe80:0:0:0'], ['2001:db8::', '2001:db8:0:0'], ['2001:0db8:0:0a::1', '2001:db8:0:a'], ['', '']] as const) expect([address, networkOf(address)]).toEqual([address, network]);
  });

  it('are not paid by who sends no token, nor by who was right there before', async () => {
    const nowMs = 0;
    const attempts = new FailedAttempts(quiet, () => nowMs);
    const tokens = tokensOn(new MemoryStore(), Date.now);
    const { token, record } = (await tokens.create(ME, { name: 'ci', role: 'reader' })).result;
    const gate = new Gatekeeper({ nodeToken: 'node-token', tokens, attempts });
    const outcome = (sent: string | undefined, address = '10.0.0.1'): string => {
      try {
        return gate.identify(sent, address).name;
      } catch (thrown) {
        return (thrown as { readonly code: string }).code;
      }
    };
    for (let i = 0; i < 200; i++) expect(outcome(undefined)).toBe('unauthorized');
    expect([outcome(token), outcome('node-token')]).toEqual([`ci/${record.id}`, 'admin']);
    for (let i = 0; i < 60; i++) expect(outcome('guess')).toBe('unauthorized');
    expect([outcome('guess'), outcome('node-token'), outcome(token), outcome('node-token', '10.0.0.2')]).toEqual(['too_many_attempts', 'admin', `ci/${record.id}`, 'admin']);
    // Right before is not right now.
    await tokens.revoke(ME, record.id);
    expect([outcome(token), outcome(token)]).toEqual(['unauthorized', 'too_many_attempts']);
    expect(() => new Gatekeeper({ nodeToken: '', tokens, attempts: new FailedAttempts(quiet) }).identify('', '10.0.0.3')).toThrow(expect.objectContaining({ code: 'unauthorized' }));
  });
});
