// Versions that start from their own snapshots, in a real host: shapes, freshness, secrets, hooks, and every way back to evaluation.
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { seal } from '../../../../core/crypto/index.ts';
import { isSnapshotReason } from '../../../../core/versions/index.ts';
import { TestHost } from '../../../support/isolates-host.ts';
import type { BundleSettings } from '../../../support/isolates-host.ts';
import { blobOf, deployFrozen, deployMade, readDescription } from '../../../support/snapshots.ts';
import { sample, seed } from '../../../support/seed.ts';
import { until } from '../../../support/gateway-stand.ts';

const FULL = process.env['THIMBLE_TEST_FULL'] === '1';
/** The damage whose log line is looked at. */
const LOGGED = 'no blob';
const host = TestHost.shared();
const TIER_KEY = Buffer.alloc(32);

/** Tells at each call whether its module was evaluated in this isolate: evaluation finds a global that only entries have. */
const TELLS = `
let evaluations = 0; evaluations += 1;
let calls = 0;
export default { fetch: () => Response.json({ calls: ++calls, evaluations }) };`;

const secretsOf = (fn: string, secrets: Readonly<Record<string, string>>): string => seal(TIER_KEY, `secrets/${fn}`, JSON.stringify(secrets));

async function reasonsOf(fn: string): Promise<string[]> {
  await until(() => host().snapshots.fallen.some((row) => row.function === fn));
  const reasons = host().snapshots.fallen.filter((row) => row.function === fn).map((row) => row.reason);
  expect(reasons.every(isSnapshotReason)).toBe(true);
  return reasons;
}

describe('a version with a snapshot', () => {
  it('is restored, and each isolate begins with the frozen state', async () => {
    const { target } = await deployFrozen(host(), `const made = { n: 0 };\nexport default { fetch: () => Response.json({ n: ++made.n }) };`, { function: 'begins' });
    const before = host().snapshots.restored;
    expect(await host().text(target)).toBe('{"n":1}');
    expect(await host().text(target)).toBe('{"n":2}');
    await until(() => host().snapshots.restored > before);
    expect(host().snapshots.bytes).toBeGreaterThan(100_000);
  });

  it.each([
    ['Deno.serve', 'Deno.serve((request) => new Response("deno " + new URL(request.url).pathname));', 'auto', 'deno /p'],
    ['Bun.serve', 'Bun.serve({ fetch: (request) => new Response("bun " + new URL(request.url).pathname) });', 'auto', 'bun /p'],
    ['a fetch listener', 'addEventListener("fetch", (event) => event.respondWith(new Response("worker")));', 'auto', 'worker'],
    ['a default function', 'export default (request: Request) => new Response("function " + request.method);', 'auto', 'function GET'],
    ['a default class', 'export default class { fetch() { return new Response("class"); } }', 'auto', 'class'],
    ['top-level await', 'const value = await Promise.resolve("awaited");\nexport default { fetch: () => new Response(value) };', 'auto', 'awaited'],
    ['CommonJS', 'module.exports = { default: { fetch: () => new Response("cjs") } };', 'auto', 'cjs'],
  ])('may have the shape of %s', async (_, source, shape, expected) => {
    const { target } = await deployFrozen(host(), `// @ts-nocheck\n${source}`, { shape });
    expect(await host().text(target, { path: '/p' })).toBe(expected);
    expect((await host().call(target)).code).toBeNull();
  });

  it('may export business functions, and hooks are none of them', async () => {
    const { target } = await deployFrozen(host(), 'const rate = 3;\nexport async function cost(ctx: unknown, n: number) { return n * rate; }\nexport function onRestore() {}');
    const call = (name: string): Promise<string> => host().text(target, { method: 'POST', path: `/${name}`, headers: { 'content-type': 'application/json' }, body: '{"args":[4]}' });
    expect(JSON.parse(await call('cost'))).toEqual({ result: 12 });
    expect(await call('onRestore')).toContain('no_route');
  });

  it.each(['lambda', 'fc'] as const)('may be made for the shape %s', async (shape) => {
    const source = shape === 'lambda' ? 'export const handler = async () => ({ statusCode: 200, body: "adapted" });' : 'export const handler = (event: unknown, context: unknown, callback: (e: null, r: object) => void) => callback(null, { statusCode: 200, body: "adapted" });';
    const { target } = await deployFrozen(host(), source, { shape });
    expect(await host().text(target)).toBe('adapted');
  });

  it('follows a shape that was changed after it was made', async () => {
    const source = 'export const handler = async () => ({ statusCode: 201, body: "lambda" });\nexport default { fetch: () => new Response("fetch") };';
    const { target } = await deployFrozen(host(), source, { shape: 'lambda' }, { shape: 'fetch' });
    expect((await host().call(target)).status).toBe(201);
  });

  it('has bodies, streams, timers, fetch errors and parts that were never touched while it was made', async () => {
    const { target } = await deployFrozen(host(), `
      export default { async fetch(request: Request) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        const text = await request.text();
        const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
        return new Response(new ReadableStream({ start(c) { c.enqueue(new TextEncoder().encode(text + ' ' + digest[0])); c.close(); } }));
      } };`, { cpuMs: 500 });
    expect(await host().text(target, { body: 'hello' })).toBe('hello 44');
  });

  it('keeps the memory limit', async () => {
    const { target } = await deployFrozen(host(), 'const kept: unknown[] = [];\nexport default { fetch() { for (;;) kept.push(new Array(10_000).fill(kept.length)); } };', { memoryMb: 16, cpuMs: 5_000 });
    expect((await host().call(target)).code).toBe('memory_limit_exceeded');
    expect(host().alive).toBe(true);
  });

  it('has no collector that its module could call', async () => {
    const { target } = await deployFrozen(host(), 'export default { fetch: () => Response.json([typeof (globalThis as any).gc, "gc" in globalThis, Object.getOwnPropertyNames(globalThis).filter((name) => name.includes("thimble"))]) };');
    expect(await host().text(target)).toBe('["undefined",false,[]]');
  });

  it('names its own file in stacks', async () => {
    const { target } = await deployFrozen(host(), 'export default { fetch() { throw new Error("at home"); } };', { function: 'stacked', debug: true });
    const { code, detail } = await host().call(target);
    expect(code).toBe('function_threw');
    expect(detail).toContain('at home');
    expect(detail).not.toContain('thimble:');
  });
});

