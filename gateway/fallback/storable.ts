// Which answers may be kept as the last good one, and for how long: the rules of HTTP caches (RFC 9111) for one that is shared and serves stale answers.
import { fieldValue, fieldsOfRequest } from './head-fields.ts';

/** Complete answers of success: 206 is a part, 205 tells the client to do something. */
const GOOD: ReadonlySet<number> = new Set([200, 203, 204]);

/** Answers after which what was good before must not be given out any more: it is gone, or this caller may not see it. */
const REVOKING: ReadonlySet<number> = new Set([401, 403, 404, 410, 451]);

/** Whether an answer of this status says what the last good one is from now on. Others leave it as it is. */
export function decides(status: number): boolean {
  return GOOD.has(status) || REVOKING.has(status);
}

/** Directives under which nothing is kept, or nothing is given out without asking (sections 5.2.2.4, 5.2.2.5, 5.2.2.7). With arguments too: they name fields, and the whole answer is meant then. */
const FORBIDDEN = ['no-store', 'private', 'no-cache'] as const;
/** Directives that forbid stale answers (section 4.2.4). */
const NOT_STALE = ['must-revalidate', 'proxy-revalidate', 's-maxage'] as const;

/** The directives of a Cache-Control field by lower-case name, with their arguments; quoted ones without their quotes. */
export function cacheDirectives(value: string): Map<string, string> {
  const directives = new Map<string, string>();
  // A comma within quotes is part of an argument.
  for (const [, name = '', quoted, plain = ''] of value.matchAll(/([^\s=,;"]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/g)) directives.set(name.toLowerCase(), quoted ?? plain);
  return directives;
}

export interface Storable {
  /** Not to be given out when it is older, milliseconds; Infinity: as long as the function's settings say. */
  readonly usableMs: number;
  /** Request fields that the answer depends on, in lower case. */
  readonly vary: readonly string[];
}

/** Whether the request is one whose answer is kept, or that a kept answer may stand in for: a plain GET. @param hasBody  of the request */
export function isPlainGet(method: string, head: string, hasBody: boolean): boolean {
  return method === 'GET' && !hasBody && isForWhole(head) && !cacheDirectives(fieldValue(head, fieldsOfRequest(head), 'cache-control')).has('no-store');
}

/** Whether the whole representation is asked for. */
export function isForWhole(head: string): boolean {
  return fieldValue(head, fieldsOfRequest(head), 'range') === '';
}

/** @param head  of the function's answer: names and values in turn @returns undefined when the answer must not be kept */
export function storable(status: number, head: string): Storable | undefined {
  if (!GOOD.has(status)) return undefined;
  if (fieldValue(head, 0, 'set-cookie') !== '') return undefined;
  const vary = fieldValue(head, 0, 'vary').toLowerCase().split(',').map((name) => name.trim()).filter((name) => name !== '');
  if (vary.includes('*')) return undefined;
  // What was encoded for one client may be unreadable for the next, whether or not the function says so.
  if (fieldValue(head, 0, 'content-encoding') !== '' && !vary.includes('accept-encoding')) vary.push('accept-encoding');
  const usableMs = usable(cacheDirectives(fieldValue(head, 0, 'cache-control')));
  return usableMs === undefined ? undefined : { usableMs, vary };
}

function usable(directives: ReadonlyMap<string, string>): number | undefined {
  if (FORBIDDEN.some((name) => directives.has(name))) return undefined;
  const freshS = seconds(directives.get('s-maxage')) ?? seconds(directives.get('max-age')) ?? 0;
  if (NOT_STALE.some((name) => directives.has(name))) return freshS === 0 ? undefined : freshS * 1_000;
  // RFC 5861 section 4: how long the function itself wants to be stood in for.
  const staleS = seconds(directives.get('stale-if-error'));
  return staleS === undefined ? Number.POSITIVE_INFINITY : (freshS + staleS) * 1_000;
}

/** delta-seconds (section 1.2.2): what is too large counts as 2^31; what is no number, as stale. */
function seconds(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  return /^\d+$/.test(value) ? Math.min(Number(value), 2 ** 31) : 0;
}
