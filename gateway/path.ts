// Request paths as functions and triggers see them: dot segments resolved, everything else as WHATWG URL writes it.

/** Characters that WHATWG URL keeps in a path as they are, without `.` and `%`, which may be part of a dot segment. 1: plain, 0: look closer. */
const PLAIN = new Uint8Array(128);
for (const c of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~!$&'()*+,;=:@/") PLAIN[c.charCodeAt(0)] = 1;
const DOT = 0x2e;
const SLASH = 0x2f;

// eslint-disable-next-line no-control-regex -- what may not be in a request target at all (RFC 3986 section 2); U+FFFD stands for bytes that were not UTF-8
const REFUSED = /[\u0000-\u0020\u007f#\ufffd]/;

/**
 * The path in normal form (WHATWG URL, special schemes): `.`, `..`, `%2e` segments resolved, backslashes as slashes, non-ASCII percent-encoded.
 *
 * @returns undefined when it is no path: it does not start with `/`, or holds white space, control characters or `#`
 */
export function normalizePath(path: string): string | undefined {
  if (path.charCodeAt(0) !== SLASH) return undefined;
  for (let i = 1; i < path.length; i++) {
    const c = path.charCodeAt(i);
    if (c < 128 && PLAIN[c] === 1) continue;
    // A dot inside a name, as in `app.js`, is no dot segment.
    if (c === DOT && path.charCodeAt(i - 1) !== SLASH && path.charCodeAt(i - 1) !== DOT) continue;
    return REFUSED.test(path) ? undefined : new URL(`http://h${path}`).pathname;
  }
  return path;
}

// eslint-disable-next-line no-control-regex -- see REFUSED; quotes and angle brackets are what WHATWG URL encodes in a query
const UNUSUAL_QUERY = /[^\u0021\u0024-\u0026\u0028-\u003b\u003d\u003f-\u007e]/;

/** The query in normal form, without `?`; undefined when it holds white space, control characters or `#`. */
export function normalizeQuery(query: string): string | undefined {
  if (!UNUSUAL_QUERY.test(query)) return query;
  return REFUSED.test(query) ? undefined : new URL(`http://h/?${query}`).search.slice(1);
}
