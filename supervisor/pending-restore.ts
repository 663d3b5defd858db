// The moment at which a restore becomes true, and its end after a crash: one small file says which parts take the place of which.
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { PlatformError } from '../core/errors/index.ts';
import { replaceFileSync, syncFolder } from '../core/files/index.ts';

const JOURNAL = 'restore.json';
export const STAGING_PREFIX = 'restore-';
/** Parts of a data folder that a backup may hold. */
const PARTS = ['control', 'versions', 'examples.json', 'secret.key', 'admin.token'];
/** Copies of what is in the store, which would be of another life of it. */
const DERIVED = ['gateway'];

const journalSchema = z.strictObject({ staging: z.string().regex(/^restore-[0-9a-zA-Z-]+$/), replaced: z.string().regex(/^replaced-[0-9a-zA-Z-]+$/) });
type Journal = z.infer<typeof journalSchema>;

/**
 * Puts the staged parts in the place of the data folder's own, which go to the folder `replaced`. From the moment that the journal is on disk it is done:
 * whatever a crash interrupts, the next start ends. The caller holds the data lock.
 */
export function commitRestore(dataFolder: string, journal: Journal): void {
  replaceFileSync(join(dataFolder, JOURNAL), JSON.stringify(journalSchema.parse(journal)));
  finish(dataFolder, journal);
}

/**
 * Ends a restore that was interrupted, or removes what one has left that never became true. The caller holds the data lock.
 *
 * @returns the folder with what was replaced, when a restore was ended now
 * @throws storage_failed  the journal cannot be read
 */
export function finishRestore(dataFolder: string): string | undefined {
  if (existsSync(join(dataFolder, JOURNAL))) {
    const journal = readJournal(dataFolder);
    finish(dataFolder, journal);
    return journal.replaced;
  }
  for (const name of readdirSync(dataFolder)) if (name.startsWith(STAGING_PREFIX)) rmSync(join(dataFolder, name), { recursive: true, force: true });
  return undefined;
}

function readJournal(dataFolder: string): Journal {
  try {
    return journalSchema.parse(JSON.parse(readFileSync(join(dataFolder, JOURNAL), 'utf8')));
  } catch (cause) {
    throw new PlatformError('storage_failed', undefined, { cause });
  }
}

/** Every step may have been taken before. */
function finish(dataFolder: string, { staging, replaced }: Journal): void {
  const [from, aside] = [join(dataFolder, staging), join(dataFolder, replaced)];
  mkdirSync(aside, { recursive: true, mode: 0o700 });
  for (const name of PARTS) {
    // What is staged no more is in its place already.
    if (!existsSync(join(from, name))) continue;
    moveAside(join(dataFolder, name), join(aside, name));
    renameSync(join(from, name), join(dataFolder, name));
  }
  for (const name of DERIVED) moveAside(join(dataFolder, name), join(aside, name));
  for (const folder of [aside, dataFolder]) syncFolder(folder);
  rmSync(join(dataFolder, JOURNAL), { force: true });
  rmSync(from, { recursive: true, force: true });
  syncFolder(dataFolder);
}

function moveAside(path: string, to: string): void {
  if (existsSync(path) && !existsSync(to)) renameSync(path, to);
}
