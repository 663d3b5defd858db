// What an import means among uploaded files: Node's algorithm (nodejs.org/api/esm.html, nodejs.org/api/packages.html) and what bundlers add to it.
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { Builder, UploadResolver } from '../../../control/builder/index.ts';
import type { ImportKind } from '../../../control/builder/index.ts';
import { PlatformError } from '../../../core/errors/index.ts';
import { runBundle } from '../../support/bundles.ts';
import type { Exports } from '../../support/bundles.ts';

const builder = new Builder();
afterAll(() => builder.stop());

type Files = Readonly<Record<string, string>>;

/** The file that is found, `node:NAME`, `(empty)`, or `error`. */
function resolve(files: Files, specifier: string, importer = 'index.ts', kind: ImportKind = 'import'): string {
  const found = new UploadResolver(new Map(Object.entries({ 'index.ts': '', ...files }))).resolve(specifier, importer, kind);
  if ('file' in found) return found.file;
  if ('builtin' in found) return `node:${found.builtin}`;
  return 'empty' in found ? '(empty)' : 'error';
}

const pkg = (name: string, json: object, ...paths: string[]): Files => ({
  [`node_modules/${name}/package.json`]: JSON.stringify({ name, ...json }),
  ...Object.fromEntries(paths.map((path) => [`node_modules/${name}/${path}`, ''])),
});

describe('a package', () => {
  it.each<[string, Files, string, string]>([
    ['main', pkg('a', { main: './lib/main.js' }, 'lib/main.js'), 'a', 'node_modules/a/lib/main.js'],
    ['main without extension', pkg('a', { main: 'lib/main' }, 'lib/main.js'), 'a', 'node_modules/a/lib/main.js'],
    ['main that is a folder', pkg('a', { main: './lib' }, 'lib/index.js'), 'a', 'node_modules/a/lib/index.js'],
    ['main that is not there', pkg('a', { main: './gone.js' }, 'index.js'), 'a', 'node_modules/a/index.js'],
    ['no main', pkg('a', {}, 'index.js'), 'a', 'node_modules/a/index.js'],
    ['no package.json', { 'node_modules/a/index.js': '' }, 'a', 'node_modules/a/index.js'],
    ['a package.json that is no JSON', { 'node_modules/a/package.json': '{', 'node_modules/a/index.js': '' }, 'a', 'node_modules/a/index.js'],
    ['a file in it', pkg('a', { main: 'x.js' }, 'sub/b.js'), 'a/sub/b.js', 'node_modules/a/sub/b.js'],
    ['a file without extension', pkg('a', {}, 'sub/b.js'), 'a/sub/b', 'node_modules/a/sub/b.js'],
    ['a folder in it', pkg('a', {}, 'sub/index.js'), 'a/sub', 'node_modules/a/sub/index.js'],
    ['a folder with a package.json', { ...pkg('a', {}), 'node_modules/a/sub/package.json': '{"main":"../other.js"}', 'node_modules/a/other.js': '' }, 'a/sub', 'node_modules/a/other.js'],
    ['JavaScript before its source', pkg('a', {}, 'b.ts', 'b.js'), 'a/b', 'node_modules/a/b.js'],
    ['a scoped name', pkg('@s/a', { main: 'm.js' }, 'm.js'), '@s/a', 'node_modules/@s/a/m.js'],
    ['a file of a scoped name', pkg('@s/a', {}, 'b.js'), '@s/a/b.js', 'node_modules/@s/a/b.js'],
    ['a scope alone', pkg('@s/a', {}, 'b.js'), '@s', 'error'],
    ['a name that leaves', pkg('a', {}, 'index.js'), 'a/../../index.ts', 'error'],
    ['a dot as name', pkg('a', {}), '.a', 'error'],
    ['an unknown name', pkg('a', {}, 'index.js'), 'b', 'error'],
    ['a name that only begins alike', pkg('ab', {}, 'index.js'), 'a', 'error'],
  ])('by %s', (_, files, specifier, expected) => expect(resolve(files, specifier)).toBe(expected));

  it('is the nearest one, and is not looked for in node_modules/node_modules', () => {
    const files = { ...pkg('a', {}, 'index.js'), ...pkg('b', {}, 'index.js', 'node_modules/a/index.js'), 'src/node_modules/a/index.js': '', 'src/x.ts': '' };
    expect(resolve(files, 'a', 'index.ts')).toBe('node_modules/a/index.js');
    expect(resolve(files, 'a', 'src/x.ts')).toBe('src/node_modules/a/index.js');
    expect(resolve(files, 'a', 'node_modules/b/index.js')).toBe('node_modules/b/node_modules/a/index.js');
    expect(resolve(files, 'b', 'node_modules/b/node_modules/a/index.js')).toBe('node_modules/b/index.js');
    expect(resolve({ 'node_modules/node_modules/c/index.js': '' }, 'c', 'node_modules/a/index.js')).toBe('error');
  });

  it('offers another file to import than to require', () => {
    const files = pkg('a', { main: './c.js', module: './m.js' }, 'c.js', 'm.js');
    expect([resolve(files, 'a'), resolve(files, 'a', 'index.ts', 'require')]).toEqual(['node_modules/a/m.js', 'node_modules/a/c.js']);
  });

  it('with the name of a module of Node wins over it, unless node: is written', () => {
    const files = pkg('events', { main: './e.js' }, 'e.js');
    expect(resolve(files, 'events')).toBe('node_modules/events/e.js');
    expect(resolve(files, 'events/')).toBe('node_modules/events/e.js');
    expect(resolve(files, 'node:events')).toBe('node:events');
    expect(resolve({}, 'events')).toBe('node:events');
    expect(resolve({}, 'util/types')).toBe('node:util/types');
    // These are Node's with the prefix only.
    expect([resolve({}, 'test'), resolve({}, 'node:test'), resolve({}, 'sqlite')]).toEqual(['error', 'node:test', 'error']);
  });
});

