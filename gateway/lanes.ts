// Feeds the lanes of versions with what hosts report, says and counts each change.
import type { Logger } from '../core/log/index.ts';
import { LONG_ENTRY_US } from '../core/protocol/index.ts';
import type { EntriesRow } from '../core/protocol/index.ts';
import type { VersionTarget } from './route.ts';
import type { VersionPlace } from './version-place.ts';

export class Lanes {
  readonly #logger: Logger;
  /** Changes so far, by where they led. */
  readonly counts = { slow: 0, fast: 0 };
  readonly #slow = new Set<VersionPlace>();
  /** Called when a version has got onto the slow lane: its hosts are wanted. */
  onSlow: ((target: VersionTarget) => void) | undefined;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Versions on the slow lane. */
  get slow(): number {
    return this.#slow.size;
  }

  /** The version is gone. */
  forget(place: VersionPlace): void {
    this.#slow.delete(place);
  }

  /** A host's word about the entries of a version. */
  entries(target: VersionTarget, [, entries, long, maxUs]: EntriesRow): void {
    const nowMs = performance.now();
    // Only the longest one is known exactly: the others are taken for the middle between it and the shortest that counts as long.
    if (long > 0) this.#long(target, nowMs, long, maxUs + ((long - 1) * (maxUs + LONG_ENTRY_US)) / 2, maxUs);
    this.#short(target, nowMs, entries - long);
  }

  /**
   * An invocation of a version on the slow lane has ended. With so little CPU time it had no long entry, wherever it ran: default hosts do not report
   * versions without long entries, and one must find its way back also when no slow host comes up.
   */
  ended(target: VersionTarget, cpuUs: number): void {
    if (cpuUs <= LONG_ENTRY_US) this.#short(target, performance.now(), 1);
  }

  /**
   * An isolate was killed for its CPU time: few entries are as long, and the next report of its host may be a quarter of a second
   * away. That one counts it again: two kills are enough.
   *
   * @param params  `used`: milliseconds. The start-up of a module is in no invocation's CPU time, but holds the host as well
   */
  killed(target: VersionTarget, cpuUs: number, params: Readonly<Record<string, unknown>> | null): void {
    const used = params?.['used'];
    const us = Math.max(cpuUs, typeof used === 'number' && Number.isFinite(used) ? used * 1_000 : 0);
    this.#long(target, performance.now(), 1, us, us);
  }

  #long(target: VersionTarget, nowMs: number, entries: number, us: number, maxUs: number): void {
    const { lane } = target.place;
    if (!lane.long(nowMs, entries, us, maxUs)) return;
    this.#changed(target, 'slow', { ...lane.figures, returnAfterMs: lane.returnMs });
    this.onSlow?.(target);
  }

  #short(target: VersionTarget, nowMs: number, entries: number): void {
    const { lane } = target.place;
    if (lane.short(nowMs, entries)) this.#changed(target, 'fast', { calmForMs: lane.returnMs });
  }

  #changed(target: VersionTarget, lane: 'slow' | 'fast', figures: Readonly<Record<string, number>>): void {
    const { function: name, version, wasm } = target.frame;
    // A version with WebAssembly stays on hosts of that group whatever its entries are.
    if (wasm) return;
    target.place.dirty = true;
    this.counts[lane] += 1;
    if (lane === 'slow') this.#slow.add(target.place);
    else this.#slow.delete(target.place);
    this.#logger.info({ function: name, version, lane, ...figures, cpuMs: Math.round(target.place.meanCpuUs) / 1_000 }, 'a version changes its lane');
  }
}
