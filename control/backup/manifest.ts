// What a backup says of itself: `backup.json`, written last, so that a folder without it is no backup.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256Hex } from '../../core/crypto/index.ts';
import { PlatformError } from '../../core/errors/index.ts';
import { fieldErrors, filePathSchema } from '../../core/schemas/index.ts';
import { canonicalJson } from '../model/index.ts';

export const MANIFEST = 'backup.json';
/** Below it, everything lies as in a data folder. */
export const DATA = 'data';
/** Files that open what is sealed, and the control API. */
export const KEY_FILES = ['secret.key', 'admin.token'] as const;

/** What may stand first in a path below `data`: nothing else of a backup is ever written to a data folder. */
const TOP_LEVEL: readonly string[] = ['control', 'versions', 'examples.json', ...KEY_FILES];

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const size = z.int().min(0);

const contentSchema = z.strictObject({
  kind: z.literal('thimble backup'),
  /** Of this page. */
  format: z.literal(1),
  createdAt: z.iso.datetime(),
  /** Of the copied store. */
  store: z.strictObject({ format: z.int().min(1), epoch: z.int(), revision: size }),
  /** Its last row, to which the whole chain was checked; 0 and zeros when there is none. */
  audit: z.strictObject({ sequence: size, hash: sha256 }),
  functions: size,
  versions: size,
  /** Whether the key files that the data folder had are in it. */
  keys: z.array(z.enum(KEY_FILES)),
  /** Version folders that were missing or damaged already: `TIER/DIGEST`. */
  missing: z.array(z.string()),
  files: z.array(z.strictObject({ path: filePathSchema.refine((path) => TOP_LEVEL.includes(path.split('/')[0] ?? ''), 'must be of a data folder'), bytes: size, sha256 })),
});

const manifestSchema = contentSchema.extend({ /** Over the canonical JSON of the rest: shows damage, not forgery. */ sha256 });
export type BackupContent = z.infer<typeof contentSchema>;

export function signed(content: BackupContent): string {
  return JSON.stringify({ ...content, sha256: sha256Hex(canonicalJson(content)) });
}

/** @throws backup_invalid  the folder is no backup, one of another release's form, or its manifest was changed */
export async function readManifest(folder: string): Promise<BackupContent> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(join(folder, MANIFEST), 'utf8'));
  } catch (cause) {
    throw new PlatformError('backup_invalid', { why: `it has no readable ${MANIFEST}, which is written last` }, { cause });
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) {
    const [first] = fieldErrors(parsed.error);
    throw new PlatformError('backup_invalid', { why: `${MANIFEST} is of no form that this release knows (${first?.path ?? ''}: ${first?.message ?? ''})` });
  }
  const { sha256: claimed, ...content } = parsed.data;
  if (sha256Hex(canonicalJson(content)) !== claimed) throw new PlatformError('backup_invalid', { why: `${MANIFEST} was changed or damaged` });
  return content;
}