describe('what is fresh after a restore', () => {
  it('random numbers, ids and clocks, in each of two isolates of one blob', async () => {
    const { target, digest } = await deployFrozen(host(), `
      const { random } = Math;
      export default { fetch: () => Response.json({ math: [random(), Math.random()], uuid: crypto.randomUUID(), bytes: [...crypto.getRandomValues(new Uint8Array(8))].join(), now: Date.now(), date: new Date().getTime(), elapsed: performance.now() }) };`, { function: 'fresh' });
    // Another target of the same version has an isolate of its own.
    const other = host().target({ function: 'fresh', version: 1, digest, tenant: 'default', tier: 'default', debug: true, shape: 'auto', cpuMs: 50, memoryMb: 64, subrequests: 50, wasm: false, secrets: '', shadow: false });
    const { restored } = host().snapshots;
    const answers: Record<string, unknown>[] = [];
    for (const each of [target, other]) {
      const startedMs = Date.now();
      const answer = JSON.parse(await host().text(each)) as Record<'now' | 'date' | 'elapsed', number> & Record<string, unknown>;
      expect(answer.now).toBeGreaterThanOrEqual(startedMs - 5);
      expect(answer.now).toBe(answer.date);
      expect(answer.elapsed).toBeLessThan(10_000);
      answers.push(answer);
    }
    const [a, b] = answers;
    for (const key of ['math', 'uuid', 'bytes']) expect(a?.[key]).not.toEqual(b?.[key]);
    await until(() => host().snapshots.restored >= restored + 2);
  });
});

