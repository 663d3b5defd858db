// What the gateway learns about one version of a function and keeps over changes of its settings: its lane, its need of CPU time, its hosts.
import type { HostGroup } from '../core/config/index.ts';
import type { HostLink } from './host-link.ts';
import { Lane } from './lane.ts';
import type { VersionTarget } from './route.ts';

/** Assumed of a version that has not run, microseconds. */
const UNKNOWN_CPU_US = 500;
/** Weight of the newest invocation in the moving mean. */
const NEWEST = 1 / 16;

export class VersionPlace {
  readonly function: string;
  readonly version: number;
  readonly lane = new Lane();
  /** What hosts know it by now; undefined until it is first called. */
  target: VersionTarget | undefined;
  /** The group that it ran in last. */
  group: HostGroup = '';

  /** Exponential moving mean of the CPU time of an invocation, microseconds. */
  meanCpuUs = UNKNOWN_CPU_US;
  /** Invocations that hosts have. */
  inFlight = 0;
  #window = 0;
  #windowUs = 0;
  #formerUs = 0;

  /** The hosts that keep it warm, the preferred one first; at least one once it has run. Owned by `Hosts`. */
  homes: HostLink[] = [];
  /** The state of its group's hosts for which `homes` was last looked at. */
  generation = -1;
  /** When it last needed more than its first home, and when its homes last changed, milliseconds of performance.now(). */
  neededAtMs = 0;
  changedAtMs = Number.NEGATIVE_INFINITY;
  /** Lane or homes have changed since the figures were last pushed. */
  dirty = false;

  constructor(fn: string, version: number) {
    this.function = fn;
    this.version = version;
  }

  /** CPU time that its invocations under way are likely to need, microseconds. */
  get aheadUs(): number {
    return this.inFlight * this.meanCpuUs;
  }

  /** An invocation has ended. @param window  number of the present window of time (hosts.ts) */
  used(cpuUs: number, window: number): void {
    this.meanCpuUs += (cpuUs - this.meanCpuUs) * NEWEST;
    if (window !== this.#window) this.#turnTo(window);
    this.#windowUs += cpuUs;
  }

  /** CPU time used in the window before the present one, microseconds. */
  recentUs(window: number): number {
    if (window !== this.#window) this.#turnTo(window);
    return this.#formerUs;
  }

  #turnTo(window: number): void {
    this.#formerUs = window === this.#window + 1 ? this.#windowUs : 0;
    this.#windowUs = 0;
    this.#window = window;
  }
}
