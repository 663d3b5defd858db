// Evens out hosts of a group that are unequally busy: moves versions from the busiest to the idlest, and spreads those that are too hot to move.
import { CALM_MS } from './homes.ts';
import type { Homes } from './homes.ts';
import type { HostLink } from './host-link.ts';
import type { VersionPlace } from './version-place.ts';

/** Shares of the time that a host's loop is busy: the busiest host must reach the first, and be above the idlest by the second. */
export const BUSY = 0.7;
export const BUSY_GAP = 0.25;
/** Ticks in a row that show it: one may be a burst. */
export const TICKS = 3;
/** Each change costs a cold start. */
const MAX_CHANGES = 8;

export class Balancer {
  readonly #homes: Homes;
  #ticks = 0;

  constructor(homes: Homes) {
    this.#homes = homes;
  }

  /** @param window  number of the present window of time: demands are taken from the one before */
  tick(links: readonly HostLink[], window: number, nowMs: number): void {
    let busiest = links[0];
    let idlest = links[0];
    for (const link of links) {
      if (busiest === undefined || link.load.busy > busiest.load.busy) busiest = link;
      if (idlest === undefined || link.load.busy < idlest.load.busy) idlest = link;
    }
    if (busiest === undefined || idlest === undefined) return;
    const gap = busiest.load.busy - idlest.load.busy;
    if (busiest.load.busy < BUSY || gap < BUSY_GAP) {
      this.#ticks = 0;
      return;
    }
    this.#ticks += 1;
    if (this.#ticks < TICKS) return;
    this.#ticks = 0;
    this.#even(busiest, idlest, gap / 2 / busiest.load.busy, window, nowMs);
  }

  /** @param share  of the work of `from` that should go to `to` */
  #even(from: HostLink, to: HostLink, share: number, window: number, nowMs: number): void {
    const here: { readonly place: VersionPlace; readonly us: number }[] = [];
    let sum = 0;
    for (const { place } of from.targets()) {
      if (!place.homes.includes(from)) continue;
      const us = place.recentUs(window) / place.homes.length;
      sum += us;
      if (us > 0 && nowMs - place.changedAtMs >= CALM_MS && !place.homes.includes(to)) here.push({ place, us });
    }
    const goal = share * sum;
    let left = goal;
    let changes = 0;
    for (const { place, us } of here.toSorted((a, b) => b.us - a.us)) {
      if (left <= 0 || changes >= MAX_CHANGES) return;
      if (us > goal) {
        // Moving it would only carry the load over: it shares its work instead.
        this.#homes.add(place, to, nowMs);
        left -= us / 2;
      } else if (us <= 2 * left) {
        this.#homes.move(place, from, to, nowMs);
        left -= us;
      } else {
        // The hosts would be less equal than they are: a smaller one may fit.
        continue;
      }
      changes += 1;
    }
  }
}