describe('exports', () => {
  const exportsOf = (exports: unknown, ...paths: string[]): Files => pkg('a', { exports, main: './never.js' }, 'never.js', ...paths);
  const at = (path: string): string => `node_modules/a/${path}`;

  // The examples of Node's documentation, and each branch of its algorithm.
  it.each<[string, unknown, string, string]>([
    ['a text', './m.js', 'a', at('m.js')],
    ['a text hides everything else', './m.js', 'a/never.js', 'error'],
    ['a list takes the first that is valid', ['not/valid', './m.js'], 'a', at('m.js')],
    ['conditions', { import: './m.js', require: './c.cjs' }, 'a', at('m.js')],
    ['conditions in their order', { default: './c.cjs', import: './m.js' }, 'a', at('c.cjs')],
    ['conditions within conditions', { node: { import: './n.js' }, default: { import: './m.js' } }, 'a', at('m.js')],
    ['a condition whose inner ones do not apply leads on', { import: { node: './n.js' }, default: './m.js' }, 'a', at('m.js')],
    ['workerd before others', { node: './n.js', workerd: './m.js', default: './c.cjs' }, 'a', at('m.js')],
    ['node is not ours', { node: './n.js' }, 'a', 'error'],
    ['null is not offered', { import: null, default: './m.js' }, 'a', 'error'],
    ['a dot', { '.': './m.js' }, 'a', at('m.js')],
    ['subpaths', { './x': './m.js' }, 'a/x', at('m.js')],
    ['subpaths without a dot offer no main file', { './x': './m.js' }, 'a', 'error'],
    ['a subpath that is not there', { './x': './m.js' }, 'a/y', 'error'],
    ['extensions are not tried', { './x': './m' }, 'a/x', 'error'],
    ['a pattern', { './f/*.js': './src/*.js' }, 'a/f/deep/y.js', at('src/deep/y.js')],
    ['a pattern needs something', { './f/*': './src/*' }, 'a/f/', 'error'],
    ['a pattern with the star twice in the target', { './f/*': './src/*/*.js' }, 'a/f/z', at('src/z/z.js')],
    ['the longest pattern', { './*': './m.js', './f/*': './src/*.js' }, 'a/f/y', at('src/y.js')],
    ['the longer pattern of one base', { './f/*': './m.js', './f/*.js': './src/*.js' }, 'a/f/y.js', at('src/y.js')],
    ['a pattern that hides', { './f/*': './src/*.js', './f/internal/*': null }, 'a/f/internal/y', 'error'],
    ['the exact key before patterns', { './f/*': './src/*.js', './f/y': './m.js' }, 'a/f/y', at('m.js')],
    ['a target without a dot', 'm.js', 'a', 'error'],
    ['a target of another package', { '.': 'b' }, 'a', 'error'],
    ['a target above', { '.': './../a/m.js' }, 'a', 'error'],
    ['a target in node_modules', { '.': './node_modules/b/index.js' }, 'a', 'error'],
    ['a match that climbs', { './f/*': './src/*' }, 'a/f/../../never.js', 'error'],
    ['a match that climbs in other letters', { './f/*': './src/*' }, 'a/f/%2e%2e/never.js', 'error'],
    ['a key like a method of all objects', { './x': './m.js' }, 'a/constructor', 'error'],
    ['dots and conditions mixed', { '.': './m.js', import: './m.js' }, 'a', 'error'],
    ['a number', 7, 'a', 'error'],
    ['an empty list', [], 'a', 'error'],
  ])('%s', (_, exports, specifier, expected) => {
    expect(resolve(exportsOf(exports, 'm.js', 'c.cjs', 'n.js', 'src/y.js', 'src/deep/y.js', 'src/z/z.js', 'node_modules/b/index.js'), specifier)).toBe(expected);
  });

  it('tell import from require', () => {
    const files = exportsOf({ require: './c.cjs', import: './m.js' }, 'm.js', 'c.cjs');
    expect([resolve(files, 'a', 'index.ts', 'import'), resolve(files, 'a', 'index.ts', 'require')]).toEqual([at('m.js'), at('c.cjs')]);
  });

  it('are what a package sees of itself', () => {
    const files = exportsOf({ '.': './m.js', './x': './c.cjs' }, 'm.js', 'c.cjs', 'src/y.js');
    expect([resolve(files, 'a/x', at('src/y.js')), resolve(files, 'a/never.js', at('src/y.js'))]).toEqual([at('c.cjs'), 'error']);
    expect(resolve({ 'package.json': '{"name":"me","exports":"./lib.ts"}', 'lib.ts': '' }, 'me', 'index.ts')).toBe('lib.ts');
    // Without exports there is no self-reference.
    expect(resolve({ 'package.json': '{"name":"me","main":"./lib.ts"}', 'lib.ts': '' }, 'me', 'index.ts')).toBe('error');
  });
});

