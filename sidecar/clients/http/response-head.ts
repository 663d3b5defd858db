// The head of a reply: status, final URL, `1` if redirected else `0`, then the response headers that may be passed on.
import { HOP_BY_HOP, isHeaderName, isHeaderValue } from '../../../core/http/index.ts';

/** A longer reason phrase, or one with control characters, is left out: nothing hangs on it (RFC 9110 section 15.1). */
const MAX_REASON_CHARACTERS = 256;

/** Headers as undici gives them: names in lower case, an array where a name came more than once. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The first value of a header; undefined when it is absent. */
export function firstValue(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' || value === undefined ? value : value[0];
}

/** All values of a list header (RFC 9110 section 5.3) as one. */
export function joinedValue(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' || value === undefined ? value : value.join(', ');
}

/** The URL as `response.url` shows it: without the fragment. */
export function shownUrl(url: URL): string {
  const { href } = url;
  const hash = href.indexOf('#');
  return hash < 0 ? href : href.slice(0, hash);
}

function nominated(connection: string): ReadonlySet<string> | undefined {
  if (connection === 'keep-alive' || connection === 'close') return undefined;
  return new Set(connection.toLowerCase().split(',').map((name) => name.trim()));
}

/**
 * @param decoded  the body is passed on without its content coding, so neither its name nor the coded length holds any more
 * @returns undefined when a name or value breaks the grammar of RFC 9110: the response is not to be trusted
 */
export function replyHead(status: number, url: string, redirected: boolean, headers: ResponseHeaders, decoded: boolean, reason = ''): string | undefined {
  let head = `${status}${reason === '' || reason.length > MAX_REASON_CHARACTERS || !isHeaderValue(reason) ? '' : ` ${reason}`}\n${url}\n${redirected ? '1' : '0'}`;
  const connection = joinedValue(headers['connection']);
  const also = connection === undefined ? undefined : nominated(connection);
  for (const name in headers) {
    if (HOP_BY_HOP.has(name) || also?.has(name) === true) continue;
    if (decoded && (name === 'content-encoding' || name === 'content-length')) continue;
    const value = headers[name];
    if (!isHeaderName(name)) return undefined;
    if (typeof value === 'string') {
      if (!isHeaderValue(value)) return undefined;
      head += `\n${name}\n${value}`;
    } else if (value !== undefined) {
      for (const each of value) {
        if (!isHeaderValue(each)) return undefined;
        head += `\n${name}\n${each}`;
      }
    }
  }
  return head;
}
