// Turns of tests, what smoke requests compare, and stacks: without processes.
import { describe, expect, it } from 'vitest';
import { differences, runSmoke } from '../../../control/gates/smoke.ts';
import { Turns } from '../../../control/gates/turns.ts';
import { requirePassed, wishesOf } from '../../../control/model/gates.ts';
import { PlatformError } from '../../../core/errors/index.ts';
import { deployGatesSchema } from '../../../core/schemas/index.ts';
import type { Smoke } from '../../../core/schemas/index.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('turns of tests', () => {
  it('run few at once, one of a tenant, tenants in turn', async () => {
    const turns = new Turns({ atOnce: 2, waitingPerTenant: 10 });
    const started: string[] = [];
    const gates = new Map<string, () => void>();
    const run = (tenant: string, name: string): Promise<void> =>
      turns.take(tenant, async () => {
        started.push(name);
        await new Promise<void>((resolve) => gates.set(name, resolve));
      });
    const all = ['a1', 'a2', 'a3', 'b1', 'c1', 'b2'].map((name) => run(name.slice(0, 1), name));
    await turn();
    expect(started).toEqual(['a1', 'b1']);
    const ends = async (name: string): Promise<void> => {
      gates.get(name)?.();
      await turn();
    };
    await ends('a1');
    // The tenant that has waited longest is a, whose turn it is again; then c, then b.
    expect(started).toEqual(['a1', 'b1', 'a2']);
    await ends('a2');
    expect(started.at(-1)).toBe('c1');
    await ends('b1');
    // It has come to wait behind a, but before a had its second turn.
    expect(started.at(-1)).toBe('b2');
    await ends('c1');
    expect(started.at(-1)).toBe('a3');
    await ends('a3');
    await ends('b2');
    await Promise.all(all);
    expect(turns.running).toBe(0);
  });

  it('refuse what one tenant piles up, and go on after a failure', async () => {
    const turns = new Turns({ atOnce: 1, waitingPerTenant: 1 });
    const first = turns.take('a', () => Promise.reject(new Error('first')));
    const second = turns.take('a', () => Promise.resolve('second'));
    await expect(turns.take('a', () => Promise.resolve())).rejects.toMatchObject({ code: 'overloaded' });
    const other = turns.take('b', () => Promise.resolve('other'));
    await expect(first).rejects.toThrow('first');
    expect([await second, await other]).toEqual(['second', 'other']);
  });
});

const expected = (expect_: Smoke['expect'], answer: Partial<Parameters<typeof differences>[1]>): string[] => differences(expect_, { status: 200, headers: [], body: '', ...answer });

describe('what a smoke request expects', () => {
  it.each<[Smoke['expect'], Partial<Parameters<typeof differences>[1]>, string | RegExp | undefined]>([
    [{}, { status: 204 }, undefined],
    [{}, { status: 301 }, 'expected status 200 to 299, got 301'],
    [{ status: 404 }, { status: 404 }, undefined],
    [{}, { headers: [['x-thimble-fallback', 'static;cause=error']] }, 'the version failed, and its fallback answered: "static;cause=error"'],
    [{ status: 200 }, { status: 201 }, 'expected status 200, got 201'],
    [{ headers: { 'Content-Type': 'text/plain' } }, { headers: [['content-type', 'text/plain']] }, undefined],
    [{ headers: { 'set-cookie': 'b=2' } }, { headers: [['set-cookie', 'a=1'], ['set-cookie', 'b=2']] }, undefined],
    [{ headers: { etag: 'x' } }, {}, 'expected header etag: "x", got none'],
    [{ body: 'a' }, { body: 'a' }, undefined],
    [{ body: 'a' }, { body: 'b' }, 'expected the body "a", got "b"'],
    [{ json: { a: { b: [1, { c: null }] } } }, { body: '{"z":1,"a":{"b":[1,{"c":null,"d":2}],"e":3}}' }, undefined],
    [{ json: { a: { b: [1, { c: null }] } } }, { body: '{"a":{"b":[1,{"d":2}]}}' }, 'the JSON differs at /a/b/1/c'],
    [{ json: { 'a/b~c': 1 } }, { body: '{}' }, 'the JSON differs at /a~1b~0c'],
    [{ json: [1] }, { body: '[1,2]' }, 'the JSON differs at its root'],
    [{ json: { toString: 1 } }, { body: '{}' }, 'the JSON differs at /toString'],
    [{ json: {} }, { body: 'no' }, 'expected JSON, got "no"'],
    [{ json: {} }, { body: 'null' }, 'the JSON differs at its root'],
  ])('%j of %j', (wanted, answer, wrong) => {
    expect(expected(wanted, answer)).toEqual(wrong === undefined ? [] : [wrong]);
  });
});

