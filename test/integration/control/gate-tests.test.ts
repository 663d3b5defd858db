// Test files that break limits, or try to pass without passing: what the gate says of each. One host for all, as each upload has its own.
import { afterAll, describe, expect, it } from 'vitest';
import { Builder } from '../../../control/builder/index.ts';
import { judgeCeilings, measureStarts } from '../../../control/gates/ceilings.ts';
import type { TestAnswer } from '../../../control/gates/test-host.ts';
import { runTests } from '../../../control/gates/test-run.ts';
import type { TestOutcome } from '../../../control/gates/test-run.ts';
import { sha256Hex } from '../../../core/crypto/index.ts';
import type { HostFigures, Target } from '../../../core/protocol/index.ts';
import { BUNDLE_PREFIX, BUNDLE_SUFFIX } from '../../../core/versions/index.ts';
import { TestHost } from '../../support/isolates-host.ts';

const host = TestHost.shared();
const builder = new Builder();
afterAll(() => builder.stop());

async function invoke(target: number, body: string, wallMs: number): Promise<TestAnswer> {
  const running = host().invoke(target, { method: 'POST', body, wallMs });
  const late = Symbol('late');
  const timeout = Promise.withResolvers<typeof late>();
  const timer = setTimeout(() => timeout.resolve(late), wallMs);
  const answer = await Promise.race([running.done, timeout.promise]);
  clearTimeout(timer);
  if (answer === late) {
    running.cancel('wall_limit_exceeded');
    return { status: 0, code: 'wall_limit_exceeded', detail: '', body: '', cpuUs: 0 };
  }
  return { status: answer.status, code: answer.code, detail: answer.detail ?? '', body: answer.body.toString(), cpuUs: answer.cpuUs };
}

let made = 0;
/** As an upload with this one test file would be tried. */
async function tried(text: string, settings: Partial<Target> = {}, wallMs = 20_000): Promise<TestOutcome> {
  const { bundle, map } = await builder.buildTests({ 'index.ts': 'export default { fetch: () => new Response() };', 'a.test.js': text }, ['a.test.js']);
  const name = `g${++made}`;
  const target = host().deployBundle(bundle, { function: name, version: 1, debug: true, shape: 'fetch', memoryMb: 32, map, ...settings }, map);
  try {
    return await runTests({ host: { invoke }, target, filename: `${name}@1.js`, map, wallMs, untilMs: performance.now() + 30_000 });
  } finally {
    host().forget(target);
  }
}

describe('a test that breaks a limit', { timeout: 120_000 }, () => {
  it('fails alone: CPU, memory, a rejected promise, network', async () => {
    const { items, errors } = await tried(`import { test, expect, beforeAll } from 'vitest';
let ready = 0;
beforeAll(() => { ready += 1; });
test('passes', () => { expect(ready).toBe(1); });
test('spins', () => { for (;;); });
test('hoards', () => { const all = []; for (;;) all.push(new Array(100_000).fill(all.length)); });
test('rejects', async () => { await Promise.reject(new TypeError('no')); });
test('leaves a rejection behind', () => { Promise.reject(new RangeError('left')); });
test('calls out', async () => { await fetch('http://127.0.0.1:1/'); });
test('still runs, with its hooks', () => { expect(ready).toBe(1); });
`, { cpuMs: 100 }, 5_000);
    const by = new Map(errors.map(({ name, message }) => [name, message]));
    expect([...by.keys()]).toEqual(['spins', 'hoards', 'rejects', 'leaves a rejection behind', 'calls out']);
    expect(by.get('spins')).toContain('cpu_limit_exceeded');
    // Whichever limit is nearer.
    expect(by.get('hoards')).toMatch(/memory_limit_exceeded|cpu_limit_exceeded/);
    expect(by.get('rejects')).toBe('TypeError: no');
    expect(items.map(({ outcome }) => outcome)).toEqual(['passed', 'failed', 'failed', 'failed', 'failed', 'failed', 'passed']);
    expect(items.find(({ name }) => name === 'spins')).toMatchObject({ file: 'a.test.js', line: 5 });
  });

  it('that hangs ends by the wall limit, and the next runs', async () => {
    const { items, errors } = await tried("test('hangs', () => new Promise(() => {})); test('runs', () => {});", {}, 2_000);
    expect(items[0]).toMatchObject({ name: 'hangs', outcome: 'failed' });
    expect(errors[0]?.message).toContain('wall_limit_exceeded');
    expect(items[1]?.name).toBe('runs');
  });

  it('ends with the run: what is left fails without being tried', async () => {
    const untilMs = performance.now() + 20;
    const sent: (number | null)[] = [];
    const outcome = await runTests({
      host: {
        invoke: (_, body) => {
          const { nonce, run } = JSON.parse(body) as { nonce: string; run: number | null };
          sent.push(run);
          while (run === 1 && performance.now() < untilMs);
          const answer = run === null ? { nonce, tests: ['a', 'b', 'c', 'd'].map((name) => ({ name, stack: '', wanted: true })) } : { nonce };
          return Promise.resolve({ status: 200, code: null, detail: '', body: JSON.stringify(answer), cpuUs: 1 });
        },
      },
      target: 1, filename: 'x.js', map: '{"version":3,"sources":[],"names":[],"mappings":""}', wallMs: 1_000, untilMs,
    });
    expect(sent.at(-1)).toBeLessThanOrEqual(1);
    expect(outcome.items).toHaveLength(4);
    expect(outcome.errors.slice(-2).map(({ name, message }) => [name, message])).toEqual([['c', 'the tests took too long in all'], ['d', 'the tests took too long in all']]);
    expect((await tried("for (let i = 0; i < 1_001; i++) test('t' + i, () => {});")).errors[0]?.message).toContain('at most 1000 tests');
  });
});

