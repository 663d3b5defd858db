// URL (URL standard, section 6.1). Parsing is the host's, which is native and far faster; a common, already normal form is read here.
// URLSearchParams is a part.
import { MAX_CROSSING, OP } from './abi.ts';
import { hostError, op } from './host.guest.ts';
import { loadPart, partIfLoaded } from './parts.guest.ts';
import { NativeNumber, NativeString, NativeTypeError, RegExpPrototypeExec, StringPrototypeIndexOf, StringPrototypeSplit } from './primordials.guest.ts';

/** href, protocol, username, password, host, hostname, port, pathname, search, hash, origin. */
const PART = { href: 0, protocol: 1, username: 2, password: 3, host: 4, hostname: 5, port: 6, pathname: 7, search: 8, hash: 9, origin: 10 } as const;

/**
 * http(s) URLs that parse to themselves: a lower-case host whose labels start with letters and have no "xn--", or a plain IPv4 address,
 * a port without leading zero, a path without segments that begin with a dot and without "%2e", a plain query. Whatever is outside this grammar goes to the host.
 */
const NORMAL = /^(https?):\/\/([a-z](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z](?:[a-z0-9-]*[a-z0-9])?)*|(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?=[0-9])|(?![.0-9]))){4})(?::([1-9][0-9]{0,4}))?((?:\/(?:[A-Za-z0-9_~!$&()*+,;=:@-]|%(?!2[Ee]))(?:[A-Za-z0-9_~!$&()*+,;=:@.-]|%(?!2[Ee]))*)+\/?|\/)(\?[A-Za-z0-9_~!$&()*+,;=:@./?%-]+)?$/;

function parseParts(address: unknown, against: unknown): string[] | undefined {
  const url = text(address);
  const base = against === undefined ? undefined : text(against);
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

function text(value: unknown): string {
  if (typeof value === 'symbol') throw new NativeTypeError('a symbol is no string');
  return NativeString(value);
}

/** The part `url-search-params`. */
interface SearchParamsPart {
  /** The parameters of a URL; `changed` is called after each change. */
  linkedParams(search: string, changed: () => void): object;
  replaceParams(params: object, search: string): void;
  isParams(value: object): boolean;
  paramsText(params: object): string;
}
const SEARCH_PARAMS = 'url-search-params';

/** The serialized form of a URLSearchParams; undefined for anything else. */
export function searchParamsText(value: object): string | undefined {
  const part = partIfLoaded<SearchParamsPart>(SEARCH_PARAMS);
  return part?.isParams(value) === true ? part.paramsText(value) : undefined;
}

/** In place of an address: what `parse` has parsed already. */
const PARSED = Symbol('parsed');

export class URL {
  #parts: string[];
  #query: object | null = null;
  /** `searchParams` has changed since the parts were made. */
  #stale = false;

  constructor(url: unknown, base: unknown = undefined) {
    if (arguments.length === 0) throw new NativeTypeError('URL needs an address');
    const parts = url === PARSED ? (base as string[]) : parseParts(url, base);
    if (parts === undefined) throw hostError('ERR_INVALID_URL', 'Invalid URL');
    this.#parts = parts;
  }

  static canParse(url: unknown, base: unknown = undefined): boolean {
    if (arguments.length === 0) throw new NativeTypeError('URL.canParse needs an address');
    return parseParts(url, base) !== undefined;
  }

  static parse(url: unknown, base: unknown = undefined): URL | null {
    if (arguments.length === 0) throw new NativeTypeError('URL.parse needs an address');
    const parts = parseParts(url, base);
    return parts === undefined ? null : new URL(PARSED, parts);
  }

  #part(index: number): string {
    if (this.#stale) {
      this.#stale = false;
      this.#apply('search', loadPart<SearchParamsPart>(SEARCH_PARAMS).paramsText(this.#query as object));
    }
    return this.#parts[index] as string;
  }

  /** @returns whether the setter took the value */
  #apply(name: string, value: string): boolean {
    const parts = value.length > MAX_CROSSING ? '' : (op(OP.urlSet, this.#part(PART.href), name, value) as string);
    if (parts !== '') this.#parts = StringPrototypeSplit(parts, '\n');
    return parts !== '';
  }

  #set(name: string, value: unknown): void {
    if (!this.#apply(name, text(value))) {
      if (name === 'href') throw new NativeTypeError('Invalid URL');
    } else if (this.#query !== null && (name === 'search' || name === 'href')) {
      loadPart<SearchParamsPart>(SEARCH_PARAMS).replaceParams(this.#query, this.#part(PART.search));
    }
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

  get searchParams(): object {
    this.#query ??= loadPart<SearchParamsPart>(SEARCH_PARAMS).linkedParams(this.#part(PART.search), () => {
      this.#stale = true;
    });
    return this.#query;
  }

  toString(): string { return this.#part(PART.href); }
  toJSON(): string { return this.#part(PART.href); }
}
