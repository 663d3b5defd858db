// Whether a response may be kept, and until when: what its Cache-Control, Expires, Set-Cookie and Vary say (RFC 9111, as Cloudflare's cache API reads it).

/** Name and value in turn, names in lower case. */
export type Fields = readonly string[];

/** All values of a field as one, or undefined. */
export function fieldOf(fields: Fields, name: string): string | undefined {
  let value: string | undefined;
  for (let i = 0; i + 1 < fields.length; i += 2) if (fields[i] === name) value = value === undefined ? fields[i + 1] : `${value}, ${fields[i + 1] ?? ''}`;
  return value;
}

const DIRECTIVE = /(?:^|,)[\t ]*([a-z-]+)(?:=(?:"([^"]*)"|([^\s,"]*)))?[\t ]*(?=,|$)/gi;

function directives(value: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [, name = '', quoted, token] of value.matchAll(DIRECTIVE)) if (!found.has(name.toLowerCase())) found.set(name.toLowerCase(), quoted ?? token ?? '');
  return found;
}

export interface Keeping {
  /** Milliseconds of `Date.now()`; Infinity: until it has to make room. */
  readonly expiresMs: number;
  /** The response's fields without those that must not be kept. */
  readonly fields: Fields;
}

/** Delta-seconds (RFC 9111 section 1.2.2); what is none has expired. */
function seconds(text: string): number {
  return /^\d+$/.test(text) ? Math.min(Number(text), 2 ** 31) : 0;
}

/**
 * `no-store`, `no-cache` and `private` are not kept, nor is a response with Set-Cookie, unless `private=Set-Cookie` takes that field off.
 * `s-maxage` goes before `max-age`, that before `Expires`; without any of them the response is kept as long as there is room.
 *
 * @param nowMs  `Date.now()`
 * @returns undefined when it must not be kept
 */
export function keeping(fields: Fields, nowMs: number): Keeping | undefined {
  const control = directives(fieldOf(fields, 'cache-control') ?? '');
  const withoutCookies = control.get('private')?.toLowerCase() === 'set-cookie';
  if (control.has('no-store') || control.has('no-cache') || (control.has('private') && !withoutCookies)) return undefined;
  if (fieldOf(fields, 'vary')?.split(',').some((name) => name.trim() === '*') === true) return undefined;
  const kept = withoutCookies ? fields.filter((_, i) => fields[i - (i % 2)] !== 'set-cookie') : fields;
  if (fieldOf(kept, 'set-cookie') !== undefined) return undefined;
  const age = control.get('s-maxage') ?? control.get('max-age');
  const expires = fieldOf(fields, 'expires');
  let expiresMs = Infinity;
  if (age !== undefined) expiresMs = nowMs + seconds(age) * 1_000;
  else if (expires !== undefined) expiresMs = Date.parse(expires) || 0;
  return expiresMs <= nowMs ? undefined : { expiresMs, fields: kept };
}
