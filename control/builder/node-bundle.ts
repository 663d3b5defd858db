// The modules of `node/` and unenv as ES modules ready for bundles: made once a process, so that a build reads no disk.
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildOptions, OnLoadResult, OnResolveResult, Plugin } from 'esbuild';
import type { EsbuildService } from './esbuild-service.ts';
import { OFFERED } from './node-modules.ts';

/** Where these modules are for esbuild: apart from the upload's, and from files. Source maps name them `node:NAME`. */
export const NODE_NAMESPACE = 'node';

const folder = fileURLToPath(new URL('./node', import.meta.url));
/** `.ts` in the repository, `.js` in the package. */
const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
/** Modules of ours that most users of the others don't need. */
const APART = ['internal/comparisons', 'internal/inspect'];
const offered: ReadonlySet<string> = new Set([...OFFERED.own, ...OFFERED.unenv, ...APART]);

const OPTIONS: BuildOptions = {
  bundle: true,
  write: false,
  format: 'esm',
  platform: 'neutral',
  mainFields: ['module', 'main'],
  conditions: ['import'],
  target: 'chrome124',
  charset: 'utf8',
  legalComments: 'none',
  // Each isolate that uses one holds its text.
  minifyWhitespace: true,
  minifySyntax: true,
  treeShaking: true,
  define: { global: 'globalThis' },
  outdir: '/',
  logLevel: 'silent',
};

/** Stand-ins for what old engines lack, where this one has the real thing. */
const NATIVE: Readonly<Record<string, string>> = {
  'abort-controller': 'globalThis',
  'is-nan': 'Number.isNaN',
  'object-is': 'Object.is',
  'object-is/polyfill': '() => Object.is',
  'object.assign/polyfill': '() => Object.assign',
  'call-bind/callBound': '(name) => Function.prototype.call.bind(name.split(".").reduce((value, key) => value[key], globalThis))',
};

/**
 * Every module stays one by itself and imports the others: so a bundle gets what it uses, once. For that, CommonJS packages behind a module
 * don't `require` another one (esbuild would have to defer it), but a module that has imported it.
 */
const ownModules: Plugin = {
  name: 'own-modules',
  setup(build): void {
    const external = (name: string): OnResolveResult => ({ path: `node:${name}`, external: true, sideEffects: false });
    build.onResolve({ filter: /^(?:node:)?[a-z_]+(?:\/[a-z]*)?$/ }, ({ path, kind }) => {
      if (kind === 'entry-point') return undefined;
      const name = path.replace(/^node:/, '').replace(/\/$/, '');
      if (name === 'process' || (name === 'util' && kind === 'require-call')) return { path: `internal/${name}`, namespace: 'required' };
      if (!offered.has(name)) return undefined;
      return kind === 'require-call' ? { path: name, namespace: 'required' } : external(name);
    });
    build.onResolve({ filter: /^\.{1,2}\// }, ({ path, kind, resolveDir }) => {
      const name = relative(folder, join(resolveDir, path)).replace(/\.[jt]s$/, '');
      return kind !== 'entry-point' && offered.has(name) ? external(name) : undefined;
    });
    build.onLoad({ filter: /.*/, namespace: 'required' }, ({ path }) => {
      const from = offered.has(path) ? `node:${path}` : join(folder, path + extension);
      return { contents: `import made from ${JSON.stringify(from)};\nmodule.exports = made;`, resolveDir: folder };
    });
    build.onResolve({ filter: /./ }, ({ path }) => (Object.hasOwn(NATIVE, path) ? { path, namespace: 'native' } : undefined));
    build.onLoad({ filter: /.*/, namespace: 'native' }, ({ path }) => ({ contents: `module.exports = ${NATIVE[path]};` }));
    build.onLoad({ filter: /node-inspect-extracted\/dist\/inspect\.js$/ }, async ({ path }) => ({ contents: withoutAtomics(await readFile(path, 'utf8')) }));
    build.onResolve({ filter: /^safe-buffer$/ }, () => ({ path: 'buffer', namespace: 'required' }));
  },
};

/** The package copies every namespace of the language, and isolates have no Atomics. */
function withoutAtomics(text: string): string {
  const [before, after, ...more] = text.split('["Atomics",');
  if (before === undefined || after === undefined || more.length > 0) throw new Error('node-inspect-extracted is not what this platform was made with');
  return `${before}[${after}`;
}

/** Text by name, as in `node:NAME`; it imports others as `node:NAME`. */
export async function bundleNodeModules(service: EsbuildService): Promise<ReadonlyMap<string, string>> {
  const files = [...OFFERED.own, ...APART].map((name) => [name, join(folder, name + extension)]);
  const entryPoints = Object.fromEntries([...files, ...OFFERED.unenv.map((name) => [name, `unenv/node/${name}`])]) as Record<string, string>;
  const { outputFiles } = await service.build({ ...OPTIONS, entryPoints, absWorkingDir: folder, plugins: [ownModules], inject: [join(folder, `internal/process${extension}`)] });
  return new Map((outputFiles ?? []).map(({ path, text }) => [path.replace(/^\//, '').replace(/\.js$/, ''), text]));
}

const REQUIRED = 'require:';

/** @param required  what `require` gives: the default export, as Node's modules do */
export function nodeModulePath(name: string, required: boolean): string {
  return required ? REQUIRED + name : name;
}

/** @param path  of `nodeModulePath`, or of what such a module imports */
export function loadNodeModule(modules: ReadonlyMap<string, string>, path: string): OnLoadResult {
  if (path.startsWith(REQUIRED)) return { contents: `module.exports = require(${JSON.stringify(`node:${path.slice(REQUIRED.length)}`)}).default;`, loader: 'js' };
  const contents = modules.get(path);
  return contents === undefined ? { errors: [{ text: `there is no module ${path}` }] } : { contents, loader: 'js' };
}
