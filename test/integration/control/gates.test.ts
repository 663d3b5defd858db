// Gates before traffic, on a whole node: tests in a host of their own, ceilings, smoke requests through the gateway.
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bootNode } from '../../support/node.ts';
import type { ApiAnswer, TestNode } from '../../support/node.ts';

interface GateError { readonly gate: string; readonly name: string; readonly message: string; readonly file?: string; readonly line?: number; readonly column?: number; readonly stack?: string }
interface Report { readonly state: string; readonly tests: { readonly passed: number; readonly failed: number; readonly skipped: number; readonly items: readonly Record<string, unknown>[] } | null; readonly smoke: readonly Record<string, unknown>[] | null; readonly ceilings: readonly Record<string, unknown>[] | null }

const PRICE = "export const price = (cents: number): string => `${(cents / 100).toFixed(2)} €`;\n";
const CARD = `import { price } from './price.ts';
export default { fetch(request: Request, env: Record<string, string>): Response {
  const url = new URL(request.url);
  if (url.pathname === '/broken') throw new Error('broken');
  return Response.json({ price: price(1250), mode: env['MODE'] ?? 'none', tags: ['a', 'b'] }, { headers: { 'x-card': '1' } });
} };
`;
const files = (tests: Readonly<Record<string, string>>, main = CARD): Record<string, string> => ({ 'index.ts': main, 'price.ts': PRICE, ...tests });

let node: TestNode;
beforeAll(async () => {
  node = await bootNode({ hosts: 1 });
}, 90_000);
afterAll(() => node.stop());

let count = 0;
async function make(settings: object = {}): Promise<string> {
  const name = `card${++count}`;
  expect((await node.api('PUT', `/v1/functions/${name}`, settings)).status).toBe(201);
  return name;
}
const upload = (name: string, body: object, query = ''): Promise<ApiAnswer> => node.api('POST', `/v1/functions/${name}/versions${query}`, { main: 'index.ts', ...body });
const errorsOf = (answer: ApiAnswer): readonly GateError[] => answer.body['errors'] as readonly GateError[];
const reportOf = (answer: ApiAnswer): Report => answer.body['gates'] as Report;
const folders = (): string[] => readdirSync(join(node.dataFolder, 'versions', 'default'));

