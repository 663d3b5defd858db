// esbuild plugin: the uploaded files are the only file system that a build sees. Nothing is read from disk or network.
import type { Loader, OnLoadResult, OnResolveArgs, OnResolveResult, Plugin } from 'esbuild';
import { INJECTED_NAMESPACE, injectedModule } from './injections.ts';
import { NODE_NAMESPACE, loadNodeModule, nodeModulePath } from './node-bundle.ts';
import { nodeModule } from './node-modules.ts';
import { extensionOf, isOfPackage } from './paths.ts';
import { TEST_MODULE } from './test-files.ts';
import type { Found, UploadResolver } from './upload-resolver.ts';

/** Keeps these modules apart from real files: esbuild never looks up a path of another namespace on disk. */
export const NAMESPACE = 'upload';
/** Modules of Node that functions cannot have, one for each import of a package. */
const REFUSED_NAMESPACE = 'refused';
const EMPTY_NAMESPACE = 'empty';
/** The entry that hands the main file's exports over where esbuild would write an `export` statement. */
export const ENTRY = `${INJECTED_NAMESPACE}:entry`;

const LOADERS: Readonly<Record<string, Loader>> = {
  '.ts': 'ts', '.mts': 'ts', '.cts': 'ts', '.tsx': 'tsx', '.js': 'js', '.mjs': 'js', '.cjs': 'js', '.jsx': 'jsx', '.json': 'json', '.txt': 'text',
};

/** esbuild takes a file for a module of Node's kind by its ending only, where a plugin found it. */
const MODULE_MARK = '?module.mjs';

/** The path among the uploaded files that esbuild's name for a module stands for. */
export function uploadedPath(id: string): string {
  const path = id.startsWith(`${NAMESPACE}:`) ? id.slice(NAMESPACE.length + 1) : id;
  return path.endsWith(MODULE_MARK) ? path.slice(0, -MODULE_MARK.length) : path;
}

/** Takes the platform's names for modules out of a message. */
export function withoutMarks(text: string): string {
  return text.replaceAll(`${NAMESPACE}:`, '').replaceAll(MODULE_MARK, '');
}

export interface VirtualFilesOptions {
  readonly files: ReadonlyMap<string, string>;
  readonly main: string;
  readonly resolver: UploadResolver;
  readonly nodeModules: () => Promise<ReadonlyMap<string, string>>;
  /** What the earlier attempts of the same build found out. */
  readonly findings: Findings;
  /** Whether the main file is CommonJS; for ENTRY. */
  readonly mainIsCommonJs: boolean;
}

/** What an attempt learns that only the next one can act upon. Import sites are `KIND:SPECIFIER:IMPORTER`. */
export class Findings {
  /** `require` and `import()` of packages that lead to nothing, left to esbuild: inside `try` it lets them throw when they run, else it complains. */
  readonly left = new Set<string>();
  /** Of those, what esbuild complained about: not inside `try`. */
  readonly unguarded = new Set<string>();
  /** `import` statements of packages that ask for what functions cannot have and are still there after everything unused was dropped. */
  readonly kept = new Set<string>();
}

const site = (kind: string, specifier: string, importer: string): string => `${kind}:${specifier}:${importer}`;

