// Builds: what a bundle is, what may be imported, where errors and stack frames point, and what happens to a builder that hangs or dies.
import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { Builder, EsbuildService, UploadResolver } from '../../../control/builder/index.ts';
import type { EsbuildServiceOptions } from '../../../control/builder/index.ts';
import { PlatformError } from '../../../core/errors/index.ts';
import { BUNDLE_PREFIX, BUNDLE_SUFFIX } from '../../../core/versions/index.ts';
import { runBundle } from '../../support/bundles.ts';
import type { Exports } from '../../support/bundles.ts';

const builder = new Builder();
afterAll(() => builder.stop());

const load = (bundle: string): Exports => runBundle(bundle, { env: { OTHER: undefined, MODE: 'from the environment' } }) as Exports;

async function failure(files: Record<string, string>, main: string): Promise<readonly { file: string; line: number; column: number; text: string }[]> {
  const thrown: unknown = await builder.build(files, main).catch((error: unknown) => error);
  if (!(thrown instanceof PlatformError) || thrown.code !== 'build_failed') throw new Error('the build did not fail as it should', { cause: thrown });
  return (thrown as PlatformError<'build_failed'>).params.errors;
}

describe('a bundle', () => {
  it('is one script between prefix and suffix that exports what the main file does', async () => {
    const { bundle } = await builder.build({ 'index.ts': 'export default { n: 1 as number };\nexport const named = "x";' }, 'index.ts');
    expect(bundle.startsWith(`${BUNDLE_PREFIX}\n`)).toBe(true);
    expect(bundle.trimEnd().endsWith(`\n${BUNDLE_SUFFIX}`)).toBe(true);
    expect(load(bundle)).toMatchObject({ default: { n: 1 }, named: 'x' });
  });

  it('takes CommonJS, JSON, text, JSX and a hashbang', async () => {
    const { bundle } = await builder.build(
      {
        'main.cjs': '#!/usr/bin/env node\nconst d = require("./data"); module.exports = { d, t: require("./note.txt"), v: require("./view.tsx").view };',
        'data/index.json': '{"a":[1]}',
        'note.txt': '#!no code\n"quoted"',
        'view.tsx': 'const h = (tag: string, p: unknown, ...c: unknown[]) => [tag, ...c];\n/** @jsx h */\nexport const view = <b>hi</b>;',
      },
      'main.cjs',
    );
    expect(load(bundle)).toEqual({ d: { a: [1] }, t: '#!no code\n"quoted"', v: ['b', 'hi'] });
  });

  it('keeps modules strict and scripts sloppy', async () => {
    const sloppy = 'function self() { return this === undefined; }';
    expect(load((await builder.build({ 'a.js': `${sloppy} export default self();` }, 'a.js')).bundle).default).toBe(true);
    expect(load((await builder.build({ 'a.cjs': `${sloppy} module.exports = { default: self() };` }, 'a.cjs')).bundle).default).toBe(false);
  });

  it('finds files as TypeScript and bundlers do', async () => {
    const files = {
      'src/index.ts': 'import a from "./a.js"; import b from "./b"; import c from "../c"; import d from "."; import e from "./e.mjs"; export default [a, b, c, typeof d, e];',
      'src/a.ts': 'export default "a";',
      'src/b/index.tsx': 'export default "b";',
      'c.mts': 'export default "c";',
      'src/e.mts': 'export default "e";',
    };
    expect(load((await builder.build(files, 'src/index.ts')).bundle).default).toEqual(['a', 'b', 'c', 'undefined', 'e']);
  });

  it('gives import.meta and NODE_ENV values that code expects in production', async () => {
    const { bundle } = await builder.build({ 'a.ts': 'export default [import.meta.env.MODE, import.meta.env.DEV, import.meta.env.OTHER, process.env.NODE_ENV, typeof import.meta.url];' }, 'a.ts');
    expect(load(bundle).default).toEqual(['production', false, undefined, 'production', 'string']);
  });

  it('lowers what V8 12.4 does not know and keeps what it knows', async () => {
    const { bundle } = await builder.build({ 'a.ts': 'class A { #x = 1; static { } accessor y = 2; get() { return this.#x ?? 0; } }\nexport default new A().get();' }, 'a.ts');
    expect(bundle).toContain('#x');
    expect(load(bundle).default).toBe(1);
  });

  it('is the same for the same files', async () => {
    const files = { 'a.ts': 'import "./b"; export default 1;', 'b.ts': 'globalThis.x = 1;' };
    const [one, two] = [await builder.build(files, 'a.ts'), await builder.build(files, 'a.ts')];
    expect([one.bundle, one.map]).toEqual([two.bundle, two.map]);
  });

  it('cannot be left by what a file says', async () => {
    const bundle = (await builder.build({ 'a.js': 'export default "}); globalThis.escaped = true; (function () {";', 'b.js': '' }, 'a.js')).bundle;
    expect(load(bundle).default).toContain('escaped');
    expect((await failure({ 'a.js': '}); globalThis.escaped = true; (function () {' }, 'a.js')).length).toBeGreaterThan(0);
  });
});