describe('unit tests at deploy', { timeout: 120_000 }, () => {
  it('run with the environment, the assertions of vitest, hooks and stubs; the version says how each went', async () => {
    const name = await make({ env: { MODE: 'live' } });
    const answer = await upload(name, {
      tests: ['test/card.test.ts', 'global.test.js'],
      files: files({
        'test/card.test.ts': `import { afterAll, beforeAll, beforeEach, describe, expect, it, stubFetch, test, vi } from 'thimble:test';
import { price } from '../price.ts';
import card from '../index.ts';
let steps: string[] = [];
beforeAll(() => { steps.push('all'); });
beforeEach(() => { steps.push('each'); });
describe('price', () => {
  it.each([[1250, '12.50 €'], [0, '0.00 €']])('of %d is %s', (cents, text) => { expect(price(cents)).toBe(text); });
  it.skip('is skipped', () => { throw new Error('never'); });
  it.todo('later');
});
test('the handler', async ({ env }) => {
  const response = await card.fetch(new Request('http://card.localhost/'), env);
  expect(await response.json()).toEqual(expect.objectContaining({ mode: 'live' }));
  expect.assertions(1);
});
test('a stubbed fetch, timers and mocks', async () => {
  stubFetch((request) => new Response('stub of ' + request.url));
  expect(await (await fetch('http://upstream.example/x')).text()).toBe('stub of http://upstream.example/x');
  await new Promise((resolve) => setTimeout(resolve, 5));
  const mock = vi.fn(() => 3);
  expect([mock(1), mock.mock.calls]).toEqual([3, [[1]]]);
});
test('hooks ran once, and once a test', () => { expect(steps.filter((one) => one === 'all')).toHaveLength(1); expect(steps.filter((one) => one === 'each').length).toBe(5); });
test.fails('what is known to fail', () => { expect(1).toBe(2); });
`,
        'global.test.js': "import { expect as same } from 'vitest'; test('globals', () => { expect(same).toBe(expect); expect({ a: { b: [1, 2] } }).toMatchObject({ a: { b: [1, 2] } }); });",
      }),
    });
    expect([answer.status, errorsOf(answer)]).toEqual([201, undefined]);
    expect(reportOf(answer)).toMatchObject({ state: 'passed', smoke: null, ceilings: null, tests: { passed: 7, failed: 0, skipped: 2 } });
    const shown = await node.api('GET', `/v1/functions/${name}/versions/1`);
    expect(reportOf(shown).tests?.items[0]).toMatchObject({ name: 'price > of 1250 is 12.50 €', outcome: 'passed', file: 'test/card.test.ts', line: 8 });
    // The tests are no part of the version.
    expect(Number(answer.body['bytes'])).toBeLessThan(2_000);
    expect((await node.call(name)).status).toBe(200);
    // Nothing of the run is left: neither its folder nor its process.
    expect(folders()).toHaveLength(1);
    expect(node.processes().filter((one) => one.name.startsWith('tests-'))).toEqual([]);
  });

  it('run in a process that is confined as hosts are, and that dies with them', async () => {
    const name = await make({ limits: { wallMs: 20_000 } });
    const deploying = upload(name, { tests: ['a.test.ts'], files: files({ 'a.test.ts': "import { test } from 'vitest'; test('waits', () => new Promise((resolve) => setTimeout(resolve, 2_500)));" }) });
    const running = (): number | undefined => node.processes().find((one) => one.name.startsWith('tests-'))?.pid;
    await expect.poll(running, { timeout: 20_000, interval: 50 }).toBeDefined();
    const confinement = (pid: number): unknown => {
      const status = readFileSync(`/proc/${pid}/status`, 'latin1');
      const limits = readFileSync(`/proc/${pid}/limits`, 'latin1');
      return {
        status: ['Uid', 'Gid', 'NoNewPrivs', 'CapPrm', 'CapEff', 'CapBnd'].map((field) => new RegExp(`^${field}:.*$`, 'm').exec(status)?.[0]),
        limited: ['Max data size', 'Max core file size'].map((field) => new RegExp(`^${field} +unlimited`, 'm').test(limits)),
        ownNetwork: readlinkSync(`/proc/${pid}/ns/net`) !== readlinkSync('/proc/self/ns/net'),
      };
    };
    expect(confinement(running() ?? 0)).toEqual(confinement(node.pidOf('host-1')));
    expect((await deploying).status).toBe(201);
    expect(running()).toBeUndefined();
  });

  it('a failing test is a 422 with the place in its file, and changes nothing', async () => {
    const name = await make();
    const answer = await upload(name, {
      tests: ['a.test.ts'],
      files: files({ 'a.test.ts': "import { price } from './price.ts';\nimport { expect, test } from 'vitest';\n\ntest('adds the sign', () => {\n  expect(price(100)).toBe('1.00 $');\n});\ntest('passes', () => {});\n" }),
    });
    expect([answer.status, answer.code]).toEqual([422, 'gate_failed']);
    expect(errorsOf(answer)).toHaveLength(1);
    expect(errorsOf(answer)[0]).toMatchObject({ gate: 'tests', name: 'adds the sign', file: 'a.test.ts', line: 5, message: expect.stringContaining("expected '1.00 €' to be '1.00 $'") as unknown });
    expect(errorsOf(answer)[0]?.stack).toContain('a.test.ts:5:');
    expect((await node.api('GET', `/v1/functions/${name}`)).body).toMatchObject({ lastVersion: null, traffic: null });
  });

  it('tests have no secrets, and what cannot be built or found is named', async () => {
    const name = await make({ secrets: { KEY: 'hunter2' } });
    const body = { tests: ['a.test.ts'], files: files({ 'a.test.ts': "import { test, expect } from 'vitest'; test('none', ({ env }) => { expect(env).toEqual({}); });" }) };
    expect((await upload(name, body)).status).toBe(201);
    expect((await upload(name, { tests: ['b.test.ts'], files: body.files })).body['errors']).toEqual([{ path: 'tests[0]', message: 'must name one of files' }]);
    const broken = await upload(name, { tests: ['a.test.ts'], files: files({ 'a.test.ts': 'import "./gone.ts";' }) });
    expect([broken.status, broken.code]).toEqual([422, 'build_failed']);
  });
});

