// URL and URLSearchParams (URL standard). Parsing is the host's, which is native and far faster; a common, already normal form is read here.
import { MAX_CROSSING, OP } from './abi.ts';
import { decodeUtf8, encodeUtf8 } from './encoding.guest.ts';
import { hostError, op } from './host.guest.ts';
import {
  ArrayPrototypeJoin, ArrayPrototypeSort, ArrayPrototypeSplice, NativeNumber, NativeString, NativeTypeError, RegExpPrototypeExec, StringPrototypeCharCodeAt, StringPrototypeIndexOf,
  StringPrototypeReplace, StringPrototypeSlice, StringPrototypeSplit, reflectApply, reflectGetOwnPropertyDescriptor, reflectOwnKeys,
} from './primordials.guest.ts';

/** href, protocol, username, password, host, hostname, port, pathname, search, hash, origin. */
const PART = { href: 0, protocol: 1, username: 2, password: 3, host: 4, hostname: 5, port: 6, pathname: 7, search: 8, hash: 9, origin: 10 } as const;

/**
 * http(s) URLs that parse to themselves: a lower-case host whose labels start with letters and have no "xn--", or a plain IPv4 address,
 * a port without leading zero, a path without dot segments or percent signs, a plain query. Whatever is outside this grammar goes to the host.
 */
const NORMAL = /^(https?):\/\/([a-z](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z](?:[a-z0-9-]*[a-z0-9])?)*|(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?=[0-9])|(?![.0-9]))){4})(?::([1-9][0-9]{0,4}))?((?:\/[A-Za-z0-9_~!$&()*+,;=:@-][A-Za-z0-9_~!$&()*+,;=:@.-]*)+\/?|\/)(\?[A-Za-z0-9_~!$&()*+,;=:@./?%-]+)?$/;

function parseParts(url: string, base: string | undefined): string[] | undefined {
  // No address of this size means anything to anyone; the standard sets no bound.
  if (url.length > MAX_CROSSING || (base !== undefined && base.length > MAX_CROSSING)) return undefined;
  if (base === undefined) {
    const m = RegExpPrototypeExec(NORMAL, url) as (string | undefined)[] | null;
    if (m !== null) {
      const [, scheme, hostname, port, pathname, search] = m as [string, string, string, string | undefined, string, string | undefined];
      const isDefault = port !== undefined && (scheme === 'http' ? port === '80' : port === '443');
      if (!isDefault && (port === undefined || NativeNumber(port) <= 65_535) && StringPrototypeIndexOf(hostname, 'xn--') < 0) {
        const host = port === undefined ? hostname : `${hostname}:${port}`;
        return [url, `${scheme}:`, '', '', host, hostname, port ?? '', pathname, search ?? '', '', `${scheme}://${host}`];
      }
    }
  }
  const parts = op(OP.url, url, base) as string;
  return parts === '' ? undefined : StringPrototypeSplit(parts, '\n');
}

const INTERNAL = Symbol('internal');

export class URL {
  #parts: string[];
  #query: URLSearchParams | null = null;

  constructor(url: unknown, base?: unknown) {
    if (arguments.length === 0) throw new NativeTypeError('URL needs an address');
    const text = NativeString(url);
    const parts = parseParts(text, base === undefined ? undefined : NativeString(base));
    if (parts === undefined) {
      throw hostError('ERR_INVALID_URL', 'Invalid URL');
    }
    this.#parts = parts;
  }

  static canParse(url: unknown, base?: unknown): boolean {
    return parseParts(NativeString(url), base === undefined ? undefined : NativeString(base)) !== undefined;
  }

  static parse(url: unknown, base?: unknown): URL | null {
    try {
      return new URL(url, base);
    } catch {
      return null;
    }
  }

