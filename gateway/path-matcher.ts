// One path pattern of a trigger: its literal beginning for the index, its specificity, and the match itself.
import { URLPattern } from 'urlpattern-polyfill';

/** How specific a segment is; smaller is more specific. */
const SEGMENT = { literal: 0, mixed: 1, parameter: 2, optional: 3, wildcard: 4 } as const;
/** Where a pattern has no further segment. */
const END_RANK = 2;

// Characters that have no meaning in pattern syntax and that URL writes as they are. A segment with `%` could be a dot segment.
const LITERAL = /^[A-Za-z0-9\-._~!$&',;=@]*$/;
const PARAMETER = /^:[A-Za-z_$][A-Za-z0-9_$]*$/;

function rankOf(segment: string): number {
  if (LITERAL.test(segment) && segment !== '.' && segment !== '..') return SEGMENT.literal;
  if (PARAMETER.test(segment)) return SEGMENT.parameter;
  if (segment === '*') return SEGMENT.wildcard;
  if (/[?*+]$/.test(segment)) return SEGMENT.optional;
  return SEGMENT.mixed;
}

export class PathMatcher {
  readonly pattern: string;
  /** Leading segments that are plain text: only paths that begin with them can match. */
  readonly literalPrefix: readonly string[];
  readonly #segments: readonly string[];
  readonly #ranks: readonly number[];
  /** Whether the pattern consists of literals, whole-segment parameters and at most a final `*`: no regular expression needed. */
  readonly #simple: boolean;
  #compiled: URLPattern | undefined;

  /** @param pattern  URLPattern syntax, starting with `/`, known to be valid */
  constructor(pattern: string) {
    this.pattern = pattern;
    this.#segments = pattern.slice(1).split('/');
    this.#ranks = this.#segments.map(rankOf);
    const firstOpen = this.#ranks.findIndex((rank) => rank !== SEGMENT.literal);
    this.literalPrefix = firstOpen < 0 ? this.#segments : this.#segments.slice(0, firstOpen);
    const last = this.#ranks.length - 1;
    this.#simple = this.#ranks.every((rank, i) => rank === SEGMENT.literal || rank === SEGMENT.parameter || (rank === SEGMENT.wildcard && i === last));
  }

  /** @param path  in normal form (path.ts) */
  matches(path: string): boolean {
    if (!this.#simple) {
      // Compiling a pattern costs far more than this: only once a path comes near it.
      this.#compiled ??= new URLPattern({ pathname: this.pattern });
      // The polyfill takes the beginning of `//x/y` for a host and matches `/y`: such a path is no match for it.
      return !path.startsWith('//') && this.#compiled.test({ pathname: path });
    }
    const segments = this.#segments;
    let at = 1;
    for (let i = 0; i < segments.length; i++) {
      const rank = this.#ranks[i];
      // `/a/*` takes `/a/` and all below, not `/a`: at is just behind a slash that was there.
      if (rank === SEGMENT.wildcard) return true;
      const slash = path.indexOf('/', at);
      const end = slash < 0 ? path.length : slash;
      if (rank === SEGMENT.parameter) {
        if (end === at) return false;
      } else {
        const literal = segments[i] as string;
        if (end - at !== literal.length || !path.startsWith(literal, at)) return false;
      }
      if (i === segments.length - 1) return slash < 0;
      if (slash < 0) return false;
      at = end + 1;
    }
    return false;
  }

  /** Order of trial: segment by segment the more specific first, then by text, so that it never depends on the order of deployment. */
  compare(other: PathMatcher): number {
    const n = Math.max(this.#ranks.length, other.#ranks.length);
    for (let i = 0; i < n; i++) {
      const difference = (this.#ranks[i] ?? END_RANK) - (other.#ranks[i] ?? END_RANK);
      if (difference !== 0) return difference;
    }
    if (this.#ranks.length !== other.#ranks.length) return other.#ranks.length - this.#ranks.length;
    return this.pattern < other.pattern ? -1 : this.pattern > other.pattern ? 1 : 0;
  }
}
