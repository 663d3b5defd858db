// What traffic rules and stickiness may look at, read from the request only when a rule asks.
import type { RequestFacts } from '../core/routing/index.ts';
import type { ClientRequest } from './uws.ts';

/** A cookie's value (RFC 6265 section 4.2.1: pairs parted by `; `); undefined when it is not there. */
export function cookieValue(header: string, name: string): string | undefined {
  for (const part of header.split(';')) {
    const equals = part.indexOf('=');
    if (equals < 0 || part.slice(0, equals).trim() !== name) continue;
    const value = part.slice(equals + 1).trim();
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
    return new URLSearchParams(this.#query).get(name) ?? undefined;
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