describe('smoke requests', () => {
  const smoke = deployGatesSchema.parse({ smoke: [{ path: '/a' }] }).smoke ?? [];
  const problem = (code: string, status = 503): { status: number; body: string; wallMs: number } => ({ status, body: JSON.stringify({ code, detail: 'd' }), wallMs: 1 });
  const answer = (status: number, body = '', type = 'text/plain'): { status: number; body: string; wallMs: number } => ({ status: 200, body: JSON.stringify({ status, headers: [['content-type', type]], body }), wallMs: 1 });
  const tried = async (...outcomes: (ReturnType<typeof problem> | Error)[]): Promise<{ sent: number; messages: string[] }> => {
    let sent = 0;
    const { errors } = await runSmoke(smoke, {
      send: () => {
        const outcome = outcomes[Math.min(sent++, outcomes.length - 1)];
        return outcome === undefined || outcome instanceof Error ? Promise.reject(outcome ?? new Error('none')) : Promise.resolve(outcome);
      },
      sleep: () => Promise.resolve(),
    });
    return { sent, messages: errors.map(({ message }) => message) };
  };

  it('are repeated while the node is at fault, not while the version is', async () => {
    expect(await tried(problem('no_version', 404), new PlatformError('unavailable', { part: 'the gateway' }), answer(503, '{"code":"overloaded"}', 'application/problem+json'), answer(200))).toEqual({ sent: 4, messages: [] });
    expect(await tried(problem('overloaded'))).toEqual({ sent: 5, messages: ['not answered: overloaded: d'] });
    expect(await tried(answer(503, '{"code":"cpu_limit_exceeded"}', 'application/problem+json'))).toMatchObject({ sent: 1, messages: [expect.stringContaining('got 503')] });
    // A function may answer so by itself.
    expect(await tried(answer(503, '{"code":"overloaded"}'))).toMatchObject({ sent: 1 });
    await expect(tried(new TypeError('a defect'))).rejects.toThrow('a defect');
  });
});

describe('what an upload is tried by', () => {
  const files = { 'a.test.ts': '' };

  it('is what it says, else what the function says, part by part', () => {
    const setting = deployGatesSchema.parse({ tests: ['a.test.ts'], ceilings: { bundleBytes: 5 } });
    expect(wishesOf(null, {}, files)).toBeNull();
    expect(wishesOf(setting, {}, files)).toEqual({ tests: ['a.test.ts'], smoke: [], ceilings: { bundleBytes: 5 } });
    expect(wishesOf(setting, { tests: [] }, files)).toEqual({ tests: [], smoke: [], ceilings: { bundleBytes: 5 } });
    expect(wishesOf(setting, { tests: [], ceilings: {} }, files)).toBeNull();
    expect(() => wishesOf(setting, {}, {})).toThrow(expect.objectContaining({ code: 'invalid' }));
    expect(() => wishesOf(null, { tests: ['constructor'] }, files)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  it('keeps versions from traffic that have not passed', () => {
    const catalog = { blocked: () => new Set([2, 4]) };
    requirePassed(catalog, 'card', [[1, 'split[0].version'], [3, 'split[1].version']]);
    expect(() => requirePassed(catalog, 'card', [[1, 'split[0].version'], [4, 'rules[0].version']])).toThrow(expect.objectContaining({ code: 'gate_failed', params: { errors: [expect.objectContaining({ name: 'rules[0].version' })] } }));
  });
});