describe('the source map', () => {
  it('leads from every frame of a stack to the author\'s line and column', async () => {
    const files = {
      'src/index.ts': 'import { fail } from "./lib/fail.ts";\n\ninterface Unused { a: string }\nexport default (): never => {\n  return fail("é" as string);\n};',
      'src/lib/fail.ts': 'type T = string;\n\nexport function fail(text: T): never {\n  const längst = 1; throw new Error(text + längst);\n}',
    };
    for (const [main, extra] of [['src/index.ts', {}], ['src/index.ts', { 'src/lib/fail.ts': `${files['src/lib/fail.ts']}\nmodule.exports.x = 1;` }]] as const) {
      const { bundle, map } = await builder.build({ ...files, ...extra }, main);
      const payload = JSON.parse(map) as { sources: string[]; sourcesContent?: unknown; mappings: string; version: number; names: string[]; file: string; sourceRoot: string };
      expect(payload.sources).toEqual(expect.arrayContaining(['src/index.ts', 'src/lib/fail.ts']));
      expect(payload.sourcesContent).toBeUndefined();
      const sourceMap = new SourceMap({ ...payload, sourcesContent: [] });
      let stack = '';
      try {
        (load(bundle).default as () => void)();
      } catch (error) {
        stack = (error as Error).stack ?? '';
      }
      const places = [...stack.matchAll(/bundle\.js:(\d+):(\d+)/g)].slice(0, 2).map(([, line, column]) => {
        const entry = sourceMap.findEntry(Number(line) - 1, Number(column) - 1);
        return 'originalSource' in entry ? [entry.originalSource, entry.originalLine + 1, entry.originalColumn + 1] : undefined;
      });
      expect(places).toEqual([['src/lib/fail.ts', 4, 27], ['src/index.ts', 5, 10]]);
    }
  });
});

describe('a failed build', () => {
  it('names file, line and column of each error, counted from 1 in characters', async () => {
    expect(await failure({ 'index.ts': 'const a = 1;\nexport default {{' }, 'index.ts')).toMatchObject([{ file: 'index.ts', line: 2, column: 17 }]);
    expect(await failure({ 'index.ts': 'import "./b.ts";', 'b.ts': '\n\nconst "é😀"; (' }, 'index.ts')).toMatchObject([{ file: 'b.ts', line: 3, column: 7 }]);
    expect(await failure({ 'index.ts': 'const s = "é😀"; let let = 1;' }, 'index.ts')).toMatchObject([{ file: 'index.ts', line: 1, column: 22 }]);
    expect(await failure({ 'a.json': '{', 'index.js': 'import "./a.json"' }, 'index.js')).toMatchObject([{ file: 'a.json', line: 1 }]);
  });

  it('says of each import that it cannot have what is the matter with it', async () => {
    const imports = ['node:fs', 'react', '@scope/pkg', 'fs', 'https://esm.sh/x', 'data:text/javascript,1', '//cdn/x', '/etc/passwd', '../../x', './missing', '#internal'];
    const files = { 'src/index.ts': imports.map((one) => `import ${JSON.stringify(one)};`).join('\n') };
    const errors = await failure(files, 'src/index.ts');
    expect(errors.map((error) => [error.file, error.line])).toEqual(imports.map((_, index) => ['src/index.ts', index + 1]));
    for (const [index, one] of imports.entries()) expect(errors[index]?.text).toContain(one);
  });

  it('reads nothing of this machine', async () => {
    for (const main of ['index.js', 'work/index.js', 'etc/index.js']) {
      for (const one of ['/etc/hostname', '../../../../../../etc/hostname', 'file:///etc/hostname', '../package.json', './package.json', 'zod', process.execPath]) {
        const errors = await failure({ [main]: `import x from ${JSON.stringify(one)}; export default x;` }, main);
        expect(errors[0]?.line).toBe(1);
      }
    }
    const lazy = await failure({ 'a.js': 'require("fs"); import("node:net"); export * from "zod"; new URL("x")' }, 'a.js');
    expect(lazy).toHaveLength(3);
  });

  it('never shows how the platform names files', async () => {
    const errors = await failure({ 'index.ts': 'import { x } from "./b.ts"; import "./c.css"; export default x;', 'b.ts': 'export const y = 1;', 'c.css': 'a{}' }, 'index.ts');
    expect(errors.length).toBeGreaterThan(0);
    for (const { file, text } of errors) expect(`${file} ${text}`).not.toContain('upload:');
  });

  it('is bounded, however many errors there are', async () => {
    const errors = await failure({ 'index.ts': Array.from({ length: 500 }, (_, i) => `import "missing-${i}";`).join('\n') }, 'index.ts');
    expect(errors.length).toBeLessThanOrEqual(50);
  });

  it('is a failed build, whatever the text is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.constantFrom('a.ts', 'a.js', 'a.tsx', 'a.json', 'a.txt', 'a.css', 'a'), async (text, main) => {
        const outcome: unknown = await builder.build({ [main]: text }, main).catch((error: unknown) => error);
        const code = outcome instanceof PlatformError ? outcome.code : 'built';
        expect([outcome instanceof Error ? 'build_failed' : 'built', code]).toEqual([code, code]);
      }),
      { numRuns: 150 },
    );
  });
});

