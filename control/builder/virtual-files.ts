// esbuild plugin: the uploaded files are the only file system that a build sees. Nothing is read from disk or network.
import type { Loader, OnLoadResult, OnResolveResult, Plugin } from 'esbuild';

/** Keeps these modules apart from real files: esbuild never looks up a path of another namespace on disk. */
export const NAMESPACE = 'upload';

const LOADERS: Readonly<Record<string, Loader>> = {
  '.ts': 'ts', '.mts': 'ts', '.cts': 'ts', '.tsx': 'tsx', '.js': 'js', '.mjs': 'js', '.cjs': 'js', '.jsx': 'jsx', '.json': 'json', '.txt': 'text',
};
const SUFFIXES = ['.ts', '.tsx', '.mts', '.cts', '.js', '.mjs', '.cjs', '.jsx', '.json'];
/** TypeScript lets an import name the file that the compiler would write. */
const WRITTEN_AS: Readonly<Record<string, readonly string[]>> = { '.js': ['.ts', '.tsx'], '.jsx': ['.tsx'], '.mjs': ['.mts'], '.cjs': ['.cts'] };

export function virtualFiles(files: ReadonlyMap<string, string>, main: string): Plugin {
  return {
    name: 'upload',
    setup(build): void {
      build.onResolve({ filter: /.*/ }, ({ path, importer, kind }): OnResolveResult => {
        if (kind === 'entry-point') return { path: main, namespace: NAMESPACE };
        const found = resolveImport(files, path, importer);
        return 'path' in found ? { path: found.path, namespace: NAMESPACE } : { errors: [{ text: found.error }] };
      });
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, ({ path }): OnLoadResult => {
        const loader = LOADERS[extensionOf(path)];
        const text = files.get(path) ?? '';
        if (loader === undefined) return { errors: [{ text: `files of this type cannot be imported: ${path}` }] };
        // A byte order mark is no part of the text, and a hashbang is only allowed where a file begins, which the bundle's prefix takes.
        const contents = loader === 'text' ? text : text.replace(/^\ufeff/, '').replace(/^#!/, '//');
        return { contents, loader };
      });
    },
  };
}

/** Finds what `specifier` means in `importer`, both paths of uploaded files. */
export function resolveImport(files: ReadonlyMap<string, string>, specifier: string, importer: string): { readonly path: string } | { readonly error: string } {
  if (specifier.startsWith('node:')) return { error: `Cannot import "${specifier}": Node's modules are not available in a function` };
  if (/^[a-z][a-z0-9+.-]*:/i.test(specifier) || specifier.startsWith('//')) return { error: `Cannot import "${specifier}": nothing is loaded from the network at build` };
  if (!/^\.{1,2}(?:\/|$)/.test(specifier)) {
    return { error: `Cannot import "${specifier}": packages are not installed at build; bundle them into the upload, or import a relative path such as "./${specifier.replace(/^\/+/, '')}"` };
  }
  const wanted = join(importer, specifier);
  if (wanted === undefined) return { error: `Cannot import "${specifier}": it leads out of the uploaded files` };
  const path = candidates(wanted, specifier.endsWith('/') || /(?:^|\/)\.{1,2}$/.test(specifier)).find((candidate) => files.has(candidate));
  return path === undefined ? { error: `Cannot import "${specifier}": no uploaded file has that path` } : { path };
}

/** The path that `specifier` names from the folder of `importer`; undefined above the root. */
function join(importer: string, specifier: string): string | undefined {
  const segments = importer.split('/').slice(0, -1);
  for (const segment of specifier.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment !== '..') segments.push(segment);
    else if (segments.pop() === undefined) return undefined;
  }
  return segments.join('/');
}

function candidates(path: string, folderOnly: boolean): string[] {
  const inFolder = SUFFIXES.map((suffix) => (path === '' ? `index${suffix}` : `${path}/index${suffix}`));
  if (folderOnly || path === '') return inFolder;
  const extension = extensionOf(path);
  const stem = path.slice(0, path.length - extension.length);
  return [path, ...(WRITTEN_AS[extension] ?? []).map((other) => stem + other), ...SUFFIXES.map((suffix) => path + suffix), ...inFolder];
}

function extensionOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot);
}