describe('a test file does not pass', { timeout: 120_000 }, () => {
  it.each([
    ['that declares none', 'export {};', /none ran/],
    ['that skips all', "import { test } from 'vitest'; test.skip('a', () => {});", /none ran/],
    ['that throws while it is evaluated', '\nthrow new RangeError("top");', /RangeError: top/],
    ['that never ends being evaluated', 'for (;;);', /cpu_limit_exceeded/],
    ['that takes the handler away', "const { test } = require('vitest'); test('a', () => { throw new Error('a'); }); module.exports = { default: { fetch: () => new Response('{\"tests\":[]}') } };", /Error: a/],
    ['that replaces what makes answers', "import { test, expect } from 'vitest'; JSON.stringify = () => '{}'; JSON.parse = () => ({}); globalThis.Response = class {}; Promise.prototype.then = 0; test('a', () => { expect(1).toBe(2); });", /./],
    ['that answers in place of the handler', "import { test } from 'vitest'; globalThis.Response = class extends Response { constructor() { super('{\"nonce\":\"x\",\"ms\":1}'); } }; test('a', () => { throw new Error('a'); });", /Error: a/],
    ['that takes out what fails', "import { test } from 'vitest'; Array.prototype.push = () => 0; test('a', () => {});", /./],
    ['that ends the process', "import { test } from 'vitest'; test('a', () => { process.exit(0); });", /./],
    ['that asserts less than it said', "import { test, expect } from 'vitest'; test('a', () => { expect.assertions(2); expect(1).toBe(1); });", /expected 2 assertions, got 1/],
    ['whose hook fails', "import { test, afterEach } from 'vitest'; afterEach(() => { throw new Error('hook'); }); test('a', () => {});", /Error: hook/],
    ['that declares a test in a test', "import { test } from 'vitest'; test('a', () => { test('b', () => {}); });", /while tests run/],
    ['that says it fails and passes', "import { test } from 'vitest'; test.fails('a', () => {});", /declared to fail/],
  ])('%s', async (_, text, message) => {
    const { errors } = await tried(text);
    expect(errors[0]?.message).toMatch(message);
  });

  it('that is right, unless another one is marked with only', async () => {
    const { items, errors } = await tried("import { describe, test } from 'vitest'; test('a', () => { throw 1; }); describe('only these', () => { test.only('b', () => {}); });");
    expect([errors, items.map(({ name, outcome }) => [name, outcome])]).toEqual([[], [['a', 'skipped'], ['only these > b', 'passed']]]);
  });

  it('and its stack names the author\'s lines alone', async () => {
    const { errors } = await tried("import { expect, test } from 'vitest';\nfunction check(n) {\n  expect(n).toBe(2);\n}\ntest('a', () => {\n  check(1);\n});\n");
    expect(errors[0]).toMatchObject({ gate: 'tests', name: 'a', file: 'a.test.js', line: 3, column: 13 });
    expect(errors[0]?.stack).toContain('a.test.js:6:3');
    expect(errors[0]?.stack).not.toContain('node_modules/vitest');
  });
});

describe('ceilings of the start', { timeout: 120_000 }, () => {
  /** A version's files under this bundle. @returns their digest */
  function written(body: string): string {
    const code = `${BUNDLE_PREFIX}\n${body}\n${BUNDLE_SUFFIX}`;
    host().deployBundle(code);
    return `sha256-${sha256Hex(`${code}{}`)}`;
  }

  it('are measured by the best of three, and fail where the module does not start', async () => {
    const on = {
      target: (one: Target): number => host().target(one),
      warm: async (number: number): Promise<boolean> => (await host().warm(number, 1)) > 0,
      forget: (number: number): void => host().forget(number),
      figures: async (): Promise<readonly HostFigures[]> => {
        const from = host().figures.length;
        await expect.poll(() => host().figures.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(from + 2);
        return host().figures.slice(from);
      },
    };
    const base = { function: 'heavy', version: 1, tenant: 'default', tier: 'default', debug: true, shape: 'auto', cpuMs: 50, memoryMb: 64, subrequests: 1, wasm: false, shadow: false, secrets: '' } as const;
    const measured = await measureStarts(on, { ...base, digest: written('const all = new Array(400_000).fill(1); for (let i = 0; i < 3e6; i++) all[i % 7] += i; module.exports = { default: { fetch: () => new Response(String(all.length)) } };') });
    expect(measured?.startCpuMs).toBeGreaterThan(1);
    expect(measured?.heapMb).toBeGreaterThan(3);
    const { errors } = judgeCeilings({ startCpuMs: 0.5, heapMb: 1_000, startMs: 60_000 }, measured ?? {});
    expect(errors.map(({ name }) => name)).toEqual(['startCpuMs']);
    expect(await measureStarts(on, { ...base, function: 'dead', digest: written('throw new Error("start");') })).toBeUndefined();
    expect(judgeCeilings({ startMs: 1 }, {}).errors[0]?.message).toContain('does not start');
  });
});
