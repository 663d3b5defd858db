// Which isolates hosts are asked to have ready: those of functions with keepWarm, and for a while those of versions that are about to get traffic.
import type { Logger } from '../core/log/index.ts';
import type { Target } from '../core/protocol/index.ts';
import type { RouteDelta, RouteFunction } from '../core/routing/index.ts';
import { targetOf } from './route.ts';
import { Suspects, WarmLine } from './warm-line.ts';
import type { Hold, WarmHost } from './warm-line.ts';

/** How long a change of routes waits for its versions to be ready, milliseconds. */
export const SWITCH_MS = 150;
/** How long a version that has begun to get traffic is kept warm on top of what its calls do. */
const PRE_WARM_MS = 60_000;
/** Versions that are kept warm for this reason at the same time: a deploy of hundreds of functions must not push out what is in use. */
export const MAX_PRE_WARM = 32;
/** A change of more functions is no deploy: the gateway was away for a while. */
const MAX_CHANGED = 4;
const REVIEW_MS = 5_000;
/** Isolates that one host keeps warm. */
export const MAX_PER_HOST = 1_000;

export interface WarmKeeperOptions<H extends WarmHost> {
  /** The hosts where invocations of the version may run now, the preferred ones first. */
  readonly homes: (fn: RouteFunction, version: number) => readonly H[];
  /** The function as it is now. */
  readonly present: (name: string) => RouteFunction | undefined;
  /** false: nothing is started before it is called. */
  readonly preWarm: boolean;
  readonly logger: Logger;
}

/** A version that traffic reaches, as hosts know it. */
interface LiveVersion {
  readonly target: Target;
  readonly key: string;
}

interface PreWarmed {
  readonly hold: Hold;
  readonly line: WarmLine;
  readonly timer: NodeJS.Timeout;
}

export class WarmKeeper<H extends WarmHost> {
  readonly #options: WarmKeeperOptions<H>;
  readonly #suspects = new Suspects();
  readonly #lines = new Map<H, WarmLine>();
  /** Functions with keepWarm, and what is held for each: by host and key. */
  readonly #kept = new Map<string, Map<string, { readonly line: WarmLine; readonly hold: Hold }>>();
  readonly #preWarmed = new Map<string, PreWarmed>();
  #reviewedMs = 0;

  constructor(options: WarmKeeperOptions<H>) {
    this.#options = options;
  }

  /** Versions that are kept warm because traffic has just turned to them. */
  get preWarmed(): number {
    return this.#preWarmed.size;
  }

  hostOpened(host: H): void {
    this.#lines.set(host, new WarmLine(host, this.#suspects));
    this.#reviewAll();
  }

