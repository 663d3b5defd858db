// Headers (Fetch standard, section 2.2). On the wire of entries and operations: name and value in turn, parted by line feeds.
import {
  ArrayPrototypeJoin, ArrayPrototypeSort, ArrayPrototypeSplice, NativeString, NativeTypeError, RegExpPrototypeExec, StringPrototypeReplace, StringPrototypeSplit,
  StringPrototypeToLowerCase, reflectApply, reflectGetOwnPropertyDescriptor, reflectOwnKeys,
} from './primordials.guest.ts';

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const AROUND = /^[\t\n\r ]+|[\t\n\r ]+$/g;
// NUL, CR and LF are refused by the Fetch standard; other control characters would be refused by the gateway, so they are named here, early.
// eslint-disable-next-line no-control-regex -- control characters are just what is refused
const BAD_VALUE = /[\u0000-\u0008\u000a-\u001f\u007f]|[^\u0000-\u00ff]/;
const NEEDS_TRIM = /^[\t\n\r ]|[\t\n\r ]$/;

function checkedName(name: unknown): string {
  const text = NativeString(name);
  if (RegExpPrototypeExec(TOKEN, text) === null) throw new NativeTypeError(`"${text}" is not a header name`);
  return StringPrototypeToLowerCase(text);
}

function checkedValue(value: unknown): string {
  let text = NativeString(value);
  if (RegExpPrototypeExec(NEEDS_TRIM, text) !== null) text = StringPrototypeReplace(text, AROUND, '');
  if (RegExpPrototypeExec(BAD_VALUE, text) !== null) throw new NativeTypeError('a header value holds a character that is not allowed');
  return text;
}

export type HeadersInit = Headers | Iterable<Iterable<string>> | Record<string, string>;

const INTERNAL = Symbol('internal');

export class Headers {
  /** Names in lower case and values, in turn. */
  #list: string[] = [];
  #immutable = false;

  constructor(init?: HeadersInit) {
    if (init === undefined || init === null) return;
    if (typeof init !== 'object') throw new NativeTypeError('headers must be an object, pairs or Headers');
    if (#list in init) {
      const from = init.#list;
      for (let i = 0; i < from.length; i++) this.#list[i] = from[i] as string;
    } else if (Symbol.iterator in init) {
      for (const pair of init as Iterable<Iterable<string>>) {
        const both = [...pair];
        if (both.length !== 2) throw new NativeTypeError('each header must be a name and a value');
        this.append(both[0] as string, both[1] as string);
      }
    } else {
      const names = reflectOwnKeys(init);
      for (let i = 0; i < names.length; i++) {
        const name = names[i] as string | symbol;
        if (typeof name === 'symbol') throw new NativeTypeError('a header name must be a string');
        if (reflectGetOwnPropertyDescriptor(init, name)?.enumerable === true) this.append(name, (init as Record<string, string>)[name] as string);
      }
    }
  }

  append(name: string, value: string): void {
    const n = checkedName(name);
    const v = checkedValue(value);
    this.#mutable();
    this.#list[this.#list.length] = n;
    this.#list[this.#list.length] = v;
  }

  set(name: string, value: string): void {
    const n = checkedName(name);
    const v = checkedValue(value);
    this.#mutable();
    const list = this.#list;
    let found = false;
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] !== n) continue;
      if (found) {
        ArrayPrototypeSplice(list, i, 2);
        i -= 2;
      } else {
        list[i + 1] = v;
        found = true;
      }
    }
    if (!found) {
      list[list.length] = n;
      list[list.length] = v;
    }
  }

  delete(name: string): void {
    const n = checkedName(name);
    this.#mutable();
    const list = this.#list;
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] !== n) continue;
      ArrayPrototypeSplice(list, i, 2);
      i -= 2;
    }
  }

  get(name: string): string | null {
    return this.#get(checkedName(name));
  }

  has(name: string): boolean {
    const n = checkedName(name);
    const list = this.#list;
    for (let i = 0; i < list.length; i += 2) if (list[i] === n) return true;
    return false;
  }

  getSetCookie(): string[] {
    const values: string[] = [];
    const list = this.#list;
    for (let i = 0; i < list.length; i += 2) if (list[i] === 'set-cookie') values[values.length] = list[i + 1] as string;
    return values;
  }

  forEach(callback: (value: string, name: string, parent: Headers) => unknown, thisArg?: unknown): void {
    const pairs = this.#sorted();
    for (let i = 0; i < pairs.length; i++) reflectApply(callback, thisArg, [pairs[i]?.[1], pairs[i]?.[0], this]);
  }

  *entries(): IterableIterator<[string, string]> {
    const pairs = this.#sorted();
    for (let i = 0; i < pairs.length; i++) yield pairs[i] as [string, string];
  }
  *keys(): IterableIterator<string> {
    const pairs = this.#sorted();
    for (let i = 0; i < pairs.length; i++) yield (pairs[i] as [string, string])[0];
  }
  *values(): IterableIterator<string> {
    const pairs = this.#sorted();
    for (let i = 0; i < pairs.length; i++) yield (pairs[i] as [string, string])[1];
  }
  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  #mutable(): void {
    if (this.#immutable) throw new NativeTypeError('these headers are immutable');
  }

  #get(n: string): string | null {
    const list = this.#list;
    let value: string | null = null;
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] === n) value = value === null ? (list[i + 1] as string) : `${value}, ${list[i + 1] as string}`;
    }
    return value;
  }

  /** Sorted by name, values of one name combined, but each Set-Cookie apart ("sort and combine"). */
  #sorted(): [string, string][] {
    const pairs: [string, string][] = [];
    const list = this.#list;
    for (let i = 0; i < list.length; i += 2) {
      const name = list[i] as string;
      const value = list[i + 1] as string;
      let earlier: [string, string] | undefined;
      if (name !== 'set-cookie') for (let k = 0; k < pairs.length; k++) if (pairs[k]?.[0] === name) earlier = pairs[k];
      if (earlier === undefined) pairs[pairs.length] = [name, value];
      else earlier[1] = `${earlier[1]}, ${value}`;
    }
    // The sort is stable, so cookies keep their order.
    ArrayPrototypeSort(pairs, ((a: [string, string], b: [string, string]) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0)) as never);
    return pairs;
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
    setDefault(headers: Headers, name: string, value: string): void {
      if (headers.#get(name) !== null) return;
      headers.#list[headers.#list.length] = name;
      headers.#list[headers.#list.length] = value;
    },
    remove(headers: Headers, name: string): void {
      const list = headers.#list;
      for (let i = list.length - 2; i >= 0; i -= 2) if (list[i] === name) ArrayPrototypeSplice(list, i, 2);
    },
  };
}

const internal = Headers[INTERNAL];
delete (Headers as { [INTERNAL]?: unknown })[INTERNAL];

/** Headers of a wire text that the platform made: no checks. */
export const parseHeaders = internal.parse;
/** The wire text. */
export const serialiseHeaders = internal.serialise;
/** Adds the header unless it is there, whatever the guard. */
export const setDefaultHeader = internal.setDefault;
export const removeHeader = internal.remove;
