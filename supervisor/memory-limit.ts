// The bound on a process's memory that V8 does not count: RLIMIT_DATA from its start, and a look at its resident memory.
import { existsSync } from 'node:fs';
import { totalmem } from 'node:os';

const PRLIMIT = ['/usr/bin/prlimit', '/bin/prlimit'] as const;

const MIB = 1_048_576;
/** Node with its threads' stacks takes up to 200 MB of data (RLIMIT_DATA counts what is writable, not what is resident). */
const MIN_BYTES = 768 * MIB;
const MAX_BYTES = 4_096 * MIB;

/** Memory that the hosts of one on-demand group share out among them: half of the machine's, 4 GiB at the most. */
export function groupMemoryBytes(hosts: number): number {
  const constrained = process.constrainedMemory();
  const total = constrained > 0 && constrained < totalmem() ? constrained : totalmem();
  return Math.max(MIN_BYTES, Math.floor(Math.min(total / 2, MAX_BYTES) / hosts));
}

/**
 * The command line that runs `file` under RLIMIT_DATA: setrlimit(2) has no binding in Node, so util-linux's prlimit sets it and then becomes the program.
 *
 * @returns undefined when prlimit is not installed
 */
export function underDataLimit(bytes: number, file: string, args: readonly string[]): { readonly file: string; readonly args: readonly string[] } | undefined {
  const prlimit = PRLIMIT.find((path) => existsSync(path));
  return prlimit === undefined ? undefined : { file: prlimit, args: [`--data=${bytes}`, file, ...args] };
}
