// Reads whole files of cold starts at once, since a hop to a thread and back costs more than the read itself; very large ones in one hop.
import { closeSync, fstatSync, openSync, read, readSync } from 'node:fs';

/**
 * What is read on the loop: 2 MB take a millisecond from the page cache, and as long as the disk takes where they are not there. Making an isolate of them
 * stops the loop for longer (4 ms a megabyte); over threads the same read took 2 to 15 ms.
 */
const AT_ONCE_BYTES = 4 * 1_048_576;

/**
 * @returns the bytes, or a promise of them when they are many. node:fs/promises would take four hops, and one more for every 512 KiB
 * @throws NodeJS.ErrnoException  the file can't be opened or read
 */
export function readWhole(path: string): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> {
  const fd = openSync(path, 'r');
  let mine = true;
  try {
    const { size } = fstatSync(fd);
    // Not of the pool: what reads it may keep it.
    const bytes = new Uint8Array(size);
    if (size <= AT_ONCE_BYTES) {
      fill(bytes, readSync(fd, bytes, 0, size, 0), path);
      return bytes;
    }
    mine = false;
    return new Promise((resolve, reject) => {
      read(fd, bytes, 0, size, 0, (error, count) => {
        closeSync(fd);
        try {
          if (error !== null) throw error;
          fill(bytes, count, path);
          resolve(bytes);
        } catch (thrown) {
          reject(thrown as Error);
        }
      });
    });
  } finally {
    if (mine) closeSync(fd);
  }
}

/** Files of versions are written once, whole, and renamed to their place: one that is shorter now is damaged. */
function fill(bytes: Uint8Array, count: number, path: string): void {
  if (count !== bytes.length) throw new Error(`${path} was cut while it was read`);
}
