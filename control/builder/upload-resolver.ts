// Finds what an import means among the uploaded files, by Node's algorithm with what bundlers add to it. Sees no disk and no network.
import { isNodeModule } from './node-modules.ts';
import { resolveExports, resolveImports } from './package-exports.ts';
import type { Target } from './package-exports.ts';
import { parsePackage } from './package-json.ts';
import type { Package } from './package-json.ts';
import { extensionOf, folderOf, foldersUp, inFolder, isOfPackage, joinPath } from './paths.ts';

/** `import` statements and expressions, or `require`: packages may offer another file to each. */
export type ImportKind = 'import' | 'require';

export type Found =
  | { readonly file: string; readonly sideEffects: boolean }
  /** A package leaves this module out where there is no Node (`browser` field): an empty object. */
  | { readonly empty: true }
  /** A module of Node, without `node:`. It need not be one that functions have. */
  | { readonly builtin: string }
  | { readonly error: string };

const SUFFIXES = ['.ts', '.tsx', '.mts', '.cts', '.js', '.mjs', '.cjs', '.jsx', '.json'];
/** Packages that carry their sources beside what was made of them mean the latter. */
const PACKAGE_SUFFIXES = ['.js', '.json', '.mjs', '.cjs', '.jsx', '.ts', '.tsx', '.mts', '.cts'];
/** TypeScript lets an import name the file that the compiler would write. */
const WRITTEN_AS: Readonly<Record<string, readonly string[]>> = { '.js': ['.ts', '.tsx'], '.jsx': ['.tsx'], '.mjs': ['.mts'], '.cjs': ['.cts'] };

/** What packages offer to Workers comes first: it runs on web standards alone. `node` is none of ours: such files expect all of Node. */
const CONDITIONS = ['workerd', 'worker', 'browser', 'module'];
const CONDITIONS_OF: Readonly<Record<ImportKind, ReadonlySet<string>>> = { import: new Set([...CONDITIONS, 'import']), require: new Set([...CONDITIONS, 'require']) };

const MAX_REPLACEMENTS = 16;

const PACKAGE_NAME = /^(?:@[^/@\\%]+\/)?[^/@.\\%][^/\\%]*/;

export class UploadResolver {
  readonly #files: ReadonlyMap<string, string>;
  readonly #packages = new Map<string, Package | undefined>();
  #packageFolders: ReadonlySet<string> | undefined;
  /** Replacements that led to the one under way. */
  #replacements = 0;

  constructor(files: ReadonlyMap<string, string>) {
    this.#files = files;
  }

  /** @param importer  path of an uploaded file */
  resolve(specifier: string, importer: string, kind: ImportKind): Found {
    const says = (error: string): Found => ({ error: `Cannot import ${JSON.stringify(specifier)}: ${error}` });
    if (specifier.startsWith('node:')) return { builtin: specifier.slice('node:'.length) };
    if (/^[a-z][a-z0-9+.-]*:/i.test(specifier) || specifier.startsWith('//')) return says('nothing is loaded from the network at build, and other runtimes\' own modules are not available');
    if (specifier.startsWith('/')) return says(`it is no path among the uploaded files; import a relative path such as "./${specifier.replace(/^\/+/, '')}"`);
    if (/^\.{1,2}(?:\/|$)/.test(specifier)) {
      const wanted = joinPath(folderOf(importer), specifier);
      if (wanted === undefined) return says('it leads out of the uploaded files');
      return this.#load(wanted, kind, specifier.endsWith('/') || /(?:^|\/)\.{1,2}$/.test(specifier)) ?? says('no uploaded file has that path');
    }
    if (specifier.startsWith('#')) return this.#internal(specifier, importer, kind, says);
    const scope = this.#scope(importer);
    const replaced = scope?.browser instanceof Map ? scope.browser.get(specifier) : undefined;
    if (scope !== undefined && replaced !== undefined) return this.#replacement(scope, replaced, importer, kind, says);
    return this.#bare(specifier, importer, kind, says);
  }

