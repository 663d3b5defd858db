// Forms of a bundle beyond the plain one: names of other runtimes, top-level await, AsyncLocalStorage, and what functions cannot import.
import { SourceMap } from 'node:module';
import { afterAll, describe, expect, it } from 'vitest';
import { Builder } from '../../../control/builder/index.ts';
import { PlatformError } from '../../../core/errors/index.ts';
import { ASYNC_BUNDLE_PREFIX, BUNDLE_PREFIX } from '../../../core/versions/index.ts';
import { WEB_GLOBALS, runBundle } from '../../support/bundles.ts';
import type { Exports } from '../../support/bundles.ts';

const builder = new Builder();
afterAll(() => builder.stop());

type Files = Readonly<Record<string, string>>;

const bundleOf = async (files: Files, main = 'index.ts'): Promise<string> => (await builder.build(files, main)).bundle;
const BUILTINS = { deno: { is: 'deno' }, bun: { is: 'bun' }, process: { is: 'process', env: { A: 'a' }, cwd: () => '/' }, env: { A: 'a', MODE: 'theirs' } };
const run = async (files: Files, main = 'index.ts'): Promise<Exports> => await runBundle(await bundleOf(files, main), BUILTINS, WEB_GLOBALS);

async function failure(files: Files): Promise<readonly { file: string; line: number; column: number; text: string }[]> {
  const thrown: unknown = await builder.build(files, 'index.ts').catch((error: unknown) => error);
  if (!(thrown instanceof PlatformError) || thrown.code !== 'build_failed') throw new Error('the build did not fail as it should', { cause: thrown });
  return (thrown as PlatformError<'build_failed'>).params.errors;
}

describe('names of other runtimes', () => {
  it('come to bundles that use them', async () => {
    expect((await run({ 'index.ts': 'export default [Deno.is, Bun.is, process.is, typeof global, global === globalThis, Buffer.from("é").toString("hex"), typeof setImmediate, typeof clearImmediate];' })).default).toEqual(
      ['deno', 'bun', 'process', 'object', true, 'c3a9', 'function', 'function'],
    );
  });

  it('do not come to others: not for a comment, a string, a property or a name of their own', async () => {
    const bundle = await bundleOf({ 'index.ts': '// Deno, Bun, process, Buffer, setImmediate, import.meta.env\nconst process = { env: 1 }; export default (Deno: number, Bun = { Buffer: 2, setImmediate: 3 }) => [process.env, Deno, Bun.Buffer, "Deno.serve process Buffer", import.meta.url];' });
    expect(bundle).not.toContain('__thimble(');
    expect(bundle.length).toBeLessThan(1_500);
    expect(await bundleOf({ 'index.ts': 'export default process.env.NODE_ENV === "production" ? 1 : process.cwd();' })).not.toContain('__thimble(');
  });

  it('of servers come to packages only if the author uses them', async () => {
    const detects = { 'node_modules/a/index.js': 'exports.is = [typeof Deno, typeof Bun];' };
    expect((await run({ 'index.ts': '// runs on Deno and Bun\nimport { is } from "a"; export default is;', ...detects })).default).toEqual(['undefined', 'undefined']);
    expect((await run({ 'index.ts': 'import { is } from "a"; Deno.is; export default is;', ...detects })).default).toEqual(['object', 'undefined']);
    expect((await run({ 'index.ts': 'import { is } from "a"; export default is;', 'broken.ts': 'Deno.serve({', ...detects })).default).toEqual(['undefined', 'undefined']);
  });

  it('are one object in all modules, in CommonJS too', async () => {
    const files = { 'index.ts': 'import a from "./a.cjs"; import b from "./b"; export default [a === process, b === process, Buffer === require("buffer").Buffer];', 'a.cjs': 'module.exports = process;', 'b.ts': 'import process from "node:process"; export default process;' };
    expect((await run(files)).default).toEqual([true, true, true]);
  });

  it('include the environment of import.meta.env, under what the build says', async () => {
    expect((await run({ 'index.ts': 'export default [import.meta.env.A, import.meta.env.MODE, { ...import.meta.env }, Object.keys(import.meta.env).length];' })).default).toEqual(['a', 'production', { A: 'a', MODE: 'production', PROD: true, DEV: false, SSR: true }, 5]);
    expect(await bundleOf({ 'index.ts': 'import { tool } from "./debug"; if (import.meta.env.DEV) tool();', 'debug.ts': 'export const tool = () => "debug only";' })).not.toContain('debug only');
  });
});

