// Header fields of a response: a function's, checked and filtered, or the gateway's own. One instance is filled and written at a time.
import { HOP_BY_HOP, isHeaderName, isHeaderValue } from '../core/http/index.ts';
import type { ClientResponse } from './uws.ts';

/** Fields that only the gateway may set: they frame the message, or say something about the node. */
const OWN = ['content-length', 'date', 'server', 'x-request-id', 'uwebsockets', 'http2-settings', 'expect'];

const MAX_NAMES = 4_096;

/** Names that were checked before, and whether they are passed on. */
const names = new Map<string, boolean>();

function remember(): void {
  names.clear();
  for (const name of [...HOP_BY_HOP, ...OWN]) names.set(name, false);
  for (const name of ['content-type', 'cache-control', 'set-cookie', 'etag', 'location', 'vary', 'content-encoding', 'last-modified']) names.set(name, true);
}
remember();

/** @returns whether the field is passed on, or undefined when the name is no token */
function passes(name: string): boolean | undefined {
  const known = names.get(name);
  if (known !== undefined) return known;
  if (!isHeaderName(name)) return undefined;
  const lower = name.toLowerCase();
  const pass = lower === name ? !name.startsWith('x-thimble-') : passes(lower);
  // Functions may make names up without end: the whole cache goes rather than grows.
  if (names.size >= MAX_NAMES) remember();
  if (pass !== undefined) names.set(name, pass);
  return pass;
}

// eslint-disable-next-line no-control-regex -- what ISO-8859-1 and UTF-8 write differently
const NOT_ASCII = /[^\u0000-\u007f]/;

export class ResponseFields {
  readonly #names: string[] = [];
  readonly #values: (string | Uint8Array)[] = [];
  #count = 0;

  clear(): this {
    this.#count = 0;
    return this;
  }

  /** A field of the gateway's own: name and value are known to be valid. */
  add(name: string, value: string): this {
    this.#names[this.#count] = name;
    this.#values[this.#count] = value;
    this.#count += 1;
    return this;
  }

  /**
   * Replaces the content with what a function answered, without what functions may not set.
   *
   * @param head  name and value in turn, parted by line feeds; '' for none
   * @returns '' or why it is no valid response (RFC 9110 section 5)
   */
  read(head: string): string {
    this.#count = 0;
    if (head === '') return '';
    for (let at = 0; at <= head.length; ) {
      const nameEnd = head.indexOf('\n', at);
      if (nameEnd < 0) return 'a header field without a value';
      const name = head.slice(at, nameEnd);
      const lineEnd = head.indexOf('\n', nameEnd + 1);
      const valueEnd = lineEnd < 0 ? head.length : lineEnd;
      const value = head.slice(nameEnd + 1, valueEnd);
      at = valueEnd + 1;
      const pass = passes(name);
      if (pass === undefined) return 'a header name is no token';
      if (!isHeaderValue(value)) return `the value of header ${name} holds control characters or is not ISO-8859-1`;
      if (!pass) continue;
      this.#names[this.#count] = name;
      // The listener writes strings as UTF-8; a field value is bytes.
      this.#values[this.#count] = NOT_ASCII.test(value) ? Buffer.from(value, 'latin1') : value;
      this.#count += 1;
    }
    return '';
  }

  writeTo(response: ClientResponse): void {
    for (let i = 0; i < this.#count; i++) response.writeHeader(this.#names[i] as string, this.#values[i] as string);
  }
}
