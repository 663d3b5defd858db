// URLPattern (URLPattern standard, section 1) over urlpattern-polyfill, which has the standard's parser and matcher; conversions and overloads are here.
import { URLPattern as Polyfill } from 'urlpattern-polyfill/urlpattern';
import { NativeString, NativeTypeError, RegExpPrototypeExec, StringPrototypeReplace, StringPrototypeToWellFormed } from '../primordials.guest.ts';
import { dictionary } from './shared/conversions.guest.ts';

/** Members of URLPatternInit, in the order in which Web IDL reads them. */
const MEMBERS = ['baseURL', 'hash', 'hostname', 'password', 'pathname', 'port', 'protocol', 'search', 'username'] as const;
/** What the package has; its own types lack the later members. */
interface Pattern extends Polyfill {
  readonly hasRegExpGroups: boolean;
}
interface MakePattern {
  new (input: string | Init, options: { readonly ignoreCase: boolean }): Pattern;
  new (input: string | Init, base: string, options: { readonly ignoreCase: boolean }): Pattern;
}
const Pattern = Polyfill as unknown as MakePattern;
type Init = Partial<Record<(typeof MEMBERS)[number], string>>;

function scalar(value: unknown): string {
  if (typeof value === 'symbol') throw new NativeTypeError('a symbol is no string');
  return StringPrototypeToWellFormed(NativeString(value));
}

/** URLPatternInput: text, or a dictionary whose members are text. */
function inputOf(value: unknown): string | Init {
  if (value !== undefined && value !== null && typeof value !== 'object' && typeof value !== 'function') return scalar(value);
  const given = dictionary(value, 'URLPattern');
  const init: Init = {};
  for (let i = 0; i < MEMBERS.length; i++) {
    const name = MEMBERS[i] as (typeof MEMBERS)[number];
    const member = given[name];
    if (member !== undefined) init[name] = scalar(member);
  }
  return init;
}

const NOT_IN_URLS = /[\t\n\r]+/g;
/** A plain name, and what ends a host. */
const HOST_AND_MORE = /^([a-z0-9._~-]*)(?:[/#]|\\\\)/i;

/** A fixed host name as URL's setter would take it: white space goes, and whatever follows the host (section 3.3, "canonicalize a hostname"). */
function withHost(init: Init): Init {
  if (init.hostname === undefined) return init;
  const hostname = StringPrototypeReplace(init.hostname, NOT_IN_URLS, '');
  return { ...init, hostname: RegExpPrototypeExec(HOST_AND_MORE, hostname)?.[1] ?? hostname };
}

const PLAIN_SCHEME = /^[a-z0-9+.-]+$/i;
const SCHEME = /^[a-z]/i;

export class URLPattern {
  readonly #pattern: Pattern;

  /** (input, baseURL, options) or (input, options): a second argument that is text is the base (Web IDL, section 3.6). */
  constructor(input: unknown = undefined, baseOrOptions: unknown = undefined, options: unknown = undefined) {
    const given = inputOf(input);
    const pattern = typeof given === 'string' ? given : withHost(given);
    const hasBase = arguments.length > 2 || (baseOrOptions !== undefined && baseOrOptions !== null && typeof baseOrOptions !== 'object' && typeof baseOrOptions !== 'function');
    const base = hasBase ? scalar(baseOrOptions) : undefined;
    const ignoreCase = Boolean(dictionary(hasBase ? options : baseOrOptions, 'URLPattern')['ignoreCase']);
    this.#pattern = base === undefined ? new Pattern(pattern, { ignoreCase }) : new Pattern(pattern, base, { ignoreCase });
    const { protocol } = this.#pattern;
    if (RegExpPrototypeExec(PLAIN_SCHEME, protocol) !== null && RegExpPrototypeExec(SCHEME, protocol) === null) throw new NativeTypeError(`"${protocol}" is not a scheme`);
  }

  get protocol(): string { return this.#pattern.protocol; }
  get username(): string { return this.#pattern.username; }
  get password(): string { return this.#pattern.password; }
  get hostname(): string { return this.#pattern.hostname; }
  get port(): string { return this.#pattern.port; }
  get pathname(): string { return this.#pattern.pathname; }
  get search(): string { return this.#pattern.search; }
  get hash(): string { return this.#pattern.hash; }
  get hasRegExpGroups(): boolean { return this.#pattern.hasRegExpGroups; }

  test(input: unknown = undefined, base: unknown = undefined): boolean {
    const pattern = this.#pattern;
    const given = inputOf(input);
    return base === undefined ? pattern.test(given) : pattern.test(given, scalar(base));
  }

  exec(input: unknown = undefined, base: unknown = undefined): object | null {
    const pattern = this.#pattern;
    const given = inputOf(input);
    return base === undefined ? pattern.exec(given) : pattern.exec(given, scalar(base));
  }
}
