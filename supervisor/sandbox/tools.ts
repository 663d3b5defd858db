// What of util-linux is there and works here: each tool is really tried, in a short process.
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where service managers look when PATH is not set. */
const DEFAULT_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';
/** A trial takes milliseconds; on a loaded machine it may wait for the processor. */
const TRIAL_MS = 5_000;
const NOTHING = ['/bin/sh', '-c', ':'] as const;

/** A command line that changes something of itself and then becomes (execve) the program that follows: same pid, same descriptors. */
export type Prefix = readonly string[];

export interface Tools {
  /** Puts the program into a network namespace of its own, which has no interface but a loopback that is down. */
  readonly network: Prefix | string;
  /** Sheds privileges; user and groups may follow. */
  readonly privileges: Prefix | string;
  /** Sets resource limits, which follow. */
  readonly limits: Prefix | string;
}

/**
 * Tries every tool, all at once.
 *
 * @param path  folders to look in, as in PATH
 * @returns of each tool its command line, or a string that says why it cannot be used
 */
export async function tryTools(path: string = process.env['PATH'] ?? DEFAULT_PATH): Promise<Tools> {
  const unshare = findTool('unshare', path);
  const setpriv = findTool('setpriv', path);
  const prlimit = findTool('prlimit', path);
  // In a user namespace of its own a process has every capability there until it sheds them: that takes setpriv, which must be let keep them so long.
  const inUserNamespace = ['--user', '--map-current-user', ...(setpriv === undefined ? [] : ['--keep-caps'])];
  const [network, privileges, limits] = await Promise.all([
    firstThatWorks('unshare', unshare, [['--net', '--'], [...inUserNamespace, '--net', '--']]),
    firstThatWorks('setpriv', setpriv, [['--no-new-privs', '--bounding-set=-all', '--inh-caps=-all', '--ambient-caps=-all']]),
    firstThatWorks('prlimit', prlimit, [[`--core=0`]]),
  ]);
  // The trial needs a limit to set; the caller says which it wants.
  return { network, privileges, limits: typeof limits === 'string' ? limits : limits.slice(0, 1) };
}

function findTool(name: string, path: string): string | undefined {
  return path.split(delimiter).filter((folder) => folder.startsWith('/')).map((folder) => join(folder, name)).find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function firstThatWorks(name: string, file: string | undefined, variants: readonly Prefix[]): Promise<Prefix | string> {
  if (file === undefined) return `${name} is not installed`;
  const failures = await Promise.all(variants.map(async (args) => trial([file, ...args, ...NOTHING])));
  const works = variants[failures.indexOf(undefined)];
  return works === undefined ? (failures.at(-1) ?? '') : [file, ...works];
}

/** @returns why the command failed; undefined: it did not */
async function trial([file = '', ...args]: Prefix): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(file, args, { timeout: TRIAL_MS, killSignal: 'SIGKILL', env: {} }, (error, _, stderr) => {
      const said = stderr.trim().split('\n', 1)[0] ?? '';
      resolve(error === null ? undefined : (said === '' ? error.message : said).slice(0, 300));
    });
  });
}
