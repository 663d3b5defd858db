// One function as the gateway routes it: its settings, what its versions are to hosts, and what is counted across changes of both.
import type { Target } from '../core/protocol/index.ts';
import { Choice, onlyVersionOf } from '../core/routing/index.ts';
import type { RequestFacts, RouteFunction } from '../core/routing/index.ts';
import { FallbackPlan } from './fallback/plan.ts';
import type { FunctionGate } from './function-gate.ts';
import { shadowGroups, tierGroups } from './placement.ts';
import { SkewPin } from './skew-pin.ts';
import type { TierGroups } from './placement.ts';
import type { FigureCell } from './version-figures.ts';
import type { VersionPlace } from './version-place.ts';

/** What a `target` frame says of a version under the function's present settings. */
export function targetOf(fn: RouteFunction, version: number, digest: string, shadow = false): Target {
  return {
    function: fn.name, version, digest, tenant: fn.tenant, tier: fn.tier, debug: fn.debug, shape: fn.shape,
    cpuMs: fn.limits.cpuMs, memoryMb: fn.limits.memoryMb, subrequests: fn.limits.subrequests, wasm: fn.limits.wasm, secrets: fn.secrets, shadow,
  };
}

/** A version with the settings it runs under: what a `target` frame says. Compared by identity. */
export class VersionTarget {
  readonly frame: Target;
  /** The version as response headers say it. */
  readonly versionText: string;
  /** The hosts of its tier: placement.ts says which of them run it. */
  readonly groups: TierGroups;
  readonly place: VersionPlace;
  /** Its figures, found once instead of per request; of no use when the cell is dropped. */
  figures: FigureCell | undefined;
  readonly #key: string;
  /** Settings or version have changed since: named by no new invocation, forgotten by hosts after the last one under way. */
  retired = false;

  /** @param shadow  it repeats requests: hosts of that group run it, whatever else is known of it */
  constructor(fn: RouteFunction, version: number, digest: string, place: VersionPlace, shadow = false) {
    this.frame = targetOf(fn, version, digest, shadow);
    this.versionText = String(version);
    this.groups = shadow ? shadowGroups(fn.tier) : tierGroups(fn.tier);
    this.place = place;
    this.#key = JSON.stringify(this.frame);
  }

  /** Whether hosts would see no difference. */
  same(other: VersionTarget): boolean {
    return this.#key === other.#key;
  }
}

/** Immutable but for the targets, which are made when they are first needed. */
export class Route {
  readonly fn: RouteFunction;
  readonly gate: FunctionGate;
  /** The version that every request gets, forced or by traffic; 0: `choose` decides. */
  readonly onlyVersion: number;
  /** What answers in place of failures; null: nothing. */
  readonly fallback: FallbackPlan | null;
  /** What holds callers to the version that served them; null: nothing does. */
  readonly skew: SkewPin | null;
  /** Compiled for the first request that asks: most functions of a large table have one version, or no request. */
  #choice: Choice | undefined;
  readonly #targets = new Map<number, VersionTarget>();

  constructor(fn: RouteFunction, gate: FunctionGate) {
    this.fn = fn;
    this.gate = gate;
    this.fallback = fn.fallback === undefined ? null : new FallbackPlan(fn.fallback);
    this.onlyVersion = fn.forced ?? (fn.traffic === null ? 0 : onlyVersionOf(fn.traffic));
    this.skew = fn.skew === undefined ? null : new SkewPin(fn, fn.skew);
  }

  /** The version for a request: the forced one, else by rules and split; 0: none is live. */
  choose(facts: RequestFacts): number {
    if (this.onlyVersion !== 0) return this.onlyVersion;
    const { traffic, places = null, name } = this.fn;
    if (traffic === null) return 0;
    return (this.#choice ??= new Choice(traffic, places, name)).of(facts);
  }

  /** @returns undefined when the function has no such version */
  target(version: number): VersionTarget | undefined {
    const known = this.#targets.get(version);
    if (known !== undefined) return known;
    const digest = this.fn.versions[version];
    if (digest === undefined) return undefined;
    const place = this.gate.place(version);
    const target = new VersionTarget(this.fn, version, digest, place);
    place.target = target;
    this.#targets.set(version, target);
    return target;
  }

  /** Takes over the targets of the function's former state that are still the same, so that warm isolates stay. @returns the others, retired */
  inherit(former: Route): VersionTarget[] {
    const retired: VersionTarget[] = [];
    for (const [version, old] of former.#targets) {
      const now = this.target(version);
      if (now !== undefined && now.same(old)) {
        this.#targets.set(version, old);
        old.place.target = old;
      } else {
        if (now === undefined) this.gate.forget(version);
        else this.#targets.delete(version);
        old.retired = true;
        retired.push(old);
      }
    }
    return retired;
  }

  /** The function is gone. @returns its targets, retired */
  retireAll(): VersionTarget[] {
    const retired = [...this.#targets.values()];
    for (const target of retired) target.retired = true;
    return retired;
  }
}
