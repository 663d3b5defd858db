// Bundles what runs inside isolates: the runtime of the snapshot, and each part that is made on first touch.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { BuildOptions, Plugin } from 'esbuild';

export const runtimeFolder = join(dirname(fileURLToPath(import.meta.url)), '..', 'runtime');
const partsFolder = join(runtimeFolder, 'parts');
const GUEST = /\.guest\.(?:ts|js)$/;

const OPTIONS = {
  bundle: true,
  write: false,
  platform: 'neutral',
  mainFields: ['module', 'main'],
  target: 'es2023',
  // The text sits in every isolate's heap. Names of classes and functions are given where they are exposed (webidl.guest.ts).
  minifyWhitespace: true,
  minifySyntax: true,
  minifyIdentifiers: true,
  legalComments: 'none',
  charset: 'utf8',
  logLevel: 'silent',
} as const satisfies BuildOptions;

/** What packages write as `Promise.prototype.then.call(…)` must not ask for a `call` that a tenant has replaced: see the injected module. */
const FOR_LIBRARIES = {
  define: { 'Promise.prototype.then': 'libraryThen', 'Function.prototype.apply': 'libraryApply', 'Object.prototype.hasOwnProperty': 'libraryHasOwn' },
  inject: [guestFile('parts/library/intrinsics')],
} as const satisfies BuildOptions;

/** Said by us, since the bundler leaves it out of modules in JavaScript: stack frames of sloppy functions give tenants the functions themselves. */
const STRICT = '"use strict";';

/** Parts: the modules directly in `parts/`. What they share among them lies in folders below. */
function partNames(): string[] {
  return readdirSync(partsFolder).filter((file) => GUEST.test(file)).map((file) => file.replace(GUEST, ''));
}

export interface PlatformCode {
  readonly runtime: string;
  /** The runtime of version snapshots: it evaluates a module while there is no host. */
  readonly freezing: string;
  /** Scripts of the parts, by name. */
  readonly parts: ReadonlyMap<string, string>;
}

export async function bundleAll(): Promise<PlatformCode> {
  const modules = await snapshotModules();
  const named = await Promise.all(partNames().map(async (part) => [part, await bundlePart(part, modules)] as const));
  const used = usedExports(named.map(([, code]) => code));
  const parts = new Map(named.map(([part, code]) => [part, code.replace(USE, (_, plain: string | undefined, quoted: string | undefined, name: string) => `__shared[${used.indexOf(`${plain ?? quoted ?? ''}.${name}`)}]`)]));
  return { runtime: await bundleRuntime('main', used), freezing: await bundleRuntime('freezing', used), parts };
}

/** @param used  exports that parts use: one plain array of values, since names and namespace objects would cost strings and getters in every isolate */
async function bundleRuntime(entry: 'main' | 'freezing', used: readonly string[]): Promise<string> {
  const names = [...new Set(used.map((each) => each.split('.')[0] ?? ''))];
  const imports = names.map((name, i) => `import * as m${i} from ${JSON.stringify(guestFile(name))};`);
  const values = used.map((each) => `m${names.indexOf(each.split('.')[0] ?? '')}.${each.split('.')[1] ?? ''}`);
  const contents = `${imports.join('\n')}\nexport const modules = [${values.join(',')}];`;
  const shared: Plugin = {
    name: 'shared-modules',
    setup(build): void {
      build.onLoad({ filter: /shared-modules\.guest\.(?:ts|js)$/ }, () => ({ contents, loader: 'js', resolveDir: runtimeFolder }));
    },
  };
  return await bundle({ ...OPTIONS, entryPoints: [guestFile(entry)], format: 'iife', plugins: [shared] });
}

/** What the bundled parts take out of the snapshot's modules, as `module.export`. Parts then ask for its place in this list. */
function usedExports(parts: readonly string[]): string[] {
  const used = new Set<string>();
  for (const code of parts) for (const [, plain, quoted, name = ''] of code.matchAll(USE)) used.add(`${plain ?? quoted ?? ''}.${name}`);
  return [...used].toSorted();
}
const USE = /__shared(?:\.([a-z]+)|\["([a-z-]+)"\])\.([A-Za-z_$][\w$]*)/g;

/** A script that hands over a function; called with the snapshot's modules, it evaluates the part and gives its exports. */
async function bundlePart(part: string, modules: ReadonlyMap<string, readonly string[]>): Promise<string> {
  const entry = guestFile(join('parts', part));
  const names = await exportsOf(entry);
  const fromSnapshot: Plugin = {
    name: 'modules-of-the-snapshot',
    setup(build): void {
      build.onResolve({ filter: GUEST }, ({ path, resolveDir }) => {
        const file = relative(runtimeFolder, join(resolveDir, path));
        return modules.has(file) ? { path: file, namespace: 'snapshot', sideEffects: false } : undefined;
      });
      build.onLoad({ filter: /.*/, namespace: 'snapshot' }, ({ path: file }) => ({
        contents: (modules.get(file) ?? []).map((name) => `export const ${name} = /* @__PURE__ */ (() => __shared['${moduleName(file)}'].${name})();`).join('\n'),
        loader: 'js',
      }));
    },
  };
  const contents = `import {${names.join(',')}} from ${JSON.stringify(entry)};\n__take({${names.join(',')}});`;
  const code = await bundle({
    ...OPTIONS, ...FOR_LIBRARIES, stdin: { contents, resolveDir: runtimeFolder, loader: 'js' }, format: 'iife', plugins: [fromSnapshot],
  });
  return `__thimble_part((function (__shared, __take) {${STRICT}${code}}));`;
}

/** Modules of the snapshot by file, each with the names of its exports. */
async function snapshotModules(): Promise<ReadonlyMap<string, readonly string[]>> {
  const files = readdirSync(runtimeFolder).filter((file) => GUEST.test(file) && !/^(?:main|freezing|shared-modules)\./.test(file));
  return new Map(await Promise.all(files.map(async (file) => [file, await exportsOf(join(runtimeFolder, file))] as const)));
}

async function exportsOf(file: string): Promise<readonly string[]> {
  // Re-exports of packages have to be followed; everything else is in the file itself.
  const follow = /^export \*/m.test(readFileSync(file, 'utf8'));
  const { metafile } = await build({ ...OPTIONS, entryPoints: [file], format: 'esm', metafile: true, outfile: '/out.js', bundle: follow });
  return Object.values(metafile.outputs)[0]?.exports ?? [];
}

function guestFile(name: string): string {
  const [found] = readdirSync(dirname(join(runtimeFolder, name))).filter((file) => GUEST.test(file) && file.replace(GUEST, '') === name.slice(name.lastIndexOf('/') + 1));
  if (found === undefined) throw new Error(`no module ${name}`);
  return join(runtimeFolder, dirname(name), found);
}

function moduleName(file: string): string {
  return file.replace(/(?:\.guest)?\.(?:ts|js)$/, '');
}

async function bundle(options: BuildOptions): Promise<string> {
  const { outputFiles } = await build(options);
  const text = outputFiles?.[0]?.text;
  if (text === undefined) throw new Error('esbuild gave no output');
  return text;
}
