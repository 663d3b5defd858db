// The lock on the data folder: one node at a time, let go by the kernel however its owner ends.
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { PlatformError } from '../core/errors/index.ts';
import { replaceFileSync } from '../core/files/index.ts';
import { startTicks } from './proc.ts';

export interface DataLock {
  /** The last owner died without letting go, so processes of its node may still be ending. */
  readonly abandoned: boolean;
  /** Lets go. The process's end does the same, but counts as abandoned. */
  release(): void;
}

const ownerSchema = z.object({ pid: z.int().min(1), startTicks: z.string() });

/** SQLite's "another connection holds the lock". */
const SQLITE_BUSY = 5;

/** A start that lost by a moment waits this long for the winner to write who it is, milliseconds. */
const OWNER_WAIT_MS = 1_000;

/**
 * Locks `folder`, which must exist.
 *
 * Node has no flock(2), and a lock file alone cannot be taken over without a race. SQLite's RESERVED lock is a kernel lock
 * (fcntl) on an empty database file: it ends with its process, even by SIGKILL, and works between containers that share a volume.
 * The owner's pid stands in a file of its own, for the message only.
 *
 * @throws data_locked  names the owner's pid (0 when it cannot be found out)
 */
export async function lockData(folder: string): Promise<DataLock> {
  const ownerFile = join(folder, 'lock.pid');
  const database = new DatabaseSync(join(folder, 'lock'));
  try {
    // Nothing is ever written, so no journal file is wanted beside it.
    database.exec('PRAGMA journal_mode = MEMORY');
    database.exec('BEGIN IMMEDIATE');
  } catch (thrown) {
    database.close();
    if ((thrown as { errcode?: number }).errcode !== SQLITE_BUSY) throw thrown;
    throw new PlatformError('data_locked', { folder, pid: await ownerPid(ownerFile) }, { cause: thrown });
  }
  const abandoned = readOwner(ownerFile) !== undefined;
  replaceFileSync(ownerFile, JSON.stringify({ pid: process.pid, startTicks: startTicks(process.pid) ?? '' }));
  return {
    abandoned,
    release: () => {
      rmSync(ownerFile, { force: true });
      database.close();
    },
  };
}

function readOwner(file: string): z.infer<typeof ownerSchema> | undefined {
  try {
    return ownerSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

async function ownerPid(file: string): Promise<number> {
  for (const giveUpAt = performance.now() + OWNER_WAIT_MS; ; ) {
    const owner = readOwner(file);
    if (owner !== undefined && startTicks(owner.pid) === owner.startTicks) return owner.pid;
    if (performance.now() > giveUpAt) return owner?.pid ?? 0;
    await sleep(20);
  }
}
