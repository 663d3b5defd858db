// The hosts that are connected, and which one gets an invocation.
import { hashToUnit } from '../core/routing/index.ts';
import type { FunctionGate } from './function-gate.ts';
import { MAX_PER_HOST } from './host-link.ts';
import type { HostLink } from './host-link.ts';
import type { VersionTarget } from './route.ts';

/**
 * A function stays on its home host, where its isolate is warm and frames come in large batches, until that has so much more CPU time ahead
 * of it than the least loaded one, microseconds. Counting invocations instead would spread cheap ones, which costs throughput, and hold
 * together long ones, which costs latency.
 */
const SPILL_GAP_US = 5_000;

export class Hosts {
  readonly #links = new Set<HostLink>();
  /** Those that take new invocations. */
  #open: HostLink[] = [];
  #generation = 0;

  get openCount(): number {
    return this.#open.length;
  }

  get all(): ReadonlySet<HostLink> {
    return this.#links;
  }

  add(link: HostLink): void {
    this.#links.add(link);
    this.#changed();
  }

  remove(link: HostLink): void {
    if (this.#links.delete(link)) this.#changed();
  }

  /** The host takes nothing new. */
  drain(link: HostLink): void {
    link.draining = true;
    this.#changed();
  }

  retire(targets: readonly VersionTarget[]): void {
    for (const link of this.#links) {
      for (const target of targets) link.retire(target);
    }
  }

  /**
   * @param avoid  where the invocation failed before: taken only when there is no other
   * @returns undefined when no host takes invocations
   */
  choose(gate: FunctionGate, avoid: HostLink | null): HostLink | undefined {
    const open = this.#open;
    if (open.length <= 1) {
      const only = open[0];
      return only !== undefined && only.inFlight < MAX_PER_HOST ? only : undefined;
    }
    if (gate.homeGeneration !== this.#generation) {
      gate.home = this.#homeOf(gate.name);
      gate.homeGeneration = this.#generation;
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

  /** Rendezvous hashing (Thaler and Ravishankar, 1998): a host that comes or goes moves only its own share of the functions. */
  #homeOf(name: string): HostLink | undefined {
    let best: HostLink | undefined;
    let bestPlace = -1;
    for (const link of this.#open) {
      const place = hashToUnit(`${link.name}/${name}`);
      if (place > bestPlace) {
        best = link;
        bestPlace = place;
      }
    }
    return best;
  }

  #changed(): void {
    this.#open = [...this.#links].filter((link) => !link.draining);
    this.#generation += 1;
  }
}