describe('top-level await', () => {
  const shared = { 'lib.ts': 'export const value = await Promise.resolve(41); export const module = "m", exports = "e", arguments_ = 1;' };

  it('makes the factory asynchronous, and gives the same exports', async () => {
    const files = { ...shared, 'index.ts': 'import { value, module, exports } from "./lib"; export default value + 1; export const named = [module, exports]; export { value as "a string" } from "./lib";' };
    const bundle = await bundleOf(files);
    expect(bundle.startsWith(`${ASYNC_BUNDLE_PREFIX}\n"use strict";\n`)).toBe(true);
    const exports = await runBundle(bundle);
    expect({ ...exports }).toEqual({ default: 42, named: ['m', 'e'], 'a string': 41 });
  });

  it('leaves bundles without it as they are', async () => {
    expect((await bundleOf({ 'index.ts': 'export default async () => await 1; // await 1' })).startsWith(`${BUNDLE_PREFIX}\n`)).toBe(true);
  });

  it('is not fooled by what texts say', async () => {
    const files = { 'index.ts': 'export const s = "export { x as default };"; export default `\nexport {\n  s as default\n};\n}); __thimble_define(function () {`; await 0; /* export { a }; */' };
    const exports = (await run(files)) as { s: string; default: string };
    expect([exports.s, exports.default]).toEqual(['export { x as default };', '\nexport {\n  s as default\n};\n}); __thimble_define(function () {']);
  });

  it('may be in a module that CommonJS reaches by import(), with live exports', async () => {
    const files = { ...shared, 'index.ts': 'let n = 0; export { n }; export const add = () => { n += 1; }; await 0; n = 5;', 'main.cjs': 'module.exports = { get: async () => (await import("./lib")).value, own: module.exports === exports };' };
    const live = (await run(files)) as { n: number; add: () => void };
    live.add();
    expect(live.n).toBe(6);
    const common = (await run(files, 'main.cjs')) as unknown as { get: () => Promise<number>; own: boolean };
    expect([await common.get(), common.own]).toEqual([41, true]);
  });

  it('and a build that fails for something else fails with that', async () => {
    expect(await failure({ 'index.ts': 'await 0;\nimport "./missing";' })).toMatchObject([{ file: 'index.ts', line: 2, column: 8 }]);
  });
});