  /** Whether Node takes the file for a module by its name or its package's `type`; importing CommonJS then gives `module.exports` as default, whatever `__esModule` says. */
  isModule(file: string): boolean {
    const extension = extensionOf(file);
    if (extension === '.mjs' || extension === '.mts') return true;
    return extension !== '.cjs' && extension !== '.cts' && extension !== '.json' && this.#scope(file)?.isModule === true;
  }

  /** PACKAGE_RESOLVE, and `require` of a package. */
  #bare(specifier: string, importer: string, kind: ImportKind, says: (error: string) => Found): Found {
    const name = PACKAGE_NAME.exec(specifier)?.[0];
    if (name === undefined) return says('that is no name of a package');
    const subpath = `.${specifier.slice(name.length)}`;
    const scope = this.#scope(importer);
    if (scope?.name === name && scope.exports !== undefined) return this.#exported(scope, subpath, kind, says);
    for (const folder of foldersUp(folderOf(importer))) {
      if (folder === 'node_modules' || folder.endsWith('/node_modules')) continue;
      const at = inFolder(folder, `node_modules/${name}`);
      if (this.#allPackageFolders().has(at)) return this.#fromPackage(at, subpath, kind, says);
    }
    if (isNodeModule(specifier)) return { builtin: specifier };
    return says(`no package of that name came with the upload; upload its files below node_modules/${name}/, or import a relative path such as "./${specifier}"`);
  }

  #fromPackage(folder: string, subpath: string, kind: ImportKind, says: (error: string) => Found): Found {
    const found = this.#packageAt(folder);
    if (found?.exports !== undefined) return this.#exported(found, subpath, kind, says);
    if (subpath === '.' || subpath === './') return this.#loadFolder(folder, kind) ?? says('the uploaded package has no main file');
    const wanted = joinPath(folder, subpath);
    const inside = wanted !== undefined && wanted.startsWith(`${folder}/`);
    return (inside ? this.#load(wanted, kind, subpath.endsWith('/')) : undefined) ?? says('the uploaded package has no such file');
  }

