// Looks for bytes in the memory of a living process (proc(5), /proc/PID/maps and mem): for what must not be there.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const CHUNK_BYTES = 4 * 1_048_576;

/** Which of `needles` stand somewhere in the writable memory of `pid`. May need the right to trace it; throws EPERM or EACCES without. */
export function inMemory(pid: number, needles: ReadonlyMap<string, Buffer>): Set<string> {
  const found = new Set<string>();
  const longest = Math.max(...[...needles.values()].map((needle) => needle.length));
  const chunk = Buffer.alloc(CHUNK_BYTES + longest);
  const fd = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const [, low = '', high = ''] of readFileSync(`/proc/${pid}/maps`, 'latin1').matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw/gm)) {
      for (let at = Number.parseInt(low, 16), end = Number.parseInt(high, 16); at < end; at += CHUNK_BYTES) {
        const length = readAt(fd, chunk, Math.min(chunk.length, end - at), at);
        const bytes = chunk.subarray(0, length);
        for (const [name, needle] of needles) if (!found.has(name) && bytes.includes(needle)) found.add(name);
      }
    }
  } finally {
    closeSync(fd);
  }
  return found;
}

function readAt(fd: number, into: Buffer, length: number, at: number): number {
  try {
    return readSync(fd, into, 0, length, at);
  } catch {
    // Unmapped since the list was read, or the kernel's own.
    return 0;
  }
}