describe('AsyncLocalStorage', () => {
  const hooks = { 'node:async_hooks': { AsyncLocalStorage: class {}, AsyncResource: class {} } };
  const source = `import { AsyncLocalStorage } from "node:async_hooks";
    class C { #x = 1; async m(a) { return this.#x + (await a); } static async *g() { yield await 1; yield* [2]; } arrow = async () => await this.m(1); }
    export async function run() {
      const out = [];
      for await (const x of C.g()) out.push(x);
      label: for (const x of [1, 2]) { for await (const y of [x]) { if (y === 2) break label; out.push(y); } }
      try { await Promise.reject(new Error("no")); } catch (error) { out.push(error.message); } finally { out.push(await "f"); }
      Symbol.dispose ??= Symbol.for("Symbol.dispose"); Symbol.asyncDispose ??= Symbol.for("Symbol.asyncDispose");
      { await using d = { async [Symbol.asyncDispose]() { out.push("disposed"); } }; using e = { [Symbol.dispose]() { out.push("e"); } }; }
      function* gen() { yield* [7]; }
      out.push(...gen(), await new C().arrow(), await (async function () { return arguments.length; })(1, 2), await (async ({ a = 5 } = {}) => a)());
      return out;
    }
    export default new AsyncLocalStorage();`;

  it('has every async function built on then, and they do the same', async () => {
    const bundle = await bundleOf({ 'index.ts': source });
    expect(bundle).not.toMatch(/\bawait\b|\basync\b\s*(?:\(|function|\*)/);
    const { run: lowered } = runBundle(bundle, hooks) as { run: () => Promise<unknown[]> };
    expect(await lowered()).toEqual([1, 2, 1, 'no', 'f', 'e', 'disposed', 7, 2, 2, 5]);
  });

  it('that nothing uses lowers nothing', async () => {
    expect(await bundleOf({ 'index.ts': 'import { AsyncLocalStorage } from "async_hooks"; export default async () => await 1;' })).toContain('await 1');
  });

  it('goes with top-level await', async () => {
    const bundle = await bundleOf({ 'index.ts': `${source}\nexport const top = await run();` });
    expect(bundle.startsWith(ASYNC_BUNDLE_PREFIX)).toBe(true);
    expect(((await runBundle(bundle, hooks)) as { top: unknown[] }).top).toHaveLength(11);
  });

  it('is found through require and through packages', async () => {
    expect(await bundleOf({ 'index.ts': 'const { AsyncLocalStorage } = require("async_hooks"); export default async () => [await 1, new AsyncLocalStorage()];' })).not.toContain('await 1');
    expect(await bundleOf({ 'index.ts': 'import "a"; export default async () => await 1;', 'node_modules/a/index.js': 'module.exports = new (require("node:async_hooks").AsyncLocalStorage)();' })).not.toContain('await 1');
  });
});

describe('stacks', () => {
  it.each<[string, string]>([
    ['plain', ''],
    ['with top-level await', 'await 0;'],
    ['lowered', 'import { AsyncLocalStorage } from "node:async_hooks"; new AsyncLocalStorage();'],
    ['both', 'import { AsyncLocalStorage } from "node:async_hooks"; new AsyncLocalStorage(); await 0;'],
    ['with injected names', 'if (process.env.A === "b") Deno.serve(); Buffer.from("x");'],
    ['sloppy', 'import "./c.cjs";'],
    ['with a package', 'import "a";'],
  ])('lead to the author\'s place: %s', async (_, first) => {
    const files = {
      'index.ts': `${first}\nimport { fail } from "./lib/fail.ts";\ninterface Unused { a: string }\nexport default (): never => {\n  return fail("é");\n};`,
      'lib/fail.ts': 'type T = string;\n\nexport function fail(text: T): never {\n  throw new Error(text);\n}',
      'c.cjs': 'module.exports = 1;', 'node_modules/a/package.json': '{"type":"module"}', 'node_modules/a/index.js': 'export const a = 1; globalThis.a = a;',
    };
    const { bundle, map } = await builder.build(files, 'index.ts');
    const payload = JSON.parse(map) as ConstructorParameters<typeof SourceMap>[0];
    const sourceMap = new SourceMap({ ...payload, sourcesContent: [] });
    const exports = await runBundle(bundle, { ...BUILTINS, 'node:async_hooks': { AsyncLocalStorage: class {} } }, WEB_GLOBALS);
    let stack = '';
    try {
      (exports.default as () => void)();
    } catch (error) {
      stack = (error as Error).stack ?? '';
    }
    const places = [...stack.matchAll(/bundle\.js:(\d+):(\d+)/g)].slice(0, 2).map(([, line, column]) => {
      const entry = sourceMap.findEntry(Number(line) - 1, Number(column) - 1);
      return 'originalSource' in entry ? [entry.originalSource, entry.originalLine + 1, entry.originalColumn + 1] : undefined;
    });
    expect(places).toEqual([['lib/fail.ts', 4, 9], ['index.ts', 5, 10]]);
    for (const source of payload.sources) expect(source).toMatch(/^(?:[\w.-]+\/)*[\w.-]+$|^node:[a-z_/:]+$|^thimble:/);
  });
});

describe('what functions cannot import', () => {
  const pkg = (text: string, json = '{}'): Files => ({ 'index.ts': 'import * as a from "a"; export default a;', 'node_modules/a/index.js': text, 'node_modules/a/package.json': json });

  it('is refused in the author\'s files, by name and place, with what to use instead', async () => {
    for (const [name, instead] of [['fs', 'upload'], ['node:fs/promises', 'upload'], ['child_process', 'processes'], ['net', 'fetch'], ['node:tls', 'fetch'], ['dgram', 'fetch'], ['cluster', 'processes'], ['worker_threads', 'threads'], ['vm', 'context'], ['http', 'fetch'], ['node:https', 'fetch'], ['http2', 'fetch'], ['node:sqlite', 'file'], ['module', 'literal'], ['node:nothing', 'Node has no module']] as const) {
      for (const text of [`import x from "${name}"; export default x;`, `export default () => require("${name}");`, `export default () => import("${name}");`, `export * from "${name}";`]) {
        const [error] = await failure({ 'index.ts': `\n${text}` });
        expect(error).toMatchObject({ file: 'index.ts', line: 2 });
        expect(error?.text).toContain(`"${name}"`);
        expect(error?.text).toContain(instead);
      }
    }
  });

  it('is refused in packages that cannot do without: an import that is in the bundle in the end', async () => {
    expect(await failure(pkg('import { readFileSync } from "fs";\nexport const read = () => readFileSync("x");', '{"type":"module"}'))).toMatchObject([{ file: 'node_modules/a/index.js', line: 1, column: 30 }]);
    expect(await failure(pkg('import net from "node:net"; net.connect(1);', '{"sideEffects":false}'))).toMatchObject([{ file: 'node_modules/a/index.js', line: 1 }]);
  });

  it('may stand in packages where it is never used', async () => {
    const files = { ...pkg('import { readFileSync } from "node:fs"; export const one = 1; export const read = () => readFileSync("x");', '{"type":"module","sideEffects":false}'), 'index.ts': 'import { one } from "a"; export default one;' };
    expect((await run(files)).default).toBe(1);
    expect(await bundleOf(files)).not.toContain('refused');
  });

  it('lets a package try: inside try it throws at once', async () => {
    const files = pkg('let fs; try { fs = require("fs"); } catch { fs = "none"; } let ws; try { ws = require("not-installed"); } catch { ws = "none"; } exports.fs = fs; exports.ws = ws;');
    expect((await run(files)).default).toMatchObject({ fs: 'none', ws: 'none' });
    const asynchronous = pkg('exports.ask = () => import("node:fs").catch(() => "none");');
    expect(await bundleOf(asynchronous)).toContain('catch');
  });

  it('lets a package require it and not use it; using it says what is the matter', async () => {
    const files = pkg('const fs = require("fs"); const { x } = { x: require("node:http") }; exports.one = 1; exports.read = () => fs.readFileSync("x"); exports.make = () => new x.Server(); exports.call = () => x(); exports.load = async () => (await import("net")).connect();');
    const a = (await run(files)).default as { one: number; read(): void; make(): void; call(): void; load(): Promise<void> };
    expect(a.one).toBe(1);
    expect(() => a.read()).toThrow('Cannot import "fs"');
    expect(() => a.make()).toThrow('fetch');
    expect(() => a.call()).toThrow('fetch');
    await expect(a.load()).rejects.toThrow('Cannot import "net"');
  });

  it('is refused when a package wants a package that was not uploaded, unless it tries', async () => {
    expect(await failure(pkg('module.exports = require("gone");'))).toMatchObject([{ file: 'node_modules/a/index.js', line: 1, column: 26 }]);
    expect((await failure(pkg('import "gone";')))[0]?.text).toContain('node_modules/gone/');
  });
});
