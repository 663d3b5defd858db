// A host's heartbeat and in-flight journal: the file that both share, and when a silent host is killed.
import { accessSync, closeSync, constants, ftruncateSync, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { randomToken } from '../core/ids/index.ts';
import { JOURNAL_BYTES } from '../core/protocol/index.ts';
import type { Beat } from '../core/protocol/index.ts';

/** How often the supervisor looks, milliseconds. */
export const POLL_MS = 100;
/** A beat that stands still for this many looks (1 s) is lost. Looks are counted, not time: a supervisor that was itself stopped must not kill innocents. */
const SILENT_POLLS = 10;
/** An entry that has used so much CPU time since its isolate was disposed is stuck in native code; of time that it waits for a core, a tenth counts. */
const DISPOSED_MS = 250;

export type Verdict = 'alive' | 'silent' | 'stuck';

/** Judges the beats of one life of a host. */
export class HeartbeatWatch {
  #count = 0;
  #still = 0;

  /** Called once a poll. A host that has never beaten is not judged: its time to get ready is limited already. */
  look(beat: Beat): Verdict {
    if (beat.count === 0) return 'alive';
    if (beat.count !== this.#count) {
      this.#count = beat.count;
      this.#still = 0;
    } else {
      this.#still += 1;
    }
    if (this.#still >= SILENT_POLLS) return 'silent';
    return beat.entry !== 0 && beat.disposedMs > DISPOSED_MS ? 'stuck' : 'alive';
  }
}

/**
 * Opens a fresh journal file without a name: it lives as long as the descriptors of supervisor and host, and nobody else can open it.
 * In memory (/dev/shm) where that is writable, so that a beat never waits for a disk.
 */
export function openJournal(runFolder: string): number {
  const path = join(isWritable('/dev/shm') ? '/dev/shm' : runFolder, `thimble-journal-${randomToken(12)}`);
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    unlinkSync(path);
    ftruncateSync(fd, JOURNAL_BYTES);
  } catch (thrown) {
    closeSync(fd);
    throw thrown;
  }
  return fd;
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