export function virtualFiles({ files, main, resolver, nodeModules, findings, mainIsCommonJs }: VirtualFilesOptions): Plugin {
  const upload = (path: string, sideEffects = true): OnResolveResult => {
    const extension = extensionOf(path);
    const marked = resolver.isModule(path) && extension !== '.mjs' && extension !== '.mts';
    return { path: marked ? path + MODULE_MARK : path, namespace: NAMESPACE, sideEffects };
  };
  const node = (name: string, required: boolean): OnResolveResult => ({ path: nodeModulePath(name, required), namespace: NODE_NAMESPACE, sideEffects: false });

  const resolve = ({ path, importer, namespace, kind }: OnResolveArgs): OnResolveResult | undefined => {
    if (kind === 'entry-point') {
      if (!path.startsWith(`${INJECTED_NAMESPACE}:`)) return upload(main);
      return { path: path.slice(INJECTED_NAMESPACE.length + 1), namespace: INJECTED_NAMESPACE, sideEffects: path === ENTRY };
    }
    // The platform's own modules import the main file, or each other.
    if (namespace !== NAMESPACE) return path === MAIN ? upload(main) : node(path.slice('node:'.length), false);
    const from = uploadedPath(importer);
    const required = kind === 'require-call' || kind === 'require-resolve';
    const found = resolver.resolve(path === TEST_MODULE ? 'vitest' : path, from, required ? 'require' : 'import');
    if ('file' in found) return upload(found.file, found.sideEffects);
    if ('empty' in found) return { path, namespace: EMPTY_NAMESPACE, sideEffects: false };
    const module = 'builtin' in found ? nodeModule(found.builtin) : undefined;
    if (module !== undefined && 'offered' in module) return node(module.offered, required);
    const text = refusal(path, found, module);
    return isOfPackage(from) ? refusePackage(site(kind, path, from), kind === 'import-statement', module !== undefined, text) : { errors: [{ text }] };
  };

  /**
   * An author's import of what cannot be had is an error. A package's may be on no way that the function takes:
   * an `import` statement counts when it is still in the bundle after everything unused was dropped; `require` and `import()` throw when they run,
   * inside `try` at once, elsewhere when the module is used.
   */
  const refusePackage = (at: string, isStatement: boolean, isNodes: boolean, text: string): OnResolveResult | undefined => {
    if (findings.kept.has(at)) return { errors: [{ text }] };
    if (isStatement) return isNodes ? { path: at, namespace: REFUSED_NAMESPACE, sideEffects: false, pluginData: text } : { errors: [{ text }] };
    if (!findings.unguarded.has(at)) {
      findings.left.add(at);
      return undefined;
    }
    return isNodes ? { path: at, namespace: REFUSED_NAMESPACE, pluginData: text } : { errors: [{ text }] };
  };

  const load = (path: string): OnLoadResult => {
    const extension = extensionOf(path);
    const loader = extension === '' && isOfPackage(path) ? 'js' : LOADERS[extension];
    const text = files.get(path) ?? '';
    if (loader === undefined) return { errors: [{ text: `files of this type cannot be imported: ${path}` }] };
    // A byte order mark is no part of the text, and a hashbang is only allowed where a file begins, which the bundle's prefix takes.
    const contents = loader === 'text' ? text : text.replace(/^\ufeff/, '').replace(/^#!/, '//');
    return { contents, loader };
  };

  return {
    name: NAMESPACE,
    setup(build): void {
      build.onResolve({ filter: /.*/ }, resolve);
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }) => load(uploadedPath(path)));
      build.onLoad({ filter: /.*/, namespace: NODE_NAMESPACE }, async ({ path }) => loadNodeModule(await nodeModules(), path));
      build.onLoad({ filter: /.*/, namespace: INJECTED_NAMESPACE }, ({ path }) => ({ contents: injectedModule(path) ?? (mainIsCommonJs ? COMMON_JS_ENTRY : MODULE_ENTRY), loader: 'js' }));
      build.onLoad({ filter: /.*/, namespace: EMPTY_NAMESPACE }, () => ({ contents: 'module.exports = {};', loader: 'js' }));
      build.onLoad({ filter: /.*/, namespace: REFUSED_NAMESPACE }, ({ pluginData }) => ({ contents: throwing(String(pluginData)), loader: 'js' }));
    },
  };
}

const MAIN = 'main';
const MODULE_ENTRY = `import * as main from "${MAIN}"; __thimble_module.exports = main;`;
const COMMON_JS_ENTRY = `__thimble_module.exports = require("${MAIN}");`;

/** Import statements of packages that want what functions cannot have, among the modules that are in a bundle. */
export function keptRefusals(modules: Iterable<string>): string[] {
  const prefix = `${REFUSED_NAMESPACE}:`;
  return Array.from(modules).filter((id) => id.startsWith(`${prefix}import-statement:`)).map((id) => id.slice(prefix.length));
}

function refusal(specifier: string, found: Found, module: ReturnType<typeof nodeModule> | undefined): string {
  if ('error' in found) return found.error;
  return `Cannot import ${JSON.stringify(specifier)}: ${module !== undefined && 'refused' in module ? module.refused : 'it is not available in a function'}`;
}

/** Stands for a module that is only reached where the function never comes, or else says what is the matter. */
function throwing(text: string): string {
  return `const fail = () => { throw Object.assign(new Error(${JSON.stringify(text)}), { code: "ERR_UNKNOWN_BUILTIN_MODULE" }); };
module.exports = new Proxy(function () {}, {
  get: (_, key) => (key === "default" ? module.exports : key === "__esModule" || key === "then" || typeof key === "symbol" ? undefined : fail()),
  getPrototypeOf: () => module.exports,
  apply: fail,
  construct: fail,
});`;
}
