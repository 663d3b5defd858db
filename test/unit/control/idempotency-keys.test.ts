// Idempotency keys over time, crashes and many keys, on a store in memory.
import { describe, expect, it } from 'vitest';
import { IdempotencyKeys } from '../../../control/rest/index.ts';
import { KEEP_MS, MAX_KEYS } from '../../../control/rest/idempotency-keys.ts';
import type { FirstRun, KeptAnswer } from '../../../control/rest/idempotency-keys.ts';
import { NODE_ADMIN } from '../../../control/access/index.ts';
import { createLogger } from '../../../core/log/index.ts';
import { MemoryStore } from '../../support/control-memory-store.ts';

const logger = createLogger({ name: 'control', level: 'fatal' });
const ANSWER: KeptAnswer = { status: 201, type: 'application/json', text: '{"token":"top-secret"}' };

function first(begun: KeptAnswer | FirstRun): FirstRun {
  if ('status' in begun) throw new Error('it was answered before');
  return begun;
}

describe('idempotency keys', () => {
  it('know after a crash between change and answer that the change was made', async () => {
    const store = new MemoryStore();
    const run = first(new IdempotencyKeys({ store, logger }).begin(NODE_ADMIN, 'token', 'k', 1));
    await store.commit(run.joins());
    const after = new IdempotencyKeys({ store, logger });
    expect(() => after.begin(NODE_ADMIN, 'token', 'k', 1)).toThrow(expect.objectContaining({ code: 'conflict' }));
    expect(() => after.begin(NODE_ADMIN, 'token', 'k', 2)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  it('are free after a crash before the change', () => {
    const store = new MemoryStore();
    first(new IdempotencyKeys({ store, logger }).begin(NODE_ADMIN, 'token', 'k', 1));
    expect(first(new IdempotencyKeys({ store, logger }).begin(NODE_ADMIN, 'token', 'k', 2)).joins()).toHaveLength(1);
  });

  it('keep answers for a day, and then forget them', async () => {
    const store = new MemoryStore();
    let nowMs = 1_000_000;
    const keys = new IdempotencyKeys({ store, logger, now: () => nowMs });
    await first(keys.begin(NODE_ADMIN, 'token', 'k', 1)).answered(ANSWER);
    nowMs += KEEP_MS - 1;
    await keys.sweep();
    expect(keys.begin(NODE_ADMIN, 'token', 'k', 1)).toEqual(ANSWER);
    nowMs += 1;
    first(keys.begin(NODE_ADMIN, 'token', 'k', 2));
    await keys.sweep();
    expect(store.list({ prefix: 'idempotency/' })).toEqual([]);
  });

  it('keep the answer of a change that failed after its commit, and none of what was refused before', async () => {
    const store = new MemoryStore();
    const keys = new IdempotencyKeys({ store, logger });
    await first(keys.begin(NODE_ADMIN, 'token', 'k', 1)).failed(ANSWER);
    const run = first(keys.begin(NODE_ADMIN, 'token', 'k', 1));
    await store.commit(run.joins());
    run.committed();
    await run.failed({ ...ANSWER, status: 503 });
    expect(keys.begin(NODE_ADMIN, 'token', 'k', 1)).toMatchObject({ status: 503 });
  });

  it('hold no answer that the store alone would open, nor one that is too long', async () => {
    const store = new MemoryStore();
    const keys = new IdempotencyKeys({ store, logger });
    await first(keys.begin(NODE_ADMIN, 'token', 'k', { password: 'hunter2' })).answered(ANSWER);
    expect(JSON.stringify(store.list({ prefix: '' }))).not.toMatch(/top-secret|hunter2|"k"/);
    await first(keys.begin(NODE_ADMIN, 'token', 'long', 1)).answered({ ...ANSWER, text: 'x'.repeat(300_000) });
    expect(() => keys.begin(NODE_ADMIN, 'token', 'long', 1)).toThrow(expect.objectContaining({ code: 'conflict' }));
  });

  it('are bounded for each caller: the oldest goes', async () => {
    const store = new MemoryStore();
    await store.commit(Array.from({ length: MAX_KEYS }, (_, i) => ({ key: `idempotency/admin/${String(i).padStart(6, '0')}`, value: { atMs: Date.now() - MAX_KEYS + i, print: '', answer: null } })));
    const keys = new IdempotencyKeys({ store, logger });
    await first(keys.begin(NODE_ADMIN, 'token', 'k', 1)).answered(ANSWER);
    expect(store.list({ prefix: 'idempotency/', limit: 2 * MAX_KEYS })).toHaveLength(MAX_KEYS);
    expect(store.get('idempotency/admin/000000')).toBeUndefined();
    expect(store.get('idempotency/admin/000001')).toBeDefined();
    expect(keys.begin(NODE_ADMIN, 'token', 'k', 1)).toEqual(ANSWER);
  });

  it('let the answer out when it cannot be kept, and never run the change again', async () => {
    const store = new MemoryStore();
    const keys = new IdempotencyKeys({ store, logger });
    const run = first(keys.begin(NODE_ADMIN, 'token', 'k', 1));
    await store.commit(run.joins());
    run.committed();
    store.failNext = true;
    await run.answered(ANSWER);
    expect(() => keys.begin(NODE_ADMIN, 'token', 'k', 1)).toThrow(expect.objectContaining({ code: 'conflict' }));
  });
});