describe('secrets', () => {
  const source = 'export function onRestore() { (globalThis as any).atRestore = process.env.KEY; }\nexport default { fetch: () => Response.json({ key: process.env.KEY ?? null, at: (globalThis as any).atRestore ?? null, plain: process.env.PLAIN }) };';

  it('come after the restore, and no byte of them is in the blob', async () => {
    const secret = 'sesame-open-4711';
    const deployed = await deployFrozen(host(), source, { function: 'secretive', env: { PLAIN: 'frozen-plain-value' }, secrets: secretsOf('secretive', { KEY: secret }) }, { secretNames: ['KEY'] });
    expect(JSON.parse(await host().text(deployed.target))).toEqual({ key: secret, at: secret, plain: 'frozen-plain-value' });
    expect(deployed.made.blob.includes('frozen-plain-value')).toBe(true);
    for (const file of [deployed.made.blob, readFileSync(blobOf(deployed.folder)), readFileSync(deployed.file)]) {
      for (const form of [secret, Buffer.from(secret, 'utf16le'), Buffer.from(secret).toString('base64')]) expect(file.includes(form)).toBe(false);
    }
  });

  it('of names that the module used while it was evaluated make the snapshot void', async () => {
    const { target } = await deployFrozen(host(), 'const key = process.env.LATE ?? "none";\nexport default { fetch: () => new Response(key) };', { function: 'latecomer', secrets: secretsOf('latecomer', { LATE: 'now' }) });
    expect(await host().text(target)).toBe('now');
    expect(await reasonsOf('latecomer')).toEqual(['touches_secret']);
  });

  it('that can not be given any more make the module be evaluated', async () => {
    const { target } = await deployFrozen(host(), 'Object.preventExtensions(process.env);\nexport default { fetch: () => new Response(process.env.KEY ?? "none") };', { function: 'closed', secrets: secretsOf('closed', { KEY: 'given' }) });
    expect(await host().text(target)).toBe('given');
    expect(await reasonsOf('closed')).toEqual(['touches_secret']);
  });
});

describe('hooks', () => {
  it('run before the freeze and in the first entry after each restore', async () => {
    const { target } = await deployFrozen(host(), `
      const order: string[] = ['evaluated'];
      export const onSnapshot = async () => { await null; order.push('snapshot'); };
      export const onRestore = async () => { await null; order.push('restore ' + (Date.now() > 0)); };
      export default { fetch: () => Response.json(order) };`);
    expect(JSON.parse(await host().text(target))).toEqual(['evaluated', 'snapshot', 'restore true']);
  });

  it('may be members of the default export', async () => {
    const { target } = await deployFrozen(host(), 'export default { order: [] as string[], onSnapshot() { this.order.push("s"); }, onRestore() { this.order.push("r"); }, fetch() { return Response.json(this.order); } };');
    expect(JSON.parse(await host().text(target))).toEqual(['s', 'r']);
  });

  it('do not run when the module is evaluated', async () => {
    const { target } = await deployMade(host(), 'const order: string[] = [String(Date.now() > 0)];\nexport function onRestore() { order.push("restore"); }\nexport default { fetch: () => Response.json(order) };');
    expect(JSON.parse(await host().text(target))).toEqual(['true']);
  });

  it.each([
    ['throws', 'throw new Error("hooked")', 'function_threw'],
    ['rejects', 'await Promise.reject(new Error("hooked"))', 'function_threw'],
    ['waits for ever', 'await new Promise(() => {})', 'function_threw'],
    ['never ends', 'for (;;);', 'cpu_limit_exceeded'],
  ])('an onRestore that %s fails its invocation once; then the module is evaluated', async (name, body, code) => {
    const fn = `hook-${name.replaceAll(' ', '-')}`;
    const { target } = await deployFrozen(host(), `let bad = true; (globalThis as any).seen = 1;\nexport async function onRestore() { ${body} }\nexport default { fetch: () => new Response("evaluated " + bad) };`, { function: fn });
    expect((await host().call(target)).code).toBe(code);
    expect(await host().text(target)).toBe('evaluated true');
    expect(await host().text(target)).toBe('evaluated true');
    expect(await reasonsOf(fn)).toContain(code === 'function_threw' ? 'hook_threw' : 'restore_failed');
  });
});

