// A short process in the place of a host: says what it can do there. Its last line on standard output is the answer; it ends with its standard input.
import { accessSync, constants, openSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

/** What a host could do, seen from inside. */
export interface Inside {
  /** The permission model refused a file that anybody may read. */
  readonly filesRefused: boolean;
  /** Network interfaces that are up: none in a network namespace of its own, not even loopback. */
  readonly interfaces: readonly string[];
  /** Of the paths given as arguments, those that it may not read. */
  readonly unreadable: readonly string[];
}

function refused(): boolean {
  try {
    readFileSync('/etc/passwd');
    return false;
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code === 'ERR_ACCESS_DENIED';
  }
}

function readable(path: string): boolean {
  try {
    // Folders that end with a slash are only passed through.
    if (path.endsWith('/')) accessSync(path, constants.X_OK);
    else if (path.startsWith('/proc/')) openSync(path, 'r');
    else accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function interfaces(): readonly string[] {
  try {
    return Object.keys(networkInterfaces());
  } catch (thrown) {
    // A system-call filter without netlink sockets: nobody knows, so it counts as a network.
    return [String(thrown)];
  }
}

const inside: Inside = {
  filesRefused: refused(),
  interfaces: interfaces(),
  unreadable: process.argv.slice(2).filter((path) => !readable(path)),
};
process.stdout.write(`${JSON.stringify(inside)}\n`);
process.stdin.on('end', () => process.exit(0)).resume();
