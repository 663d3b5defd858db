// Headers (Fetch standard, section 5.1). On the wire of entries and operations: name and value in turn, parted by line feeds.
import { loadPart } from './parts.guest.ts';
import type { HeaderPair, HeadersPart } from './parts/headers.guest.ts';
import {
  ArrayPrototypeJoin, ArrayPrototypeSplice, NativeTypeError, ObjectDefineProperty, RegExpPrototypeExec, StringPrototypeCharCodeAt, StringPrototypeSlice, StringPrototypeSplit, StringPrototypeToLowerCase,
  reflectGetOwnPropertyDescriptor, reflectOwnKeys, symbolIterator,
} from './primordials.guest.ts';

// Each pattern finds what is wrong: on the usual path nothing is found, and nothing is allocated.
const NOT_TOKEN = /[^!#$%&'*+.^_`|~0-9A-Za-z-]|^$/;
// eslint-disable-next-line no-control-regex -- what the Fetch standard refuses in a value, and what is no byte
const BAD_VALUE = /[\u0000\n\r\u0100-\uffff]/;
const NOT_BYTES = /[\u0100-\uffff]/;

function refuse(): never {
  throw new NativeTypeError('a header name or value holds a character that is not allowed');
}

/** Throws a TypeError for a method that is called with too few arguments (Web IDL, section 3.7.7). */
export function needs(given: number, needed: number): void {
  if (given < needed) throw new NativeTypeError(`${needed} argument(s) needed, ${given} given`);
}

function checkedName(name: unknown): string {
  const text = `${name as string}`;
  return RegExpPrototypeExec(NOT_TOKEN, text) === null ? StringPrototypeToLowerCase(text) : refuse();
}

function isSpace(text: string, at: number): boolean {
  const code = StringPrototypeCharCodeAt(text, at);
  return code === 32 || code === 9 || code === 10 || code === 13;
}

function trimmed(value: unknown): string {
  const text = `${value as string}`;
  let from = 0;
  let to = text.length;
  while (from < to && isSpace(text, from)) from += 1;
  while (from < to && isSpace(text, to - 1)) to -= 1;
  return StringPrototypeSlice(text, from, to);
}

function checkedValue(value: unknown): string {
  const text = trimmed(value);
  return RegExpPrototypeExec(BAD_VALUE, text) === null ? text : refuse();
}

export type HeadersInit = Headers | Iterable<Iterable<string>> | Record<string, string>;

const INTERNAL = Symbol('internal');

export class Headers {
  /** Names in lower case and values, in turn. */
  #list: string[] = [];
  #immutable = false;
  /** "Sort and combine" of the list, once something has asked for it and until it changes. */
  #sorted: readonly HeaderPair[] | undefined;

  constructor(init: HeadersInit | undefined = undefined) {
    if (init === undefined) return;
    if ((typeof init !== 'object' && typeof init !== 'function') || init === null) throw new NativeTypeError('headers must be an object, pairs or Headers');
    const iterate = (init as { [Symbol.iterator]?: unknown })[symbolIterator];
    const list = this.#list;
    if (iterate === undefined || iterate === null) {
      this.#record(init as Record<string, unknown>);
    } else if (iterate === entries && #list in init) {
      const from = init.#list;
      for (let i = 0; i < from.length; i++) list[i] = from[i] as string;
    } else {
      const flat = loadPart<HeadersPart>('headers').flatPairs(init, iterate);
      for (let i = 0; i < flat.length; i += 2) this.append(flat[i] as string, flat[i + 1] as string);
    }
  }

  /** Web IDL's conversion to a record (section 3.2.23) and "fill", in one pass: what only "fill" refuses is refused at the end. */
  #record(init: Record<string, unknown>): void {
    const list = this.#list;
    const keys = reflectOwnKeys(init);
    let flawed = false;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string;
      if (reflectGetOwnPropertyDescriptor(init, key)?.enumerable !== true) continue;
      // A symbol throws here, as it must.
      const name = `${key}`;
      if (RegExpPrototypeExec(NOT_TOKEN, name) !== null) {
        if (RegExpPrototypeExec(NOT_BYTES, name) !== null) refuse();
        flawed = true;
      }
      const value = trimmed(init[key]);
      if (RegExpPrototypeExec(BAD_VALUE, value) !== null) {
        if (RegExpPrototypeExec(NOT_BYTES, value) !== null) refuse();
        flawed = true;
      }
      list[list.length] = StringPrototypeToLowerCase(name);
      list[list.length] = value;
    }
    if (flawed) refuse();
  }

  append(name: string, value: string): void {
    needs(arguments.length, 2);
    const n = checkedName(name);
    const v = checkedValue(value);
    const list = this.#change();
    list[list.length] = n;
    list[list.length] = v;
  }

  set(name: string, value: string): void {
    needs(arguments.length, 2);
    const n = checkedName(name);
    const v = checkedValue(value);
    const list = this.#change();
    let at = 0;
    while (at < list.length && list[at] !== n) at += 2;
    list[at] = n;
    list[at + 1] = v;
    removeFrom(list, n, at + 2);
  }

  delete(name: string): void {
    needs(arguments.length, 1);
    const n = checkedName(name);
    removeFrom(this.#change(), n, 0);
  }

  get(name: string): string | null {
    needs(arguments.length, 1);
    return valueOf(this.#list, checkedName(name));
  }

  has(name: string): boolean {
    needs(arguments.length, 1);
    return valueOf(this.#list, checkedName(name)) !== null;
  }

  getSetCookie(): string[] {
    return loadPart<HeadersPart>('headers').setCookies(this.#list);
  }

  forEach(callback: (value: string, name: string, parent: Headers) => unknown, thisArg: unknown = undefined): void {
    needs(arguments.length, 1);
    loadPart<HeadersPart>('headers').eachHeader(this, callback, thisArg);
  }

  entries(): IterableIterator<[string, string]> {
    return loadPart<HeadersPart>('headers').iterator(checked(this), 'entries') as IterableIterator<[string, string]>;
  }
  keys(): IterableIterator<string> {
    return loadPart<HeadersPart>('headers').iterator(checked(this), 'keys') as IterableIterator<string>;
  }
  values(): IterableIterator<string> {
    return loadPart<HeadersPart>('headers').iterator(checked(this), 'values') as IterableIterator<string>;
  }
  declare [Symbol.iterator]: () => IterableIterator<[string, string]>;

  #change(): string[] {
    if (this.#immutable) throw new NativeTypeError('these headers are immutable');
    this.#sorted = undefined;
    return this.#list;
  }

  static [INTERNAL] = {
    parse(text: string, immutable: boolean): Headers {
      const headers = new Headers();
      if (text !== '') headers.#list = StringPrototypeSplit(text, '\n');
      headers.#immutable = immutable;
      return headers;
    },
    serialise(headers: Headers): string {
      return ArrayPrototypeJoin(headers.#list, '\n');
    },
    find(headers: Headers, name: string): string | null {
      return valueOf(headers.#list, name);
    },
    setDefault(headers: Headers, name: string, value: string): void {
      const list = headers.#list;
      if (valueOf(list, name) !== null) return;
      headers.#sorted = undefined;
      list[list.length] = name;
      list[list.length] = value;
    },
    sorted(headers: Headers): readonly HeaderPair[] {
      return (headers.#sorted ??= loadPart<HeadersPart>('headers').sortAndCombine(headers.#list));
    },
    clone(headers: Headers): Headers {
      const made = new Headers(headers);
      made.#immutable = headers.#immutable;
      return made;
    },
  };
}

const { entries } = Headers.prototype;
ObjectDefineProperty(Headers.prototype, symbolIterator, { value: entries, writable: true, enumerable: false, configurable: true });

/** A method of Headers, called on something else, throws at once. */
function checked(headers: Headers): Headers {
  sortedHeaders(headers);
  return headers;
}

function valueOf(list: readonly string[], name: string): string | null {
  let value: string | null = null;
  for (let i = 0; i < list.length; i += 2) {
    if (list[i] === name) value = value === null ? (list[i + 1] as string) : `${value}, ${list[i + 1] as string}`;
  }
  return value;
}

function removeFrom(list: string[], name: string, from: number): void {
  for (let i = list.length - 2; i >= from; i -= 2) if (list[i] === name) ArrayPrototypeSplice(list, i, 2);
}

const internal = Headers[INTERNAL];
delete (Headers as { [INTERNAL]?: unknown })[INTERNAL];

/** Headers of a wire text that the platform made: no checks. */
export const parseHeaders = internal.parse;
/** The wire text. */
export const serialiseHeaders = internal.serialise;
/** The combined value of a name in lower case, or null. */
export const findHeader = internal.find;
/** Adds the header unless it is there, whatever the guard. */
export const setDefaultHeader = internal.setDefault;
/** Pairs as iteration shows them. Throws a TypeError for what is no Headers. */
export const sortedHeaders = internal.sorted;
/** A copy with the same guard. */
export const cloneHeaders = internal.clone;