describe(`a snapshot that is not what it should be (seed ${seed})`, () => {
  const flip = (file: string, at: number): void => {
    const bytes = readFileSync(file);
    bytes[at] = (bytes[at] ?? 0) ^ 0xff;
    writeFileSync(file, bytes);
  };
  const change = (file: string, by: (description: Record<string, unknown> & { engine: Record<string, unknown> }) => void): void => {
    const description = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown> & { engine: Record<string, unknown> };
    by(description);
    writeFileSync(file, JSON.stringify(description));
  };

  const damages: readonly [name: string, reason: string, (deployed: { file: string; folder: string }) => void][] = [
    ['a flipped byte in the middle', 'corrupt', ({ folder }) => flip(blobOf(folder), 300_000)],
    ['a flipped first byte', 'corrupt', ({ folder }) => flip(blobOf(folder), 0)],
    ['a truncated blob', 'corrupt', ({ folder }) => truncateSync(blobOf(folder), 100_000)],
    ['an empty blob', 'corrupt', ({ folder }) => truncateSync(blobOf(folder), 0)],
    ['a longer blob', 'corrupt', ({ folder }) => appendFileSync(blobOf(folder), 'x')],
    ['no blob', 'missing', ({ folder }) => rmSync(blobOf(folder))],
    ['half a description', 'corrupt', ({ file }) => truncateSync(file, 40)],
    ['a description of another form', 'corrupt', ({ file }) => writeFileSync(file, '{"format":2}')],
    ['another Node', 'other_platform', ({ file }) => change(file, (d) => (d.engine['node'] = 'v22.0.0'))],
    ['another V8', 'other_platform', ({ file }) => change(file, (d) => (d.engine['v8'] = '12.0'))],
    ['another processor', 'other_platform', ({ file }) => change(file, (d) => (d.engine['arch'] = 'arm64'))],
    ['other flags of V8', 'other_platform', ({ file }) => change(file, (d) => (d.engine['tag'] = 1))],
    ['another platform', 'other_platform', ({ file }) => change(file, (d) => (d.engine['platform'] = 'x'))],
    ['another version', 'other_version', ({ file }) => change(file, (d) => (d['version'] = 2))],
    ['another function', 'other_version', ({ file }) => change(file, (d) => (d['function'] = 'other'))],
    ['another tenant', 'other_version', ({ file }) => change(file, (d) => (d['tenant'] = 'other'))],
    ['another digest', 'other_version', ({ file }) => change(file, (d) => (d['digest'] = 'sha256-0'))],
    ['a heap that its memory limit does not hold', 'over_memory', ({ file }) => change(file, (d) => (d['heapBytes'] = 60 * 1_048_576))],
  ];

  it.each(FULL ? damages : [...damages.filter(([name]) => name === LOGGED), ...sample(damages.filter(([name]) => name !== LOGGED), 6)])('%s is never given to V8: %s', async (name, reason, damage) => {
    const fn = `bad-${name.replaceAll(/[^a-z]+/gi, '-').toLowerCase()}`;
    const deployed = await deployFrozen(host(), TELLS, { function: fn });
    damage(deployed);
    expect(JSON.parse(await host().text(deployed.target))).toEqual({ calls: 1, evaluations: 1 });
    expect(await reasonsOf(fn)).toEqual([reason]);
    expect(host().alive).toBe(true);
  });

  it('is said once in the log, and counted', async () => {
    await until(() => host().output.join('').includes('a version snapshot is not used'));
    const lines = host().output.join('').split('\n').filter((line) => line.includes('a version snapshot is not used') && line.includes('bad-no-blob'));
    expect(lines.length).toBe(1);
    expect(host().snapshots.fallBacks['missing']).toBe(1);
  });

  it('may be that of another version of the same bytes: it is not taken', async () => {
    const one = await deployFrozen(host(), TELLS, { function: 'mine', tenant: 'one' });
    const two = await deployMade(host(), TELLS.replace('calls = 0', 'calls = 100'), { function: 'yours', tenant: 'two' }, { withheld: 'switched_off' });
    // A file put there by hand, or by a bug: description and blob are whole, but not theirs.
    const description = readFileSync(one.file, 'utf8');
    mkdirSync(`${two.folder}/snapshots`, { recursive: true });
    writeFileSync(two.file, description);
    copyFileSync(blobOf(one.folder), `${two.folder}/snapshots/${readDescription(one.file).sha256}.bin`);
    expect(JSON.parse(await host().text(two.target))).toEqual({ calls: 101, evaluations: 1 });
    expect(await reasonsOf('yours')).toEqual(['other_version']);
  });
});

