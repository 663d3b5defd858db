// A standby host for each tier: a process reads only its own tier's versions from its start on, so it cannot take a place in another.
import { DEFAULT_TIER } from '../core/config/index.ts';
import type { ProcessState } from '../core/config/index.ts';
import type { Logger } from '../core/log/index.ts';
import { residentBytes } from './proc.ts';
import { StandbyHost } from './standby-host.ts';
import type { LoadedHost } from './standby-host.ts';
import type { ProcessPlan } from './supervised-process.ts';

export interface StandbyHostsOptions {
  readonly journalFolder: string;
  readonly loggerFor: (name: string) => Logger;
  readonly onSpawn: (name: string, pid: number) => void;
  readonly onChange: () => void;
  readonly onLogLine: (line: string) => void;
}

export class StandbyHosts {
  readonly #options: StandbyHostsOptions;
  /** By name. */
  readonly #hosts = new Map<string, StandbyHost>();

  constructor(options: StandbyHostsOptions) {
    this.#options = options;
  }

  /** Starts one for each tier. @param plans  hosts of the default groups, by tier */
  start(plans: ReadonlyMap<string, readonly ProcessPlan[]>): void {
    const { loggerFor, onSpawn, ...rest } = this.#options;
    for (const [tier, [first]] of plans) {
      if (first === undefined) continue;
      const name = standbyName(tier);
      const standby = new StandbyHost({ ...rest, command: first.command, logger: loggerFor(name), onSpawn: (pid) => onSpawn(name, pid) });
      this.#hosts.set(name, standby);
      standby.start();
    }
  }

  /** @returns undefined when there is none just now */
  take(tier: string): LoadedHost | undefined {
    return this.#hosts.get(standbyName(tier))?.take();
  }

  /** For health: those that are there. */
  states(): readonly ProcessState[] {
    return [...this.#hosts].flatMap(([name, { pid }]) => (pid === null ? [] : [{ name, kind: 'host', pid, state: 'ready', restarts: 0, onDemand: true, residentBytes: residentBytes(pid) }]));
  }

  close(): void {
    for (const standby of this.#hosts.values()) standby.close();
  }
}

function standbyName(tier: string): string {
  return tier === DEFAULT_TIER ? 'standby' : `${tier}.standby`;
}
