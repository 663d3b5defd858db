// Node's permission model for a host: it reads the program, the platform and the versions of its own tier, and can neither write files nor start processes.
import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

export interface Readable {
  /** The host's program. */
  readonly entry: string;
  readonly platformFolder: string;
  /** Folder of the versions of the host's tier. */
  readonly versionsFolder: string;
}

/** How many folders up from the program its package.json may lie: a checkout has it one up, the packed build two. */
const PACKAGE_LEVELS = 2;

/**
 * The network is not part of the model in Node 22, and native code is not bound by it: it holds against faults of the host's own JavaScript.
 *
 * Paths are taken as they are named, without following links, so nothing below /proc/self may be opened but the one file: /proc/self/root is every file.
 */
export function permissionFlags({ entry, platformFolder, versionsFolder }: Readable): readonly string[] {
  const part = dirname(entry);
  const root = dirname(part);
  const files = [
    ...folder(part), ...folder(join(root, 'core')), ...packageFiles(root), ...modulesFolders(entry).flatMap(folder), ...folder(platformFolder), ...folder(versionsFolder),
    // The meter's source of CPU time (isolates/watch/meter.ts).
    '/proc/self/schedstat',
    // How many memory maps a process may have bounds the isolates of a host (isolates/life/isolate-life.ts).
    '/proc/sys/vm/max_map_count',
    // node-gyp-build looks here for the C library when isolated-vm loads.
    '/etc/alpine-release',
  ];
  return [
    '--permission',
    // isolated-vm is an addon, the meter a worker. The warnings say that both weaken the model.
    '--allow-addons', '--allow-worker', '--disable-warning=SecurityWarning',
    ...files.map((path) => `--allow-fs-read=${path}`),
  ];
}

/** The folder itself is named too: the loader asks whether it is there. */
function folder(path: string): readonly string[] {
  return [path, join(path, '*')];
}

function packageFiles(root: string): readonly string[] {
  const files: string[] = [];
  for (let at = root, level = 0; level < PACKAGE_LEVELS; at = dirname(at), level += 1) files.push(join(at, 'package.json'));
  return files;
}

/** Where the loader finds packages for the program, and where those folders really are. */
function modulesFolders(entry: string): readonly string[] {
  const folders = (createRequire(entry).resolve.paths('isolated-vm') ?? []).filter((path) => existsSync(path));
  return [...new Set(folders.flatMap((path) => [path, realpathSync(path)]))];
}
