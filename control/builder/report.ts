// What a build made, and of what: sizes, inputs, packages and esbuild's warnings, kept with the version.
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Message, Metafile } from 'esbuild';
import { z } from 'zod';
import { isOfPackage } from './paths.ts';
import type { Place } from './places.ts';
import { MAX_PLACES, placeOf } from './places.ts';
import { NAMESPACE, uploadedPath } from './virtual-files.ts';

/** Modules that a report lists, the largest first. */
const MAX_MODULES = 20;
const MAX_PACKAGES = 100;
/** Characters of a name or a version out of a package.json. */
const MAX_NAME_CHARACTERS = 214;

const bytes = z.int().min(0);

export const placeSchema = z.strictObject({ file: z.string(), line: z.int(), column: z.int(), text: z.string() });

export const buildReportSchema = z.strictObject({
  bytes: z.strictObject({
    bundle: bytes,
    /** Of the bundle as `gzip -6` makes it: what it weighs on the wire or in an archive. */
    gzip: bytes,
    map: bytes,
    /** All uploaded files, whether the bundle has anything of them or not. */
    sources: bytes,
  }),
  files: z.strictObject({ uploaded: z.int(), /** Uploaded files of which the bundle holds something. */ bundled: z.int() }),
  /** The modules with the most bytes in the bundle; those of the platform are named `node:…`. */
  modules: z.array(z.strictObject({ path: z.string(), bytes })),
  /** Packages with bytes in the bundle, the largest first; `version` is what their package.json says, or null. */
  packages: z.array(z.strictObject({ name: z.string(), version: z.string().nullable(), bytes })),
  warnings: z.array(placeSchema),
  /** What the lists above leave out. */
  more: z.strictObject({ modules: z.int(), packages: z.int(), warnings: z.int() }),
  buildMs: z.number(),
});
export type BuildReport = z.infer<typeof buildReportSchema>;

export interface ReportInput {
  readonly files: ReadonlyMap<string, string>;
  readonly main: string;
  readonly bundle: string;
  readonly map: string;
  readonly metafile: Metafile | undefined;
  readonly warnings: readonly Message[];
}

const zipped = promisify(gzip);

/** Everything but the time, which is over only when this is. Compresses on the thread pool. */
export async function buildReport({ files, main, bundle, map, metafile, warnings }: ReportInput): Promise<Omit<BuildReport, 'buildMs'>> {
  const modules = bundledModules(metafile);
  const packages = packagesOf(modules, files);
  const places: Place[] = warnings.slice(0, MAX_PLACES).map((message) => placeOf(message, main));
  return {
    bytes: { bundle: Buffer.byteLength(bundle), gzip: (await zipped(bundle, { level: 6 })).length, map: Buffer.byteLength(map), sources: sumOf(files.values()) },
    files: { uploaded: files.size, bundled: modules.filter(({ path }) => files.has(path)).length },
    modules: modules.slice(0, MAX_MODULES),
    packages: packages.slice(0, MAX_PACKAGES),
    warnings: places,
    more: { modules: beyond(modules, MAX_MODULES), packages: beyond(packages, MAX_PACKAGES), warnings: beyond(warnings, MAX_PLACES) },
  };
}

interface Module {
  readonly path: string;
  readonly bytes: number;
}

/** Those that left something in the bundle, the largest first. */
function bundledModules(metafile: Metafile | undefined): Module[] {
  const sizes = new Map<string, number>();
  for (const output of Object.values(metafile?.outputs ?? {})) {
    for (const [id, { bytesInOutput }] of Object.entries(output.inputs)) {
      if (bytesInOutput > 0) sizes.set(nameOf(id), (sizes.get(nameOf(id)) ?? 0) + bytesInOutput);
    }
  }
  return largestFirst(sizes, (path, size) => ({ path, bytes: size }));
}

/** The uploader's path, or the platform's own name for a module of its own. */
function nameOf(id: string): string {
  return id.startsWith(`${NAMESPACE}:`) ? uploadedPath(id) : id;
}

function packagesOf(modules: readonly Module[], files: ReadonlyMap<string, string>): BuildReport['packages'] {
  const sizes = new Map<string, number>();
  for (const { path, bytes: size } of modules) {
    const folder = packageFolder(path);
    if (folder !== undefined) sizes.set(folder, (sizes.get(folder) ?? 0) + size);
  }
  // By folder, not by name: an upload may hold two versions of one package.
  return largestFirst(sizes, (folder, size) => ({ name: folder.slice(folder.lastIndexOf('node_modules/') + 13).slice(0, MAX_NAME_CHARACTERS), version: versionIn(files.get(`${folder}/package.json`)), bytes: size }));
}

/** The folder of the package that a file came with: below the last `node_modules`, `@scope/name` or `name`. */
function packageFolder(path: string): string | undefined {
  if (!isOfPackage(path)) return undefined;
  const at = path.lastIndexOf('node_modules/') + 13;
  const [first = '', second = ''] = path.slice(at).split('/');
  return path.slice(0, at) + (first.startsWith('@') ? `${first}/${second}` : first);
}

const manifestSchema = z.looseObject({ version: z.string() });

function versionIn(text: string | undefined): string | null {
  if (text === undefined) return null;
  try {
    return manifestSchema.parse(JSON.parse(text)).version.slice(0, MAX_NAME_CHARACTERS);
  } catch {
    return null;
  }
}

function largestFirst<T>(sizes: ReadonlyMap<string, number>, make: (key: string, size: number) => T): T[] {
  return [...sizes].toSorted(([a, sizeA], [b, sizeB]) => sizeB - sizeA || (a < b ? -1 : 1)).map(([key, size]) => make(key, size));
}

function sumOf(texts: Iterable<string>): number {
  let sum = 0;
  for (const text of texts) sum += Buffer.byteLength(text);
  return sum;
}

const beyond = (list: readonly unknown[], limit: number): number => Math.max(0, list.length - limit);