describe('switches and changes', () => {
  it('two versions of one function have their own', async () => {
    const one = await deployFrozen(host(), 'const n = { v: 1 };\nexport default { fetch: () => Response.json(n) };', { function: 'both', version: 1 });
    const two = await deployFrozen(host(), 'const n = { v: 2 };\nexport default { fetch: () => Response.json(n) };', { function: 'both', version: 2 });
    expect([await host().text(one.target), await host().text(two.target)]).toEqual(['{"v":1}', '{"v":2}']);
    expect(one.made.sha256).not.toBe(two.made.sha256);
  });

  it('a snapshot that is withdrawn is not used at the next cold start, and one that is published is', async () => {
    const { target, file } = await deployFrozen(host(), 'export default { fetch() { for (;;); } };', { function: 'switched', cpuMs: 5 });
    /** A cold start, and its end. @returns isolates restored from then on */
    const coldStart = async (): Promise<number> => {
      const { restored } = host().snapshots;
      expect((await host().call(target)).code).toBe('cpu_limit_exceeded');
      await host().nextFigures();
      return host().snapshots.restored - restored;
    };
    expect(await coldStart()).toBe(1);
    const description = readFileSync(file);
    rmSync(file);
    expect(await coldStart()).toBe(0);
    writeFileSync(file, description);
    utimesSync(file, 1, 1);
    expect(await coldStart()).toBe(1);
  });

  it('the node-wide switch keeps hosts from reading any', async () => {
    const off = await TestHost.start({ snapshots: false });
    const { target } = await deployFrozen(off, TELLS, {});
    expect(JSON.parse(await off.text(target))).toEqual({ calls: 1, evaluations: 1 });
    await off.nextFigures();
    expect(off.snapshots.restored).toBe(0);
    expect(off.snapshots.fallen).toEqual([]);
  });
});

describe('answers are the same from snapshot, code cache and source', () => {
  const files: Readonly<Record<string, string>> = {
    router: 'const routes = new Map<RegExp, (m: RegExpExecArray) => unknown>([[/^\\/user\\/(\\d+)$/, (m) => ({ id: Number(m[1]) })], [/^\\/$/, () => ({ home: true })]]);\nexport default { fetch(r: Request) { const p = new URL(r.url).pathname; for (const [re, h] of routes) { const m = re.exec(p); if (m) return Response.json(h(m)); } return new Response("none", { status: 404 }); } };',
    template: `const parts = Array.from({ length: 300 }, (_, i) => 'row ' + i);\n${'// filler so that a code cache is worth it\n'.repeat(100)}export default { fetch: () => new Response(parts.join('|'), { headers: { 'x-n': String(parts.length) } }) };`,
    classes: 'abstract class Shape { abstract area(): number; toString() { return `${this.constructor.name} ${this.area()}`; } } class Square extends Shape { #a = 2; area() { return this.#a ** 2; } } const all = [new Square()];\nexport default { fetch: () => new Response(all.join()) };',
    env: 'const mode = process.env.MODE ?? "none";\nexport default { fetch: (_: Request, env: Record<string, string>) => Response.json({ mode, same: env === process.env, keys: Object.keys(env) }) };',
    errors: 'class Oops extends Error { status = 418; code = "teapot"; }\nexport default { fetch() { throw new Oops("short and stout"); } };',
    echo: 'export default { fetch: (r: Request) => new Response(r.body, { headers: { "x-method": r.method } }) };',
  };

  it.each(FULL ? Object.entries(files) : sample(Object.entries(files), 3))('%s', async (name, source) => {
    const settings: BundleSettings = { env: { MODE: 'test' } };
    const answers: { readonly how: string; readonly [member: string]: unknown }[] = [];
    for (const [how, job] of [['snapshot', {}], ['cache', { withheld: 'switched_off' }], ['source', { withheld: 'switched_off' }]] as const) {
      const deployed = await deployMade(host(), source, { ...settings, function: `same-${name}-${how}` }, job);
      expect(deployed.made.reason).toBe(how === 'snapshot' ? null : 'switched_off');
      if (how === 'source') rmSync(`${deployed.folder}/code-cache.json`, { force: true });
      for (const path of ['/', '/user/7', '/none']) {
        const { status, headers, body, code, detail } = await host().call(deployed.target, { path, ...(name === 'echo' ? { body: 'text' } : {}) });
        answers.push({ how, path, status, headers, body: body.toString(), code, detail: detail?.replaceAll(`same-${name}-${how}`, 'same') });
      }
    }
    const of = (how: string): unknown[] => answers.filter((answer) => answer.how === how).map((answer) => ({ ...answer, how: '' }));
    expect(of('snapshot')).toEqual(of('source'));
    expect(of('cache')).toEqual(of('source'));
  });
});
