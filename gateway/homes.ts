// The hosts that keep each version warm: one as a rule, more for a version that needs more, and how many change at a time.
import type { HostLink } from './host-link.ts';
import { preference } from './rendezvous.ts';
import type { VersionPlace } from './version-place.ts';

/** A home that was not needed for so long is given up, and none changes again sooner after a change that balances load; milliseconds. */
export const CALM_MS = 10_000;
/** Versions that go back to a host that has just come, at each tick: it is empty, and each of them costs it a cold start. */
export const RETURNS_PER_TICK = 16;


export class Homes {
  /** Changes so far: a version got another home, gave one up, exchanged one for another. */
  readonly counts = { spread: 0, shrink: 0, move: 0 };
  /** Versions with more than one. */
  readonly #spread = new Set<VersionPlace>();
  /** Versions whose place by hashing came while they were warm elsewhere. */
  readonly #astray = new Map<VersionPlace, HostLink>();

  /** Versions with more than one home. */
  get spread(): number {
    return this.#spread.size;
  }

  /**
   * Looks at a version's homes anew: it has none, or hosts of its group came or went, or its group changed. What stays open stays its home, where
   * its isolates are warm; elsewhere it is forgotten.
   *
   * @param open  the hosts of its group, at least one
   * @param all  every host there is
   */
  settle(place: VersionPlace, open: readonly HostLink[], all: ReadonlySet<HostLink>): void {
    const natural = homeOf(place.function, open);
    const kept = place.homes.filter((link) => open.includes(link));
    place.homes = kept.length === 0 ? [natural] : kept;
    place.dirty = true;
    if (place.homes[0] === natural) this.#astray.delete(place);
    else this.#astray.set(place, natural);
    if (kept.length < 2) this.#spread.delete(place);
    if (place.target === undefined) return;
    for (const link of all) if (!place.homes.includes(link)) link.drop(place.target);
  }

  add(place: VersionPlace, link: HostLink, nowMs: number): void {
    place.homes = [...place.homes, link];
    this.#changed(place, nowMs);
    this.#spread.add(place);
    this.counts.spread += 1;
  }

  /** Its other homes stay. */
  move(place: VersionPlace, from: HostLink, to: HostLink, nowMs: number): void {
    // It may be at home there already.
    place.homes = [...new Set(place.homes.map((link) => (link === from ? to : link)))];
    if (place.homes.length === 1) this.#spread.delete(place);
    this.#changed(place, nowMs);
    this.counts.move += 1;
    if (place.target !== undefined) from.drop(place.target);
  }

  tick(nowMs: number): void {
    for (const place of this.#spread) {
      if (nowMs - Math.max(place.neededAtMs, place.changedAtMs) >= CALM_MS) this.#shrink(place, nowMs);
    }
    let left = RETURNS_PER_TICK;
    for (const [place, natural] of this.#astray) {
      if (left === 0) break;
      this.#astray.delete(place);
      const first = place.homes[0];
      if (natural.draining || first === undefined || first === natural || first.group !== natural.group) continue;
      this.move(place, first, natural, nowMs);
      left -= 1;
    }
  }

  /** The version is gone. */
  forget(place: VersionPlace): void {
    this.#spread.delete(place);
    this.#astray.delete(place);
  }

  #shrink(place: VersionPlace, nowMs: number): void {
    const last = place.homes.at(-1);
    if (last === undefined || place.homes.length === 1) return;
    place.homes = place.homes.slice(0, -1);
    if (place.homes.length === 1) this.#spread.delete(place);
    this.#changed(place, nowMs);
    this.counts.shrink += 1;
    if (place.target !== undefined) last.drop(place.target);
  }

  #changed(place: VersionPlace, nowMs: number): void {
    place.changedAtMs = nowMs;
    place.dirty = true;
  }
}

function homeOf(name: string, open: readonly HostLink[]): HostLink {
  let best = open[0] as HostLink;
  let bestPlace = -1;
  for (const link of open) {
    const place = preference(link, name);
    if (place > bestPlace) {
      best = link;
      bestPlace = place;
    }
  }
  return best;
}
