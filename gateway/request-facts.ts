// What traffic rules and stickiness may look at, read from the request only when a rule asks.
import type { RequestFacts } from '../core/routing/index.ts';
import type { ClientRequest } from './uws.ts';

/**
 * A cookie's value (RFC 6265 section 4.2.1: pairs parted by `; `, no space around `=`); undefined when it is not there. Looks for the name
 * instead of parting the header, which a client may fill with thousands of pairs.
 */
export function cookieValue(header: string, name: string): string | undefined {
  const wanted = `${name}=`;
  for (let at = header.indexOf(wanted); at >= 0; at = header.indexOf(wanted, at + 1)) {
    let before = at - 1;
    while (before >= 0 && (header.charCodeAt(before) === 0x20 || header.charCodeAt(before) === 0x09)) before -= 1;
    if (before >= 0 && header.charCodeAt(before) !== 0x3b) continue;
    const from = at + wanted.length;
    const end = header.indexOf(';', from);
    const value = header.slice(from, end < 0 ? undefined : end).trim();
    return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
  }
  return undefined;
}

/**
 * A claim of a bearer token's payload (RFC 7519), not verified: fit to spread users over versions, never to tell who somebody is.
 *
 * @returns undefined when there is no token of that form, or the claim is no string or number
 */
export function jwtClaim(authorization: string, claim: string): string | undefined {
  const payload = /^bearer +[^.\s]+\.([^.\s]+)\.[^.\s]*$/i.exec(authorization)?.[1];
  if (payload === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    if (typeof parsed !== 'object' || parsed === null || !Object.hasOwn(parsed, claim)) return undefined;
    const value = (parsed as Record<string, unknown>)[claim];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
  } catch {
    return undefined;
  }
}

/** Valid only while the request's handler runs. */
export class LazyFacts implements RequestFacts {
  readonly #request: ClientRequest;
  readonly #query: string;
  readonly #userFrom: string | null;
  /** Read once: rules, stickiness and the function all ask for it. */
  #userRead = false;
  #user: string | undefined;
  /** Parsed once: several rules may ask. */
  #parameters: URLSearchParams | undefined;

  /** @param userFrom  `header:NAME`, `cookie:NAME`, `jwt:CLAIM`, or null: no user */
  constructor(request: ClientRequest, query: string, userFrom: string | null) {
    this.#request = request;
    this.#query = query;
    this.#userFrom = userFrom;
  }

  header(name: string): string | undefined {
    return this.#request.getHeader(name) || undefined;
  }

  cookie(name: string): string | undefined {
    return cookieValue(this.#request.getHeader('cookie'), name);
  }

  query(name: string): string | undefined {
    if (this.#query === '') return undefined;
    return (this.#parameters ??= new URLSearchParams(this.#query)).get(name) ?? undefined;
  }

  user(): string | undefined {
    if (!this.#userRead) {
      this.#userRead = true;
      this.#user = this.#readUser();
    }
    return this.#user;
  }

  #readUser(): string | undefined {
    const from = this.#userFrom;
    if (from === null) return undefined;
    const name = from.slice(from.indexOf(':') + 1);
    if (from.startsWith('header:')) return this.header(name.toLowerCase());
    if (from.startsWith('cookie:')) return this.cookie(name);
    return jwtClaim(this.#request.getHeader('authorization'), name);
  }

  random(): number {
    return Math.random();
  }
}