  #part(index: number): string {
    return this.#parts[index] as string;
  }

  #set(name: string, value: unknown): void {
    const text = NativeString(value);
    if (text.length > MAX_CROSSING) throw new NativeTypeError('the value is too long for an address');
    const parts = op(OP.urlSet, this.#part(PART.href), name, text) as string;
    if (parts === '') {
      if (name === 'href') throw new NativeTypeError('Invalid URL');
      return;
    }
    this.#parts = StringPrototypeSplit(parts, '\n');
    if (this.#query !== null) replaceQuery(this.#query, this.#part(PART.search));
  }

  get href(): string { return this.#part(PART.href); }
  set href(v: string) { this.#set('href', v); }
  get origin(): string { return this.#part(PART.origin); }
  get protocol(): string { return this.#part(PART.protocol); }
  set protocol(v: string) { this.#set('protocol', v); }
  get username(): string { return this.#part(PART.username); }
  set username(v: string) { this.#set('username', v); }
  get password(): string { return this.#part(PART.password); }
  set password(v: string) { this.#set('password', v); }
  get host(): string { return this.#part(PART.host); }
  set host(v: string) { this.#set('host', v); }
  get hostname(): string { return this.#part(PART.hostname); }
  set hostname(v: string) { this.#set('hostname', v); }
  get port(): string { return this.#part(PART.port); }
  set port(v: string) { this.#set('port', v); }
  get pathname(): string { return this.#part(PART.pathname); }
  set pathname(v: string) { this.#set('pathname', v); }
  get search(): string { return this.#part(PART.search); }
  set search(v: string) { this.#set('search', v); }
  get hash(): string { return this.#part(PART.hash); }
  set hash(v: string) { this.#set('hash', v); }

  get searchParams(): URLSearchParams {
    if (this.#query === null) {
      this.#query = new URLSearchParams(this.#part(PART.search));
      attachQuery(this.#query, (text) => {
        const parts = text.length > MAX_CROSSING ? '' : (op(OP.urlSet, this.#part(PART.href), 'search', text) as string);
        if (parts !== '') this.#parts = StringPrototypeSplit(parts, '\n');
      });
    }
    return this.#query;
  }

  toString(): string { return this.#part(PART.href); }
  toJSON(): string { return this.#part(PART.href); }
}

const PLUS = /\+/g;
const FORM_SAFE = /^[A-Za-z0-9*._-]*$/;

/** application/x-www-form-urlencoded: percent-decode, malformed sequences left as they are, then UTF-8 with replacement. */
function decodeForm(text: string): string {
  const spaced = StringPrototypeIndexOf(text, '+') < 0 ? text : StringPrototypeReplace(text, PLUS, ' ');
  if (StringPrototypeIndexOf(spaced, '%') < 0) return spaced;
  try {
    return decodeComponent(spaced);
  } catch {
    return decodeBytes(spaced);
  }
}

const decodeComponent = decodeURIComponent;
const encodeComponent = encodeURIComponent;
const HEX = '0123456789ABCDEF';

function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  if (code >= 65 && code <= 70) return code - 55;
  if (code >= 97 && code <= 102) return code - 87;
  return -1;
}

/** The slow way for sequences that are not UTF-8: bytes, decoded by the host. */
function decodeBytes(text: string): string {
  const utf8 = encodeUtf8(text);
  const out: number[] = [];
  for (let i = 0; i < utf8.length; i++) {
    const byte = utf8[i] as number;
    const high = byte === 37 && i + 2 < utf8.length ? hexValue(utf8[i + 1] as number) : -1;
    const low = high < 0 ? -1 : hexValue(utf8[i + 2] as number);
    if (low < 0) {
      out[out.length] = byte;
    } else {
      out[out.length] = high * 16 + low;
      i += 2;
    }
  }
  return decodeUtf8(new Uint8Array(out));
}

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const FORM_REWRITE = /%20|[!'()~]/g;

function scalar(value: unknown): string {
  return StringPrototypeReplace(NativeString(value), LONE_SURROGATE, '\ufffd');
}

function encodeForm(text: string): string {
  if (RegExpPrototypeExec(FORM_SAFE, text) !== null) return text;
  return reflectApply(replaceWith, encodeComponent(text), [FORM_REWRITE, formRewrite]) as string;
}

const replaceWith = String.prototype.replace;

function formRewrite(found: string): string {
  if (found === '%20') return '+';
  const code = StringPrototypeCharCodeAt(found, 0);
  return `%${HEX[code >> 4]}${HEX[code & 15]}`;
}

export type URLSearchParamsInit = string | URLSearchParams | Iterable<Iterable<string>> | Record<string, string>;

export class URLSearchParams {
  /** Names and values in turn. */
  #list: string[] = [];
  #changed: ((text: string) => void) | null = null;

  constructor(init?: URLSearchParamsInit) {
    if (init === undefined || init === null) return;
    if (typeof init === 'object' || typeof init === 'function') {
      if (#list in init) {
        for (let i = 0; i < init.#list.length; i++) this.#list[i] = init.#list[i] as string;
      } else if (Symbol.iterator in init) {
        for (const pair of init as Iterable<Iterable<string>>) {
          const both = [...pair];
          if (both.length !== 2) throw new NativeTypeError('each pair must be a name and a value');
          this.#push(scalar(both[0]), scalar(both[1]));
        }
      } else {
        const names = reflectOwnKeys(init);
        for (let i = 0; i < names.length; i++) {
          const name = names[i];
          if (typeof name === 'string' && reflectGetOwnPropertyDescriptor(init, name)?.enumerable === true) {
            this.#push(scalar(name), scalar((init as Record<string, string>)[name]));
          }
        }
      }
      return;
    }
    this.#parse(scalar(init));
  }

  #push(name: string, value: string): void {
    this.#list[this.#list.length] = name;
    this.#list[this.#list.length] = value;
  }

  #parse(text: string): void {
    this.#list = [];
    const query = text[0] === '?' ? StringPrototypeSlice(text, 1) : text;
    if (query === '') return;
    const parts = StringPrototypeSplit(query, '&');
    for (let i = 0; i < parts.length; i++) {
      const part = parts[i] as string;
      if (part === '') continue;
      const at = StringPrototypeIndexOf(part, '=');
      if (at < 0) this.#push(decodeForm(part), '');
      else this.#push(decodeForm(StringPrototypeSlice(part, 0, at)), decodeForm(StringPrototypeSlice(part, at + 1)));
    }
  }

  #update(): void {
    if (this.#changed !== null) this.#changed(this.toString());
  }

  get size(): number { return this.#list.length / 2; }

  append(name: string, value: string): void {
    this.#push(scalar(name), scalar(value));
    this.#update();
  }

  delete(name: string, value?: string): void {
    const n = scalar(name);
    const v = value === undefined ? undefined : scalar(value);
    for (let i = this.#list.length - 2; i >= 0; i -= 2) {
      if (this.#list[i] === n && (v === undefined || this.#list[i + 1] === v)) ArrayPrototypeSplice(this.#list, i, 2);
    }
    this.#update();
  }

  get(name: string): string | null {
    const n = scalar(name);
    for (let i = 0; i < this.#list.length; i += 2) if (this.#list[i] === n) return this.#list[i + 1] as string;
    return null;
  }

  getAll(name: string): string[] {
    const n = scalar(name);
    const values: string[] = [];
    for (let i = 0; i < this.#list.length; i += 2) if (this.#list[i] === n) values[values.length] = this.#list[i + 1] as string;
    return values;
  }

  has(name: string, value?: string): boolean {
    const n = scalar(name);
    const v = value === undefined ? undefined : scalar(value);
    for (let i = 0; i < this.#list.length; i += 2) if (this.#list[i] === n && (v === undefined || this.#list[i + 1] === v)) return true;
    return false;
  }

  set(name: string, value: string): void {
    const n = scalar(name);
    const v = scalar(value);
    let found = false;
    for (let i = 0; i < this.#list.length; i += 2) {
      if (this.#list[i] !== n) continue;
      if (found) {
        ArrayPrototypeSplice(this.#list, i, 2);
        i -= 2;
      } else {
        this.#list[i + 1] = v;
        found = true;
      }
    }
    if (!found) this.#push(n, v);
    this.#update();
  }

  /** By name in code unit order; stable. */
  sort(): void {
    const pairs: [string, string][] = [];
    for (let i = 0; i < this.#list.length; i += 2) pairs[pairs.length] = [this.#list[i] as string, this.#list[i + 1] as string];
    ArrayPrototypeSort(pairs, ((a: [string, string], b: [string, string]) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0)) as never);
    this.#list = [];
    for (let i = 0; i < pairs.length; i++) this.#push((pairs[i] as [string, string])[0], (pairs[i] as [string, string])[1]);
    this.#update();
  }

  forEach(callback: (value: string, name: string, parent: URLSearchParams) => unknown, thisArg?: unknown): void {
    for (let i = 0; i < this.#list.length; i += 2) reflectApply(callback, thisArg, [this.#list[i + 1], this.#list[i], this]);
  }

  *entries(): IterableIterator<[string, string]> {
    for (let i = 0; i < this.#list.length; i += 2) yield [this.#list[i] as string, this.#list[i + 1] as string];
  }
  *keys(): IterableIterator<string> {
    for (let i = 0; i < this.#list.length; i += 2) yield this.#list[i] as string;
  }
  *values(): IterableIterator<string> {
    for (let i = 1; i < this.#list.length; i += 2) yield this.#list[i] as string;
  }
  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  toString(): string {
    const parts: string[] = [];
    for (let i = 0; i < this.#list.length; i += 2) parts[parts.length] = `${encodeForm(this.#list[i] as string)}=${encodeForm(this.#list[i + 1] as string)}`;
    return ArrayPrototypeJoin(parts, '&');
  }

  static [INTERNAL] = {
    attach(query: URLSearchParams, changed: (text: string) => void): void {
      query.#changed = changed;
    },
    replace(query: URLSearchParams, search: string): void {
      query.#parse(search);
    },
  };
}

const { attach: attachQuery, replace: replaceQuery } = URLSearchParams[INTERNAL];
delete (URLSearchParams as { [INTERNAL]?: unknown })[INTERNAL];