describe('imports with #', () => {
  const files = (imports: unknown): Files => ({ 'package.json': JSON.stringify({ imports }), 'src/x.ts': '', 'lib/y.ts': '', ...pkg('b', { exports: { './z': './z.js' } }, 'z.js') });
  it.each<[string, unknown, string, string]>([
    ['a file', { '#x': './lib/y.ts' }, '#x', 'lib/y.ts'],
    ['a pattern', { '#lib/*': './lib/*.ts' }, '#lib/y', 'lib/y.ts'],
    ['conditions', { '#x': { node: './no.ts', default: './lib/y.ts' } }, '#x', 'lib/y.ts'],
    ['a package', { '#x': 'b/z' }, '#x', 'node_modules/b/z.js'],
    ['a module of Node', { '#x': 'node:path' }, '#x', 'node:path'],
    ['a module of Node without its prefix', { '#x': 'path' }, '#x', 'node:path'],
    ['an unknown one', { '#x': './lib/y.ts' }, '#y', 'error'],
    ['nothing', { '#': './lib/y.ts' }, '#', 'error'],
    ['a target above', { '#x': '../y.ts' }, '#x', 'error'],
    ['a URL', { '#x': 'https://esm.sh/x' }, '#x', 'error'],
  ])('%s', (_, imports, specifier, expected) => expect(resolve(files(imports), specifier, 'src/x.ts')).toBe(expected));

  it('are those of the own package', () => {
    expect(resolve({ ...files({ '#x': './lib/y.ts' }), ...pkg('c', {}, 'index.js') }, '#x', 'node_modules/c/index.js')).toBe('error');
  });
});

describe('the browser field', () => {
  it('names another main file', () => expect(resolve(pkg('a', { main: './n.js', browser: './b.js' }, 'n.js', 'b.js'), 'a')).toBe('node_modules/a/b.js'));

  it('replaces files and packages of the package', () => {
    const files = { ...pkg('a', { main: './n.js', browser: { './n.js': './b.js', './lib/x': './lib/y.js', fs: false, './none.js': false, util: './u.js', got: 'ky' } }, 'n.js', 'b.js', 'lib/x.js', 'lib/y.js', 'none.js', 'u.js'), ...pkg('ky', {}, 'index.js') };
    const inside = 'node_modules/a/n.js';
    expect(resolve(files, 'a')).toBe('node_modules/a/b.js');
    expect(resolve(files, './lib/x', inside)).toBe('node_modules/a/lib/y.js');
    expect(resolve(files, './none.js', inside)).toBe('(empty)');
    expect([resolve(files, 'fs', inside), resolve(files, 'util', inside), resolve(files, 'got', inside)]).toEqual(['(empty)', 'node_modules/a/u.js', 'node_modules/ky/index.js']);
    expect(resolve(pkg('loop', { browser: { './index.js': 'loop' } }, 'index.js'), 'loop')).toBe('error');
    // It speaks for its own package.
    expect([resolve(files, 'util'), resolve(files, 'fs')]).toEqual(['node:util', 'node:fs']);
  });
});

