// What traffic rules and stickiness may look at, read from the request only when a rule asks.
import type { RequestFacts } from '../core/routing/index.ts';
import type { ClientRequest } from './uws.ts';

/** Cookies and parameters that are looked at, the first ones: more are no browser's and no form's, and a head may hold thousands. */
const MAX_PAIRS = 256;

/** The first `MAX_PAIRS` parts between separators. */
function firstParts(text: string, separator: string): string {
  let end = -1;
  for (let n = 0; n < MAX_PAIRS; n++) {
    end = text.indexOf(separator, end + 1);
    if (end < 0) return text;
  }
  return text.slice(0, end);
}

/** Values by name (RFC 6265 section 4.2.1: pairs parted by `; `); the first of a name counts. */
export function cookiesOf(header: string): Map<string, string> {
  const cookies = new Map<string, string>();
  for (const part of firstParts(header, ';').split(';')) {
    const equals = part.indexOf('=');
    if (equals < 0) continue;
    const name = part.slice(0, equals).trim();
    if (cookies.has(name)) continue;
    const value = part.slice(equals + 1).trim();
    cookies.set(name, value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value);
  }
  return cookies;
}

/** Values by name (WHATWG URL, application/x-www-form-urlencoded); the first of a name counts. */
export function parametersOf(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(firstParts(query, '&'))) if (!parameters.has(name)) parameters.set(name, value);
  return parameters;
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
  // Parsed once: a hundred rules may ask.
  #cookies: Map<string, string> | undefined;
  #parameters: Map<string, string> | undefined;

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
    return (this.#cookies ??= cookiesOf(this.#request.getHeader('cookie'))).get(name);
  }

  query(name: string): string | undefined {
    return (this.#parameters ??= parametersOf(this.#query)).get(name);
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
