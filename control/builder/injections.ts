// Names that other runtimes have and the standards don't: a bundle that uses one as a free name gets it, and no other bundle does.
import type { BuildOptions } from 'esbuild';
import type { EsbuildService } from './esbuild-service.ts';
import { extensionOf, isOfPackage } from './paths.ts';

export const INJECTED_NAMESPACE = 'thimble';

/** The module behind each name. What nothing uses of it is not in the bundle. */
const MODULES: Readonly<Record<string, string>> = {
  process: 'export const process = /* @__PURE__ */ __thimble("process");',
  Buffer: 'export { Buffer } from "node:buffer";',
  Deno: 'export const Deno = /* @__PURE__ */ __thimble("deno");',
  Bun: 'export const Bun = /* @__PURE__ */ __thimble("bun");',
  'import.meta.env': 'export const __thimble_env = /* @__PURE__ */ (() => ({ ...__thimble("env"), MODE: "production", PROD: true, DEV: false, SSR: true }))();',
};
/** Found in a package, these only tell it which runtime it is in, and it would take a way that is not ours. So the author has to use them. */
const AUTHORS = ['Deno', 'Bun'] as const;

const DEFINE: Readonly<Record<string, string>> = {
  global: 'globalThis',
  'process.env.NODE_ENV': '"production"',
  'import.meta.url': '"file:///bundle.js"',
  'import.meta.env.MODE': '"production"',
  'import.meta.env.PROD': 'true',
  'import.meta.env.DEV': 'false',
  'import.meta.env.SSR': 'true',
  'import.meta.env': '__thimble_env',
};

/** What a build of these files needs. Names that only stand in comments or belong to the code itself do no harm: the modules are dropped again. */
export async function injections(files: ReadonlyMap<string, string>, service: EsbuildService): Promise<Required<Pick<BuildOptions, 'define' | 'inject'>>> {
  const candidates = Object.keys(MODULES).filter((name) => !isAuthors(name));
  const wanted = candidates.filter((name) => some(files, (text) => text.includes(name)));
  wanted.push(...(await usedByAuthor(files, service)));
  return { define: DEFINE, inject: wanted.map((name) => `${INJECTED_NAMESPACE}:${name}`) };
}

export function injectedModule(name: string): string | undefined {
  return Object.hasOwn(MODULES, name) ? MODULES[name] : undefined;
}

function isAuthors(name: string): name is (typeof AUTHORS)[number] {
  return (AUTHORS as readonly string[]).includes(name);
}

function some(files: ReadonlyMap<string, string>, test: (text: string) => boolean): boolean {
  for (const text of files.values()) if (test(text)) return true;
  return false;
}

const PROBE = '__thimble_probe_';
/** Files that are looked at; who names servers in more of them uses one. */
const MAX_PROBES = 200;
const LOADERS: Readonly<Record<string, 'ts' | 'tsx' | 'js' | 'jsx'>> = { '.ts': 'ts', '.mts': 'ts', '.cts': 'ts', '.tsx': 'tsx', '.js': 'js', '.mjs': 'js', '.cjs': 'js', '.jsx': 'jsx' };

/** Which of AUTHORS the author's own files use as free names: a parser tells, since a mere mention in a comment must not change what packages do. */
async function usedByAuthor(files: ReadonlyMap<string, string>, service: EsbuildService): Promise<readonly string[]> {
  const named = Array.from(files).filter(([path, text]) => /\b(?:Deno|Bun)\b/.test(text) && !isOfPackage(path) && !text.includes(PROBE));
  if (named.length > MAX_PROBES) return AUTHORS;
  const outputs = await Promise.all(
    named.map(async ([path, contents]) => {
      const loader = LOADERS[extensionOf(path)];
      if (loader === undefined) return '';
      const define = Object.fromEntries(AUTHORS.map((name) => [name, PROBE + name]));
      const built = service.build({ stdin: { contents, loader }, write: false, charset: 'utf8', define, logLevel: 'silent', tsconfigRaw: {} });
      // What cannot be parsed fails in the build itself, if the build comes to it.
      return await built.then(({ outputFiles }) => outputFiles?.[0]?.text ?? '', () => '');
    }),
  );
  return AUTHORS.filter((name) => outputs.some((text) => text.includes(PROBE + name)));
}