describe('paths', () => {
  it('never lead to anything but an uploaded file', () => {
    const files = { 'a/b.js': '', 'a/index.json': '', 'package.json': '{"name":"me","exports":{"./*":"./*"},"imports":{"#*":"./*"}}', ...pkg('p', { exports: { './*': './*', '.': './i.js' } }, 'i.js', 'deep/x.js'), ...pkg('q', { main: '../../../etc/passwd', browser: { './i.js': '../../../../etc/passwd' } }, 'i.js') };
    const known = new Map(Object.entries(files));
    const resolver = new UploadResolver(known);
    const segment = fc.constantFrom('.', '..', '...', '', 'a', 'b', 'b.js', 'index', 'etc', 'passwd', '%2e%2e', '%2f', '\\', 'node_modules', 'p', 'q', '__proto__', 'constructor', 'package.json', '\0');
    const path = fc.array(segment, { maxLength: 8 }).map((parts) => parts.join('/'));
    const specifier = fc.oneof(path, path.map((one) => `./${one}`), path.map((one) => `../${one}`), path.map((one) => `/${one}`), path.map((one) => `p/${one}`), path.map((one) => `q/${one}`), path.map((one) => `me/${one}`), path.map((one) => `#${one}`), path.map((one) => `file:///${one}`), fc.string());
    fc.assert(
      fc.property(specifier, fc.constantFrom(...known.keys()), fc.constantFrom<ImportKind>('import', 'require'), (one, importer, kind) => {
        const found = resolver.resolve(one, importer, kind);
        expect('file' in found ? known.has(found.file) : 'error' in found || 'builtin' in found || 'empty' in found).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  it('of real files are not read for packages either, guarded or not', async () => {
    const real = join(import.meta.dirname, '..', '..', '..', 'vitest.config.ts');
    const build = async (text: string): Promise<unknown> => await builder.build({ 'index.ts': 'import "a";', ...pkg('a', {}), 'node_modules/a/index.js': text }, 'index.ts').catch((error: unknown) => error);
    for (const path of [real, '/etc/hostname', '../../../../../../../../../../etc/hostname', `file://${real}`, 'vitest', 'zod']) {
      const text = JSON.stringify(path);
      for (const plain of [`require(${text})`, `import(${text})`, `import ${text};`, `export * from ${text};`]) expect(await build(plain)).toBeInstanceOf(PlatformError);
      for (const guarded of [`try { require(${text}) } catch {}`, `import(${text}).catch(() => {})`]) {
        const { bundle } = (await build(guarded)) as { bundle: string };
        expect(bundle).toContain(text);
        expect(bundle).not.toMatch(/testTimeout|ZodError/);
      }
    }
  });
});

describe('what is found', () => {
  const run = async (files: Files): Promise<Exports> => runBundle((await builder.build(files, 'index.ts')).bundle);

  it('is dropped when its package says that it only exports, and nothing uses it', async () => {
    const text = 'globalThis.touched = (globalThis.touched ?? 0) + 1; export const used = 1;';
    const files = (sideEffects: unknown): Files => ({ 'index.ts': 'import "a/x/one.js"; import "a/two.css.js"; export default globalThis.touched;', 'node_modules/a/package.json': JSON.stringify({ sideEffects }), 'node_modules/a/x/one.js': text, 'node_modules/a/two.css.js': text });
    const touched = async (sideEffects: unknown): Promise<unknown> => (await run(files(sideEffects))).default;
    expect(await touched(undefined)).toBe(2);
    expect(await touched(false)).toBe(undefined);
    for (const [globs, count] of [[['./x/one.js'], 1], [['*.css.js'], 1], [['**/*.js'], 2], [['x/**'], 1], [['./nothing.js'], undefined], [['{x,y}/*.js'], 1], [[], undefined]] as const) expect([globs, await touched(globs)]).toEqual([globs, count]);
  });

  it('meets CommonJS as Node does from modules, and as bundlers do from elsewhere', async () => {
    const files = (type: string): Files => ({
      'index.ts': 'import one from "importer"; import direct from "cjs"; export default [one, direct];',
      'node_modules/importer/package.json': JSON.stringify({ type }), 'node_modules/importer/index.js': 'import cjs from "cjs"; export default cjs;',
      'node_modules/cjs/index.js': 'exports.__esModule = true; exports.default = "inner";',
    });
    expect((await run(files('module'))).default).toEqual([{ __esModule: true, default: 'inner' }, 'inner']);
    expect((await run(files('commonjs'))).default).toEqual(['inner', 'inner']);
  });

  it('may be a cycle, a require of a module, and JSON', async () => {
    const files = {
      'index.ts': 'import { b } from "cycle"; import data from "cycle/data.json"; export default [b(), data.n];', 'node_modules/cycle/index.js': 'exports.a = 1; exports.b = () => require("./other.mjs").read();',
      'node_modules/cycle/other.mjs': 'import { a } from "./index.js"; export const read = () => a;', 'node_modules/cycle/data.json': '{"n":2}',
    };
    expect((await run(files)).default).toEqual([1, 2]);
  });
});
