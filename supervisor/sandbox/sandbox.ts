// What confines host processes: the command line that sets it up.
import { readFileSync } from 'node:fs';
import type { HostUser, HostUsers } from './host-users.ts';
import { permissionFlags } from './permission-flags.ts';
import type { Readable } from './permission-flags.ts';
import type { Prefix } from './tools.ts';

/** Descriptors of a host: hundreds of cold starts at once read their versions' files. */
const MAX_FILES = 16_384;

/** What is applied; undefined: it cannot be had, or is not wanted. */
export interface Measures {
  readonly network: Prefix | undefined;
  readonly privileges: Prefix | undefined;
  readonly limits: Prefix | undefined;
  readonly permissionModel: boolean;
}

export interface Confined {
  /** Before the path of Node. */
  readonly prefix: Prefix;
  /** Flags of Node, beside those that the program needs. */
  readonly nodeFlags: readonly string[];
}

export class Sandbox {
  readonly measures: Measures;
  readonly users: HostUsers | undefined;
  /** What this process may open itself bounds its children: only root can raise it. */
  readonly #files = Math.min(MAX_FILES, ownFileLimit());

  constructor(measures: Measures, users: HostUsers | undefined) {
    this.measures = measures;
    this.users = users;
  }

  user(tier: string): HostUser | undefined {
    return this.users?.tiers[tier];
  }

  /** The flag `permissionModel` stands for hosts that read a platform snapshot: bundling the runtime themselves takes a process of esbuild's. */
  confine(tier: string, dataBytes: number, readable: Readable | null): Confined {
    const { network, privileges, limits, permissionModel } = this.measures;
    return {
      // The network first, while there is still the right to it; the limits last, so that they bind none of the tools.
      prefix: [
        ...(network ?? []),
        ...(privileges === undefined ? [] : [...privileges, ...this.#identity(tier), '--']),
        ...(limits === undefined ? [] : [...limits, `--data=${dataBytes}`, '--core=0', `--nofile=${this.#files}`, '--']),
      ],
      nodeFlags: permissionModel && readable !== null ? permissionFlags(readable) : [],
    };
  }

  #identity(tier: string): readonly string[] {
    const user = this.user(tier);
    if (this.users !== undefined && user !== undefined) return [`--reuid=${user.uid}`, `--regid=${user.gid}`, `--groups=${this.users.sharedGid}`];
    // Groups of root's, such as `disk`, open more than its uid alone; anybody else may not drop them.
    return process.getuid?.() === 0 && this.measures.network?.includes('--user') !== true ? ['--clear-groups'] : [];
  }
}

/** The hard limit (proc_pid_limits(5)); nothing more than usual when it is not told. */
function ownFileLimit(): number {
  const hard = Number(/^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'))?.[1]);
  return hard > 0 ? hard : MAX_FILES;
}
