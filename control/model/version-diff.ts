// What differs between two versions of a function: files as unified diffs, what each froze, sizes. Bounded in size and in time.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { FILE_HEADERS_ONLY, formatPatch, structuredPatch } from 'diff';
import { z } from 'zod';
import { isOfPackage } from '../builder/index.ts';
import type { BuildReport } from '../builder/index.ts';
import { canonicalJson } from './canonical-json.ts';
import type { SourcesRecord, VersionRecord } from './records.ts';

/** Files of which something is said; `more` counts the others. */
const MAX_FILES = 1_000;
/** A file beyond either is compared, but not line by line. */
const MAX_FILE_CHARACTERS = 262_144;
const MAX_FILE_LINES = 20_000;
const MAX_PATCH_CHARACTERS = 65_536;
const MAX_ALL_PATCH_CHARACTERS = 1_048_576;
/** Lines added and removed between two texts: the work grows with its square (E. Myers, "An O(ND) difference algorithm", 1986). */
const MAX_EDITS = 2_000;
const MAX_FILE_MS = 100;
/** Spent on patches in all. Other calls get their turn between any two files. */
const MAX_ALL_MS = 1_000;

const number = z.int().min(1);
const size = z.int().min(0);
const changeOf = <T extends z.ZodType>(value: T): z.ZodNullable<z.ZodObject<{ before: T; after: T }, z.core.$strict>> => z.strictObject({ before: value, after: value }).nullable();

/** Why a file that differs has no patch: it is too large, too much of it differs, or the whole answer would take too long or be too large. */
export const OMISSIONS = ['too_large', 'too_different', 'out_of_budget'] as const;
type Omission = (typeof OMISSIONS)[number];

const side = z.strictObject({ version: number, digest: z.string(), bytes: size, gzip: size.nullable(), sources: size.nullable() });

export const versionDiffSchema = z.strictObject({
  from: side,
  to: side,
  /** The same content: they share one folder on disk. */
  same: z.boolean(),
  /** null: alike. */
  main: changeOf(z.string()),
  /** Files of the author first, then those of packages, each in order of the paths. */
  files: z.array(z.strictObject({
    path: z.string(),
    change: z.enum(['added', 'removed', 'changed']),
    /** In UTF-8; null: no such file. */
    bytes: z.strictObject({ before: size.nullable(), after: size.nullable() }),
    /** Unified diff, as `patch -p1` takes it. */
    patch: z.string().nullable(),
    omitted: z.enum(OMISSIONS).nullable(),
  })),
  /** Files that differ and are not listed. */
  more: z.int().min(0),
  unchanged: z.int().min(0),
  env: z.array(z.strictObject({ key: z.string(), before: z.string().nullable(), after: z.string().nullable() })),
  bindings: z.array(z.strictObject({ key: z.string(), before: z.unknown(), after: z.unknown() })),
});
export type VersionDiff = z.infer<typeof versionDiffSchema>;
type FileDiff = VersionDiff['files'][number];

export interface DiffSide {
  readonly record: VersionRecord;
  readonly sources: SourcesRecord;
  readonly report: BuildReport | null;
}

export async function diffVersions(from: DiffSide, to: DiffSide): Promise<VersionDiff> {
  const { files, more, unchanged } = await diffFiles(from.sources.files, to.sources.files);
  return {
    from: sideOf(from),
    to: sideOf(to),
    same: from.record.digest === to.record.digest,
    main: from.record.main === to.record.main ? null : { before: from.record.main, after: to.record.main },
    files,
    more,
    unchanged,
    env: changedKeys(from.record.env, to.record.env),
    bindings: changedKeys(from.record.bindings, to.record.bindings),
  };
}

function sideOf({ record, report }: DiffSide): VersionDiff['from'] {
  const { version, digest, bytes } = record;
  return { version, digest, bytes, gzip: report?.bytes.gzip ?? null, sources: report?.bytes.sources ?? null };
}

type Files = Readonly<Record<string, string>>;

async function diffFiles(before: Files, after: Files): Promise<Pick<VersionDiff, 'files' | 'more' | 'unchanged'>> {
  const paths = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const different = paths.filter((path) => own(before, path) !== own(after, path)).toSorted(byAuthor);
  const budget = { characters: MAX_ALL_PATCH_CHARACTERS, ms: MAX_ALL_MS };
  const files: FileDiff[] = [];
  for (const path of different.slice(0, MAX_FILES)) {
    const [old, now] = [own(before, path), own(after, path)];
    const startedMs = performance.now();
    const made = patchOf(path, old, now, budget);
    budget.ms -= performance.now() - startedMs;
    budget.characters -= made.patch?.length ?? 0;
    files.push({ path, change: old === undefined ? 'added' : now === undefined ? 'removed' : 'changed', bytes: { before: bytesOf(old), after: bytesOf(now) }, ...made });
    await nextTurn();
  }
  return { files, more: different.length - files.length, unchanged: paths.length - different.length };
}

type Patch = Pick<FileDiff, 'patch' | 'omitted'>;

const omitted = (why: Omission): Patch => ({ patch: null, omitted: why });

/** @param old  undefined: no such file */
function patchOf(path: string, old: string | undefined, now: string | undefined, budget: { readonly characters: number; readonly ms: number }): Patch {
  if ([old, now].some((text) => text !== undefined && isLarge(text))) return omitted('too_large');
  if (budget.ms <= 0 || budget.characters <= 0) return omitted('out_of_budget');
  const names = [old === undefined ? '/dev/null' : `a/${path}`, now === undefined ? '/dev/null' : `b/${path}`] as const;
  // Of a whole file every line is an edit, and finding that out takes no search.
  const maxEditLength = old === undefined || now === undefined ? MAX_FILE_LINES : MAX_EDITS;
  const found = structuredPatch(...names, old ?? '', now ?? '', undefined, undefined, { context: 3, maxEditLength, timeout: MAX_FILE_MS });
  if (found === undefined) return omitted('too_different');
  const patch = formatPatch(found, FILE_HEADERS_ONLY);
  if (patch.length > MAX_PATCH_CHARACTERS) return omitted('too_large');
  return patch.length > budget.characters ? omitted('out_of_budget') : { patch, omitted: null };
}

function isLarge(text: string): boolean {
  if (text.length > MAX_FILE_CHARACTERS) return true;
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) if (++lines > MAX_FILE_LINES) return true;
  return false;
}

function changedKeys<T>(before: Readonly<Record<string, T>>, after: Readonly<Record<string, T>>): { key: string; before: T | null; after: T | null }[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  const pairs = keys.map((key) => ({ key, before: own(before, key) ?? null, after: own(after, key) ?? null }));
  return pairs.filter((pair) => canonicalJson(pair.before) !== canonicalJson(pair.after));
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

const bytesOf = (text: string | undefined): number | null => (text === undefined ? null : Buffer.byteLength(text));

function byAuthor(a: string, b: string): number {
  return Number(isOfPackage(a)) - Number(isOfPackage(b)) || (a < b ? -1 : 1);
}
