// Redirects as the fetch standard has them (HTTP-redirect fetch), pure: what the next hop is, or why there is none.

export const MAX_REDIRECTS = 20;

/** Gone when the body is gone: they describe it (fetch standard, "request-body-header name"). */
const BODY_HEADERS: ReadonlySet<string> = new Set(['content-encoding', 'content-language', 'content-location', 'content-type', 'content-length']);
/** Credentials are for the origin that the function named, and for no other. */
const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set(['authorization', 'cookie', 'cookie2', 'proxy-authorization']);

export interface Hop {
  readonly method: string;
  readonly url: URL;
  readonly headers: string[];
  /** Whether the body is sent again. */
  readonly keepsBody: boolean;
}

export interface RedirectFrom {
  readonly status: number;
  readonly location: string;
  readonly method: string;
  readonly url: URL;
  readonly headers: readonly string[];
  readonly hasBody: boolean;
  /** The body came as a stream and is used up. */
  readonly streamed: boolean;
  /** Redirects followed before this one. */
  readonly count: number;
}

export function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 303 || status === 307 || status === 308;
}

function without(headers: readonly string[], names: ReadonlySet<string>): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (!names.has(name)) kept.push(name, headers[i + 1] as string);
  }
  return kept;
}

/** @returns the next hop, unchecked by the egress policy; or the reason of an upstream_failed */
export function nextHop(from: RedirectFrom): Hop | 'too_many_redirects' | 'bad_redirect' | 'streamed_body_redirect' {
  if (from.count >= MAX_REDIRECTS) return 'too_many_redirects';
  const url = URL.parse(from.location, from.url.href);
  if (url === null) return 'bad_redirect';
  if (from.status !== 303 && from.streamed) return 'streamed_body_redirect';
  const { method, status } = from;
  const toGet = ((status === 301 || status === 302) && method === 'POST') || (status === 303 && method !== 'GET' && method !== 'HEAD');
  let headers = toGet ? without(from.headers, BODY_HEADERS) : [...from.headers];
  if (url.origin !== from.url.origin) headers = without(headers, CREDENTIAL_HEADERS);
  return { method: toGet ? 'GET' : method, url, headers, keepsBody: from.hasBody && !toGet };
}