  /** @param died  it did not say goaway */
  hostClosed(host: H, died: boolean): void {
    const line = this.#lines.get(host);
    this.#lines.delete(host);
    line?.close(died);
    for (const [key, one] of this.#preWarmed) if (one.line === line) this.#release(key);
    this.#reviewAll();
  }

  /** It takes nothing new: what it kept is kept elsewhere. */
  hostDrains(): void {
    this.#reviewAll();
  }

  /** Homes of versions move when hosts are busy. */
  tick(nowMs: number): void {
    if (nowMs - this.#reviewedMs < REVIEW_MS) return;
    this.#reviewedMs = nowMs;
    this.#reviewAll();
  }

  answered(host: H, number: number, isolates: number): void {
    this.#lines.get(host)?.answered(number, isolates);
  }

  /** A whole table has come. */
  tableReplaced(functions: Iterable<RouteFunction>): void {
    const kept = new Set<string>();
    for (const fn of functions) {
      if (fn.keepWarm === 0) continue;
      kept.add(fn.name);
      this.#review(fn);
    }
    for (const name of this.#kept.keys()) if (!kept.has(name)) this.#drop(name);
  }

  /** A delta has been applied. */
  changed(delta: RouteDelta): void {
    for (const fn of delta.upsert) {
      if (fn.keepWarm > 0) this.#review(fn);
      else this.#drop(fn.name);
      if (this.#preWarmed.size > 0) this.#releaseAllBut(fn.name, new Set(liveVersions(fn).map(({ key }) => key)));
    }
    for (const name of delta.remove) {
      this.#drop(name);
      this.#releaseAllBut(name, new Set());
    }
  }

  /**
   * Before a delta is applied: has the versions that it turns traffic to started where their calls will go.
   *
   * @returns resolves when they are ready, at the latest after SWITCH_MS; undefined when there is nothing to wait for
   */
  prepare(delta: RouteDelta): Promise<void> | undefined {
    if (!this.#options.preWarm || delta.upsert.length > MAX_CHANGED) return undefined;
    const starts: Promise<void>[] = [];
    for (const fn of delta.upsert) {
      const former = this.#options.present(fn.name);
      const known = new Set(former === undefined ? [] : liveVersions(former).map(({ key }) => key));
      for (const version of liveVersions(fn)) {
        const start = known.has(version.key) ? undefined : this.#preWarm(fn, version);
        if (start !== undefined) starts.push(start);
      }
    }
    if (starts.length === 0) return undefined;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#options.logger.info({ functions: delta.upsert.map(({ name }) => name), withinMs: SWITCH_MS }, 'traffic turns to a version that is not warm yet');
        resolve();
      }, SWITCH_MS);
      void Promise.all(starts).then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  close(): void {
    for (const { timer } of this.#preWarmed.values()) clearTimeout(timer);
    this.#preWarmed.clear();
    for (const line of this.#lines.values()) line.close(false);
  }

  #preWarm(fn: RouteFunction, { target, key }: LiveVersion): Promise<void> | undefined {
    const [home] = this.#options.homes(fn, target.version);
    const line = home === undefined ? undefined : this.#lines.get(home);
    if (line === undefined || this.#preWarmed.has(key) || this.#preWarmed.size >= MAX_PRE_WARM) return undefined;
    return new Promise((resolve) => {
      const hold: Hold = {
        target, key,
        onAnswer: (alive) => {
          // One that can't be started says so to its first caller.
          if (!alive) this.#release(key);
          resolve();
        },
      };
      const timer = setTimeout(() => this.#release(key), PRE_WARM_MS);
      timer.unref();
      this.#preWarmed.set(key, { hold, line, timer });
      line.add(hold, true);
    });
  }

  /** What the function was before its change is kept nowhere: with another tier, it must not even stay in the memory of hosts. */
  #releaseAllBut(name: string, live: ReadonlySet<string>): void {
    for (const [key, { hold }] of this.#preWarmed) if (hold.target.function === name && !live.has(key)) this.#release(key);
  }

  #release(key: string): void {
    const one = this.#preWarmed.get(key);
    if (one === undefined) return;
    this.#preWarmed.delete(key);
    clearTimeout(one.timer);
    one.line.remove(one.hold);
  }

  #reviewAll(): void {
    for (const name of this.#kept.keys()) {
      const fn = this.#options.present(name);
      if (fn !== undefined) this.#review(fn);
    }
  }

  /** Asks for what is missing, and lets go of what is too much. */
  #review(fn: RouteFunction): void {
    const held = this.#kept.get(fn.name) ?? new Map<string, { readonly line: WarmLine; readonly hold: Hold }>();
    this.#kept.set(fn.name, held);
    const wanted = new Map<string, { readonly line: WarmLine; readonly version: LiveVersion }>();
    for (const version of liveVersions(fn)) {
      for (const host of this.#options.homes(fn, version.target.version).slice(0, fn.keepWarm)) {
        const line = this.#lines.get(host);
        if (line !== undefined) wanted.set(`${host.name} ${version.key}`, { line, version });
      }
    }
    for (const [place, one] of held) {
      if (wanted.get(place)?.line === one.line) continue;
      held.delete(place);
      one.line.remove(one.hold);
    }
    for (const [place, { line, version }] of wanted) {
      if (held.has(place) || line.size >= MAX_PER_HOST) continue;
      const { target, key } = version;
      // A version that can't be started now is tried again by its host, now and then, as long as it is held.
      const hold: Hold = { target, key, onAnswer: () => {} };
      held.set(place, { line, hold });
      line.add(hold, false);
    }
  }

  #drop(name: string): void {
    const held = this.#kept.get(name);
    if (held === undefined) return;
    this.#kept.delete(name);
    for (const { line, hold } of held.values()) line.remove(hold);
  }
}

/** The versions that some request may get, as hosts know them. */
function liveVersions(fn: RouteFunction): LiveVersion[] {
  // To start a module is to run its code, and none of a function that is switched off runs.
  if (fn.killed === true) return [];
  const versions = new Set<number>();
  if (fn.forced !== undefined) {
    versions.add(fn.forced);
  } else {
    for (const { version, weight } of fn.traffic?.split ?? []) if (weight > 0) versions.add(version);
    for (const { version } of fn.traffic?.rules ?? []) versions.add(version);
  }
  return [...versions].flatMap((version) => {
    const digest = fn.versions[version];
    if (digest === undefined) return [];
    const target = targetOf(fn, version, digest);
    return [{ target, key: JSON.stringify(target) }];
  });
}
