// What the build and the verify program share: one message in, messages out, and the platform that they work on.
import { readFileSync, writeSync } from 'node:fs';
import { decodeMessages, encodeMessage } from '../../core/versions/index.ts';
import type { DecodedMessage } from '../../core/versions/index.ts';
import { makePlatform, platformKeyOf, readPlatform } from '../platform/load.ts';
import type { Platform } from '../platform/load.ts';
import { externalBytes } from '../vm.ts';

const STDIN = 0;
const STDOUT = 1;

/** The job. @throws TypeError  there is none */
export function takeJob(): DecodedMessage {
  process.title = 'thimble snapshot';
  const [message] = decodeMessages(readFileSync(STDIN));
  if (message === undefined) throw new TypeError('no job on standard input');
  return message;
}

/** Synchronous: what follows may kill the process, and then the last stage told is what is known. */
export function say(json: unknown, bytes: readonly Uint8Array[] = []): void {
  const message = encodeMessage(json, bytes);
  for (let at = 0; at < message.length; ) {
    try {
      at += writeSync(STDOUT, message, at);
    } catch (error) {
      // The pipe is full: its reader is another process, which goes on.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

/** With isolates alive an exit may crash. Whoever started it has read the last message by then, or will. */
export function end(): never {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('unreachable');
}

/** CPU time of this thread so far, milliseconds. The kernel's own account (proc(5), schedstat): getrusage(2) may count in ticks of 4 ms. */
export function cpuMs(): number {
  return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ', 1)[0]) / 1_000_000;
}

export interface ProgramPlatform {
  readonly platform: Platform;
  /** Checked bytes of its files. */
  readonly files: ReadonlyMap<string, Buffer>;
}

/** @returns undefined when it is missing or damaged */
export function openPlatform(folder: string): ProgramPlatform | undefined {
  const files = readPlatform(folder);
  return files === undefined ? undefined : { platform: makePlatform(files, externalBytes, platformKeyOf(folder)), files };
}