describe('ceilings', { timeout: 120_000 }, () => {
  it('hold or fail by name, and say what was measured', async () => {
    const name = await make();
    const good = await upload(name, { files: files({}), ceilings: { bundleBytes: 10_000, gzipBytes: 5_000, startMs: 30_000, startCpuMs: 1_000, heapMb: 30 } });
    expect([good.status, errorsOf(good)]).toEqual([201, undefined]);
    for (const row of reportOf(good).ceilings ?? []) expect(Number(row['value'])).toBeGreaterThan(0);
    expect(reportOf(good).ceilings?.map((row) => [row['name'], row['outcome']])).toEqual(['bundleBytes', 'gzipBytes', 'startMs', 'startCpuMs', 'heapMb'].map((one) => [one, 'passed']));
    const bad = await upload(name, { files: files({}), ceilings: { bundleBytes: 10 } });
    expect(bad.code).toBe('gate_failed');
    expect(errorsOf(bad)).toEqual([{ gate: 'ceilings', name: 'bundleBytes', message: expect.stringContaining('the ceiling is 10') as unknown }]);
  });
});

describe('smoke requests', { timeout: 120_000 }, () => {
  const smoke = [{ path: '/cards/1?a=1', headers: { 'x-user': 'u' }, expect: { headers: { 'X-Card': '1' }, json: { price: '12.50 €', tags: ['a', 'b'] } } }];

  it('reach the version before it has traffic, also of a function that is not public', async () => {
    const name = await make({ public: false });
    const answer = await upload(name, { files: files({}), smoke });
    expect([answer.status, errorsOf(answer)]).toEqual([201, undefined]);
    expect(answer.body).toMatchObject({ version: 1, live: true });
    expect(reportOf(answer)).toMatchObject({ state: 'passed', tests: null, smoke: [{ outcome: 'passed', status: 200 }] });
    const { items } = (await node.api('GET', '/v1/audit?limit=1000')).body as { items: { action: string; target: string; after: unknown }[] };
    expect(items.filter(({ target }) => target === `${name}@1`).map(({ action }) => action)).toEqual(['version.create', 'version.gates']);
  });

  it('that fail leave the version without traffic for good; the live one goes on', async () => {
    const name = await make();
    expect((await upload(name, { files: files({}) })).status).toBe(201);
    const answer = await upload(name, { files: files({}, CARD.replace('1250', '999')), smoke: [...smoke, { path: '/broken' }] }, '?activate=true');
    expect([answer.status, answer.code, answer.body['version']]).toEqual([422, 'gate_failed', 2]);
    expect(errorsOf(answer).map((error) => error.message)).toEqual(['the JSON differs at /price', expect.stringContaining('expected status 200 to 299, got 500')]);
    expect((await node.api('GET', `/v1/functions/${name}`)).body).toMatchObject({ lastVersion: 2, traffic: { split: [{ version: 1, weight: 100 }] } });
    expect(reportOf(await node.api('GET', `/v1/functions/${name}/versions/2`)).state).toBe('failed');
    const moved = await node.api('PUT', `/v1/functions/${name}/traffic`, { split: [{ version: 1, weight: 50 }, { version: 2, weight: 50 }] });
    expect([moved.status, moved.code, errorsOf(moved)]).toEqual([422, 'gate_failed', [{ gate: 'version', name: 'split[1].version', message: expect.stringContaining('version 2') as unknown }]]);
    // The same files without the gate are another version.
    expect((await node.api('POST', `/v1/functions/${name}/versions?activate=true`, { from: 2, smoke: [] })).status).toBe(201);
  });
});

describe('gates of a function', { timeout: 120_000 }, () => {
  it('hold for every upload, and an upload may say otherwise', async () => {
    const name = await make({ gates: { ceilings: { bundleBytes: 10 }, smoke: [{ path: '/broken', expect: { status: 500 } }] } });
    expect((await upload(name, { files: files({}) })).code).toBe('gate_failed');
    const answer = await upload(name, { files: files({}), ceilings: {} });
    expect([answer.status, errorsOf(answer)]).toEqual([201, undefined]);
    expect(reportOf(answer)).toMatchObject({ state: 'passed', ceilings: null, smoke: [{ status: 500, outcome: 'passed' }] });
    expect((await node.api('PUT', `/v1/functions/${name}`, { gates: null })).body['gates']).toBeNull();
    expect(reportOf(await upload(name, { files: files({}) }))).toBeNull();
  });
});
