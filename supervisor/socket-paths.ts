// Where the node's Unix sockets lie: in the data folder, or in a short private folder where that path is too long for the kernel.
import { mkdirSync, mkdtempSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SocketPaths } from '../core/config/index.ts';

/** sun_path has 108 bytes with its final zero (unix(7)); some room is left. */
const MAX_PATH_BYTES = 100;

/**
 * Makes the run folder and names the sockets in it. A folder under the system's temporary one has a random name and mode 0700, and
 * `RUN/sockets` links to it, so that the start after a kill removes it.
 */
export function socketPaths(runFolder: string): { readonly sockets: SocketPaths; readonly dispose: () => void } {
  mkdirSync(runFolder, { recursive: true, mode: 0o700 });
  const link = join(runFolder, 'sockets');
  removeLinked(link);
  const near = inFolder(runFolder);
  if (Object.values(near).every((path) => Buffer.byteLength(path) <= MAX_PATH_BYTES)) return { sockets: near, dispose: () => removeFiles(near) };
  const folder = mkdtempSync(join(tmpdir(), 'thimble-'));
  symlinkSync(folder, link);
  return { sockets: inFolder(folder), dispose: () => removeLinked(link) };
}

function inFolder(folder: string): SocketPaths {
  return { gateway: join(folder, 'gateway.sock'), control: join(folder, 'control.sock'), sidecar: join(folder, 'sidecar.sock') };
}

function removeFiles(sockets: SocketPaths): void {
  for (const path of Object.values(sockets)) rmSync(path, { force: true });
}

function removeLinked(link: string): void {
  let folder: string;
  try {
    folder = readlinkSync(link);
  } catch {
    return;
  }
  removeFiles(inFolder(folder));
  rmSync(folder, { recursive: true, force: true });
  rmSync(link, { force: true });
}
