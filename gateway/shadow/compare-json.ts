// Whether two JSON texts say the same: the order of members does not count, what is exempt does not either, and what it may cost is bounded.
import { below, pointerTo } from './ignore-tree.ts';
import type { IgnoreNode } from './ignore-tree.ts';

/** Values that are looked at on each side, and how deep. Parsing is bounded by the size of the texts (answer-record.ts). */
export const MAX_VALUES = 50_000;
export const MAX_DEPTH = 64;
/** Differences of one pair that are reported; the rest only makes it different. */
export const MAX_REPORTED = 8;

/** A place in which both differ; undefined: not there. */
export type Report = (pointer: string, live: unknown, shadow: unknown, name: string) => void;

/** `too deep`, `too many`: no difference was found before the bound was met. */
export type JsonOutcome = 'equal' | 'different' | 'too deep' | 'too many';

type Members = Readonly<Record<string, unknown>>;

/** Values as JSON.parse makes them. Numbers are compared as JavaScript's: of 1 and 1.0 nothing differs, nor of integers that differ beyond 2^53. */
export function compareJson(live: unknown, shadow: unknown, ignore: IgnoreNode, report: Report): JsonOutcome {
  if (ignore.ends) return 'equal';
  const walk = new Walk(report);
  walk.values(live, shadow, '', '', [ignore], 0);
  return walk.found > 0 ? 'different' : (walk.bound ?? 'equal');
}

class Walk {
  readonly #report: Report;
  #left = MAX_VALUES;
  found = 0;
  bound: 'too deep' | 'too many' | undefined;

  constructor(report: Report) {
    this.#report = report;
  }

  values(live: unknown, shadow: unknown, pointer: string, name: string, nodes: readonly IgnoreNode[], depth: number): void {
    if (this.#over) return;
    if ((this.#left -= 1) < 0) {
      this.bound ??= 'too many';
      return;
    }
    if (live === shadow) return;
    if (Array.isArray(live) && Array.isArray(shadow)) this.#arrays(live, shadow, pointer, name, nodes, depth);
    else if (isMembers(live) && isMembers(shadow)) this.#members(live, shadow, pointer, nodes, depth);
    else this.#differs(pointer, live, shadow, name);
  }

  #arrays(live: readonly unknown[], shadow: readonly unknown[], pointer: string, name: string, nodes: readonly IgnoreNode[], depth: number): void {
    if (this.#tooDeep(depth)) return;
    const common = Math.min(live.length, shadow.length);
    for (let i = 0; i < common && !this.#over; i++) {
      const next = below(nodes, String(i));
      // The name of an array is that of its elements: a list of tokens holds tokens.
      if (next !== null) this.values(live[i], shadow[i], `${pointer}/${i}`, name, next, depth + 1);
    }
    const longer = live.length > shadow.length ? live : shadow;
    for (let i = common; i < longer.length && !this.#over; i++) {
      if ((this.#left -= 1) < 0) this.bound ??= 'too many';
      else if (below(nodes, String(i)) !== null) this.#differs(`${pointer}/${i}`, live[i], shadow[i], name);
    }
  }

  #members(live: Members, shadow: Members, pointer: string, nodes: readonly IgnoreNode[], depth: number): void {
    if (this.#tooDeep(depth)) return;
    for (const name in live) {
      if (this.#over) return;
      const next = below(nodes, name);
      if (next === null) this.#left -= 1;
      else if (Object.hasOwn(shadow, name)) this.values(live[name], shadow[name], pointerTo(pointer, name), name, next, depth + 1);
      else this.#differs(pointerTo(pointer, name), live[name], undefined, name);
    }
    for (const name in shadow) {
      if (this.#over) return;
      this.#left -= 1;
      if (!Object.hasOwn(live, name) && below(nodes, name) !== null) this.#differs(pointerTo(pointer, name), undefined, shadow[name], name);
    }
  }

  get #over(): boolean {
    if (this.#left < 0) this.bound ??= 'too many';
    return this.bound !== undefined || this.found >= MAX_REPORTED;
  }

  #tooDeep(depth: number): boolean {
    if (depth < MAX_DEPTH) return false;
    this.bound ??= 'too deep';
    return true;
  }

  #differs(pointer: string, live: unknown, shadow: unknown, name: string): void {
    this.found += 1;
    this.#report(pointer, live, shadow, name);
  }
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
