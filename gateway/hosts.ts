// The hosts that are connected, by group, and which one gets an invocation.
import type { HostGroup } from '../core/config/index.ts';
import type { FunctionGate } from './function-gate.ts';
import { MAX_PER_HOST } from './host-link.ts';
import type { HostLink } from './host-link.ts';
import { preferred } from './rendezvous.ts';
import type { VersionTarget } from './route.ts';

/**
 * A function stays on its home host, where its isolate is warm and frames come in large batches, until that has so much more CPU time ahead
 * of it than the least loaded one, microseconds. Counting invocations instead would spread cheap ones, which costs throughput, and hold
 * together long ones, which costs latency.
 */
const SPILL_GAP_US = 5_000;

interface OpenHosts {
  readonly links: readonly HostLink[];
  /** Another number for every change of any group: a function that changes its group looks for a home anew. */
  readonly generation: number;
}

const NONE: OpenHosts = { links: [], generation: 0 };

export class Hosts {
  readonly #links = new Set<HostLink>();
  /** Those that take new invocations. */
  readonly #open = new Map<HostGroup, OpenHosts>();
  #generation = 0;

  /** Hosts of the default group that take new invocations. */
  get openCount(): number {
    return this.openIn('default');
  }

  /** Groups that have a host that takes new invocations. */
  openGroups(): IterableIterator<HostGroup> {
    return this.#open.keys();
  }

  openIn(group: HostGroup): number {
    return this.#open.get(group)?.links.length ?? 0;
  }

  /** The hosts of the group that take new invocations. */
  linksIn(group: HostGroup): readonly HostLink[] {
    return this.#open.get(group)?.links ?? NONE.links;
  }

  /** Invocations on hosts of the group, also on those that drain. */
  inFlight(group: HostGroup): number {
    let sum = 0;
    for (const link of this.#links) if (link.group === group) sum += link.inFlight;
    return sum;
  }

  get all(): ReadonlySet<HostLink> {
    return this.#links;
  }

  add(link: HostLink): void {
    this.#links.add(link);
    this.#changed(link.group);
  }

  remove(link: HostLink): void {
    if (this.#links.delete(link)) this.#changed(link.group);
  }

  /** The host takes nothing new. */
  drain(link: HostLink): void {
    link.draining = true;
    this.#changed(link.group);
  }

  retire(targets: readonly VersionTarget[]): void {
    for (const link of this.#links) {
      for (const target of targets) link.retire(target);
    }
  }

  /**
   * @param avoid  where the invocation failed before: taken only when there is no other
   * @returns undefined when no host of the group takes invocations
   */
  choose(gate: FunctionGate, avoid: HostLink | null, group: HostGroup = 'default'): HostLink | undefined {
    const { links: open, generation } = this.#open.get(group) ?? NONE;
    if (open.length <= 1) {
      const only = open[0];
      return only !== undefined && only.inFlight < MAX_PER_HOST ? only : undefined;
    }
    if (gate.homeGeneration !== generation) {
      gate.home = preferred(gate.name, open, 1)[0];
      gate.homeGeneration = generation;
    }
    let home = gate.home as HostLink;
    let least: HostLink | undefined;
    for (const link of open) {
      if (link !== avoid && (least === undefined || link.aheadUs < least.aheadUs)) least = link;
    }
    if (least === undefined) return undefined;
    if (home === avoid) home = least;
    const chosen = home.aheadUs - least.aheadUs > SPILL_GAP_US ? least : home;
    return chosen.inFlight < MAX_PER_HOST ? chosen : least.inFlight < MAX_PER_HOST ? least : undefined;
  }

  #changed(group: HostGroup): void {
    this.#generation += 1;
    const links = [...this.#links].filter((link) => link.group === group && !link.draining);
    if (links.length === 0) this.#open.delete(group);
    else this.#open.set(group, { links, generation: this.#generation });
  }
}
