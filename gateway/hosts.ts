// The hosts that are connected, by group, and which one gets an invocation.
import { kindOfGroup } from '../core/config/index.ts';
import type { HostGroup } from '../core/config/index.ts';
import { Balancer } from './balancer.ts';
import { Homes } from './homes.ts';
import { MAX_PER_HOST } from './host-link.ts';
import type { HostLink } from './host-link.ts';
import { byPreference } from './rendezvous.ts';
import type { VersionTarget } from './route.ts';
import type { VersionPlace } from './version-place.ts';

/**
 * A version stays on its first home, where its isolate is warm and frames come in large batches, until that has so much more CPU time ahead
 * of it than another of its homes, microseconds. Counting invocations instead would spread cheap ones, which costs throughput, and hold
 * together long ones, which costs latency.
 */
const SPILL_GAP_US = 5_000;
/**
 * It gets another home when all of its homes have so much more ahead of them than the least loaded host, and half of that is its own: what only
 * suffers from its neighbours would bring an isolate more for every one of hundreds of versions, and no time. The balancer helps those.
 */
const SPREAD_GAP_US = 20_000;

interface OpenHosts {
  readonly links: readonly HostLink[];
  /** Another number for every change of any group: a version that changes its group looks for a home anew. */
  readonly generation: number;
  readonly spreadGapUs: number;
  /** What must be a version's own of it, per home. */
  readonly spreadOwnUs: number;
  readonly balancer: Balancer;
}

export class Hosts {
  readonly homes = new Homes();
  readonly #links = new Set<HostLink>();
  /** Those that take new invocations. */
  readonly #open = new Map<HostGroup, OpenHosts>();
  #generation = 0;
  /** Number of the present window of time, from one tick to the next. */
  window = 0;
  #nowMs = 0;

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

  /** Invocations on hosts of the group, also on those that drain. */
  inFlight(group: HostGroup): number {
    let sum = 0;
    for (const link of this.#links) if (link.group === group) sum += link.inFlight;
    return sum;
  }

  /** Invocations that open hosts of the group ever got. */
  invoked(group: HostGroup): number {
    let sum = 0;
    for (const link of this.#open.get(group)?.links ?? []) sum += link.invoked;
    return sum;
  }

  /** The hosts of the group that take new invocations: first the homes of a version, then those that its function prefers. */
  preferred(fn: string, place: VersionPlace | undefined, group: HostGroup): readonly HostLink[] {
    const links = this.#open.get(group)?.links ?? [];
    const homes = (place?.homes ?? []).filter((link) => links.includes(link));
    return [...new Set([...homes, ...byPreference(links, fn)])];
  }

  get all(): ReadonlySet<HostLink> {
    return this.#links;
  }

  add(link: HostLink): void {
    this.#links.add(link);
    this.#changed(link.group);
  }

  remove(link: HostLink): void {
    if (!this.#links.delete(link)) return;
    link.forgetTargets();
    this.#changed(link.group);
  }

  /** The host takes nothing new. */
  drain(link: HostLink): void {
    link.draining = true;
    this.#changed(link.group);
  }

  retire(targets: readonly VersionTarget[]): void {
    for (const link of this.#links) {
      for (const target of targets) link.drop(target);
    }
  }

  /**
   * @param avoid  where the invocation failed before: taken only when there is no other
   * @returns undefined when no host of the group takes invocations
   */
  choose(place: VersionPlace, avoid: HostLink | null, group: HostGroup = 'default'): HostLink | undefined {
    const open = this.#open.get(group);
    if (open === undefined) return undefined;
    if (place.generation !== open.generation) {
      place.generation = open.generation;
      this.homes.settle(place, open.links, this.#links);
    }
    const home = place.homes[0] as HostLink;
    if (home.aheadUs <= SPILL_GAP_US && home !== avoid && home.inFlight < MAX_PER_HOST) return home;
    return this.#elsewhere(place, avoid, open);
  }

  /** Its first home is busy, or can not take it. */
  #elsewhere(place: VersionPlace, avoid: HostLink | null, open: OpenHosts): HostLink | undefined {
    const { homes } = place;
    const best = leastAhead(homes, avoid);
    if (homes.length < open.links.length) {
      const least = leastAhead(open.links, avoid);
      // None of its homes can take it at the moment: that needs no new one.
      if (best === undefined) return least ?? roomOn(avoid, open);
      if (least !== undefined && best.aheadUs - least.aheadUs > open.spreadGapUs && place.aheadUs >= open.spreadOwnUs * homes.length) {
        this.homes.add(place, least, this.#nowMs);
        return least;
      }
    }
    if (best === undefined) return roomOn(avoid, open);
    const first = homes[0] as HostLink;
    if (best === first) return first;
    if (first !== avoid && first.inFlight < MAX_PER_HOST && first.aheadUs - best.aheadUs <= SPILL_GAP_US) return first;
    place.neededAtMs = this.#nowMs;
    return best;
  }

  /** Meant for twice a second. */
  tick(nowMs: number): void {
    this.window += 1;
    this.#nowMs = nowMs;
    this.homes.tick(nowMs);
    for (const { links, balancer } of this.#open.values()) if (links.length > 1) balancer.tick(links, this.window, nowMs);
  }

  #changed(group: HostGroup): void {
    this.#generation += 1;
    const links = [...this.#links].filter((link) => link.group === group && !link.draining);
    if (links.length === 0) {
      this.#open.delete(group);
      return;
    }
    // Where every entry is long, waiting costs more than memory: the slow lane is balanced by what is ahead, whoever's it is.
    const isSlow = kindOfGroup(group) === 'slow';
    this.#open.set(group, {
      links, generation: this.#generation, spreadGapUs: isSlow ? SPILL_GAP_US : SPREAD_GAP_US, spreadOwnUs: isSlow ? 0 : SPREAD_GAP_US / 2,
      balancer: this.#open.get(group)?.balancer ?? new Balancer(this.homes),
    });
  }
}

function leastAhead(links: readonly HostLink[], avoid: HostLink | null): HostLink | undefined {
  let least: HostLink | undefined;
  for (const link of links) {
    if (link !== avoid && link.inFlight < MAX_PER_HOST && (least === undefined || link.aheadUs < least.aheadUs)) least = link;
  }
  return least;
}

function roomOn(link: HostLink | null, { links }: OpenHosts): HostLink | undefined {
  return link !== null && links.includes(link) && link.inFlight < MAX_PER_HOST ? link : undefined;
}