  #exported(scope: Package, subpath: string, kind: ImportKind, says: (error: string) => Found): Found {
    const target = resolveExports(scope.exports, subpath, CONDITIONS_OF[kind]);
    return this.#target(scope, target, `the package does not export "${subpath}" to functions`, kind, says);
  }

  #internal(specifier: string, importer: string, kind: ImportKind, says: (error: string) => Found): Found {
    const scope = this.#scope(importer);
    if (scope?.imports === undefined) return says('no package.json with an "imports" field covers this file');
    return this.#target(scope, resolveImports(scope.imports, specifier, CONDITIONS_OF[kind]), 'the package.json has no such entry in "imports"', kind, says);
  }

  #target(scope: Package, target: Target, missing: string, kind: ImportKind, says: (error: string) => Found): Found {
    if ('none' in target) return says(missing);
    if ('invalid' in target) return says(`its package.json is wrong: ${target.invalid}`);
    if ('specifier' in target) {
      const { specifier } = target;
      return specifier.startsWith('node:') ? { builtin: specifier.slice('node:'.length) } : this.#bare(specifier, inFolder(scope.folder, 'package.json'), kind, says);
    }
    const path = joinPath(scope.folder, target.file);
    if (path === undefined || !this.#files.has(path)) return says(`its package.json leads to "${target.file}", which was not uploaded`);
    return this.#found(path, kind);
  }

  /** What the package's `browser` field puts in the place of one of its imports. */
  #replacement(scope: Package, replaced: string | false, importer: string, kind: ImportKind, says: (error: string) => Found): Found {
    if (replaced === false) return { empty: true };
    if (replaced.startsWith('node:')) return { builtin: replaced.slice('node:'.length) };
    if (!/^\.{1,2}\//.test(replaced)) {
      if (this.#replacements >= MAX_REPLACEMENTS) return says('"browser" fields lead from one to the other without an end');
      this.#replacements += 1;
      const found = this.#bare(replaced, importer, kind, says);
      this.#replacements -= 1;
      return found;
    }
    const path = joinPath(scope.folder, replaced);
    const file = path === undefined ? undefined : this.#fileAt(path);
    return file === undefined ? says(`its package.json leads to "${replaced}", which was not uploaded`) : this.#asFound(file);
  }

  /** LOAD_AS_FILE, then LOAD_AS_DIRECTORY. */
  #load(path: string, kind: ImportKind, folderOnly: boolean): Found | undefined {
    const file = folderOnly || path === '' ? undefined : this.#fileAt(path);
    return file === undefined ? this.#loadFolder(path, kind) : this.#found(file, kind);
  }

  #loadFolder(folder: string, kind: ImportKind): Found | undefined {
    const found = this.#packageAt(folder);
    const mains = [typeof found?.browser === 'string' ? found.browser : undefined, kind === 'import' ? found?.module : undefined, found?.main];
    for (const main of mains) {
      const path = main === undefined ? undefined : joinPath(folder, main);
      if (path === undefined) continue;
      const file = (path === '' ? undefined : this.#fileAt(path)) ?? this.#fileAt(inFolder(path, 'index'));
      if (file !== undefined) return this.#found(file, kind);
    }
    const index = this.#fileAt(inFolder(folder, 'index'));
    return index === undefined ? undefined : this.#found(index, kind);
  }

  /** The file itself, or the replacement that its package has for it. */
  #found(file: string, kind: ImportKind): Found {
    const scope = this.#scope(file);
    if (scope?.browser instanceof Map) {
      const key = `.${scope.folder === '' ? '/' : ''}${file.slice(scope.folder.length)}`;
      const replaced = scope.browser.get(key) ?? scope.browser.get(key.slice(0, key.length - extensionOf(key).length));
      if (replaced !== undefined) return this.#replacement(scope, replaced, file, kind, (error) => ({ error: `Cannot import "${file}": ${error}` }));
    }
    return this.#asFound(file);
  }

  #asFound(file: string): Found {
    const scope = this.#scope(file);
    return { file, sideEffects: scope?.hasSideEffects(scope.folder === '' ? file : file.slice(scope.folder.length + 1)) ?? true };
  }

  #fileAt(path: string): string | undefined {
    if (this.#files.has(path)) return path;
    const extension = extensionOf(path);
    const stem = path.slice(0, path.length - extension.length);
    const suffixes = isOfPackage(path) ? PACKAGE_SUFFIXES : SUFFIXES;
    return [...(WRITTEN_AS[extension] ?? []).map((other) => stem + other), ...suffixes.map((suffix) => path + suffix)].find((candidate) => this.#files.has(candidate));
  }

  /** The package that a file belongs to: the nearest package.json above it, up to a node_modules folder. */
  #scope(file: string): Package | undefined {
    for (const folder of foldersUp(folderOf(file))) {
      if (folder === 'node_modules' || folder.endsWith('/node_modules')) return undefined;
      const found = this.#packageAt(folder);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #packageAt(folder: string): Package | undefined {
    if (this.#packages.has(folder)) return this.#packages.get(folder);
    const text = this.#files.get(inFolder(folder, 'package.json'));
    const found = text === undefined ? undefined : parsePackage(folder, text);
    this.#packages.set(folder, found);
    return found;
  }

  #allPackageFolders(): ReadonlySet<string> {
    if (this.#packageFolders !== undefined) return this.#packageFolders;
    const folders = new Set<string>();
    for (const path of this.#files.keys()) {
      for (const match of path.matchAll(/(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/g)) folders.add(path.slice(0, match.index + match[0].length));
    }
    this.#packageFolders = folders;
    return folders;
  }
}