describe('imports', () => {
  it('resolve to an uploaded file or to an error, for any specifier', () => {
    const files = new Map([['index.ts', ''], ['a/b.js', ''], ['a/index.json', '']]);
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 30 }), fc.array(fc.constantFrom('.', '..', 'a', 'b', 'b.js', '', 'index')).map((parts) => `./${parts.join('/')}`)), fc.constantFrom(...files.keys()), (specifier, importer) => {
        const found = new UploadResolver(files).resolve(specifier, importer, 'import');
        const sound = 'file' in found ? files.has(found.file) : 'error' in found ? found.error.includes(JSON.stringify(specifier)) : 'builtin' in found;
        expect(sound).toBe(true);
      }),
    );
  });
});

describe('the build process', () => {
  type Engine = NonNullable<EsbuildServiceOptions['engine']>;
  const done = { errors: [], warnings: [], outputFiles: [] };
  const engine = (build: (call: number) => Promise<unknown>, stops: { count: number }): Engine => {
    let calls = 0;
    return { build: (() => build((calls += 1))) as unknown as Engine['build'], stop: async () => void (stops.count += 1) };
  };

  it('that hangs is ended, the hanging build fails, and the others are built by the next one', async () => {
    const stops = { count: 0 };
    // Build 1 hangs; 2 is caught in the same process; 3 is the second attempt of 2.
    const service = new EsbuildService({ buildMs: 80, atOnce: 2, engine: engine((call) => (call <= 2 ? new Promise(() => {}) : Promise.resolve(done)), stops) });
    const first = service.build({});
    await new Promise((resolve) => setTimeout(resolve, 40));
    const second = service.build({});
    await expect(first).rejects.toThrow('longer than 80 ms');
    await expect(second).resolves.toEqual(done);
    expect([stops.count, service.restarts]).toEqual([1, 1]);
  });

  it('that dies is started again for the build that lost it, once', async () => {
    const stops = { count: 0 };
    const service = new EsbuildService({ engine: engine((call) => (call === 1 ? Promise.reject(new Error('The service was stopped')) : Promise.resolve(done)), stops) });
    await expect(service.build({})).resolves.toEqual(done);
    expect(stops.count).toBe(1);
    const hopeless = new EsbuildService({ engine: engine(() => Promise.reject(new Error('The service was stopped')), stops) });
    await expect(hopeless.build({})).rejects.toThrow('died');
    expect(hopeless.restarts).toBe(2);
  });

  it('that one build kills again and again fails that build only', async () => {
    const stops = { count: 0 };
    // As in life: whatever is under way when the guilty build starts to run dies with it.
    let pending: ((error: Error) => void)[] = [];
    const build = (options: { readonly outfile?: string }): Promise<unknown> =>
      new Promise((resolve, reject) => {
        pending.push(reject);
        const die = (): void => {
          for (const one of pending) one(new Error('The service was stopped'));
          pending = [];
        };
        setTimeout(options.outfile === 'guilty' ? die : () => resolve(done), options.outfile === 'guilty' ? 5 : 20);
      });
    const service = new EsbuildService({ atOnce: 3, engine: { build: build as unknown as Engine['build'], stop: async () => void (stops.count += 1) } });
    const outcomes = await Promise.allSettled(['a', 'guilty', 'b', 'c', 'd'].map((outfile) => service.build({ outfile })));
    expect(outcomes.map((one) => one.status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
    expect(service.restarts).toBe(2);
  });

  it('really is another one after it was killed', async () => {
    const own = new Builder();
    await own.warm();
    const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(/\s+/);
    const service = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--service='));
    expect(service).toBeDefined();
    process.kill(Number(service), 'SIGKILL');
    const builds = await Promise.all(Array.from({ length: 4 }, () => own.build({ 'a.js': 'export default 1' }, 'a.js')));
    expect(builds.map((one) => load(one.bundle).default)).toEqual([1, 1, 1, 1]);
    expect(own.restarts).toBeGreaterThan(0);
    await own.stop();
  });
});
