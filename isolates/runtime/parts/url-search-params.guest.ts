// URLSearchParams (URL standard, section 6.2), and its link to a URL.
import { ArrayPrototypeJoin, ArrayPrototypeSort, NativeString, NativeTypeError, StringPrototypeSlice, StringPrototypeToWellFormed, reflectApply, reflectGetOwnPropertyDescriptor, reflectOwnKeys } from '../primordials.guest.ts';
import { needArguments } from './shared/conversions.guest.ts';
import { IteratorPrototype, finishIterator } from './shared/iterators.guest.ts';
import { encodeForm, parseForm } from './url/form-urlencoded.guest.ts';

const { iterator } = Symbol;

/** USVString (Web IDL, section 3.2.12). */
function scalar(value: unknown): string {
  if (typeof value === 'symbol') throw new NativeTypeError('a symbol is no string');
  return StringPrototypeToWellFormed(NativeString(value));
}

function needIterable(value: unknown): Iterable<unknown> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || typeof (value as { [iterator]?: unknown })[iterator] !== 'function') {
    throw new NativeTypeError('URLSearchParams: pairs must be sequences of a name and a value');
  }
  return value as Iterable<unknown>;
}

// Set by the class below: they hold on to its private fields.
export let linkedParams: (search: string, changed: () => void) => object;
export let replaceParams: (params: object, search: string) => void;
export let isParams: (value: object) => boolean;
let listOf: (params: URLSearchParams) => string[];

export class URLSearchParams {
  /** Names and values in turn. */
  #list: string[] = [];
  #changed: (() => void) | null = null;

  constructor(init: unknown = '') {
    if ((typeof init !== 'object' && typeof init !== 'function') || init === null) {
      const text = scalar(init);
      this.#list = parseForm(text[0] === '?' ? StringPrototypeSlice(text, 1) : text);
      return;
    }
    const method = (init as { [iterator]?: unknown })[iterator];
    if (method === undefined || method === null) this.#fromRecord(init);
    else if (method === entries && #list in init) this.#list = copy(init.#list);
    else this.#fromPairs(init);
  }

  #fromPairs(init: unknown): void {
    for (const pair of needIterable(init)) {
      let count = 0;
      for (const text of needIterable(pair)) {
        if (++count > 2) break;
        this.#list[this.#list.length] = scalar(text);
      }
      if (count !== 2) throw new NativeTypeError('URLSearchParams: each pair must be a name and a value');
    }
  }

  #fromRecord(init: object): void {
    const keys = reflectOwnKeys(init);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string;
      if (reflectGetOwnPropertyDescriptor(init, key)?.enumerable !== true) continue;
      const name = scalar(key);
      const value = scalar((init as Record<string, unknown>)[key]);
      // Names that differ in their lone surrogates only are one.
      const at = this.#find(name, 0);
      if (at < 0) this.#push(name, value);
      else this.#list[at + 1] = value;
    }
  }

  #push(name: string, value: string): void {
    this.#list[this.#list.length] = name;
    this.#list[this.#list.length] = value;
  }

  #find(name: string, from: number): number {
    const list = this.#list;
    for (let i = from; i < list.length; i += 2) if (list[i] === name) return i;
    return -1;
  }

  /** Keeps the pairs for which `drop` does not say otherwise. */
  #drop(drop: (name: string, value: string) => boolean): void {
    const kept: string[] = [];
    const list = this.#list;
    for (let i = 0; i < list.length; i += 2) {
      if (drop(list[i] as string, list[i + 1] as string)) continue;
      kept[kept.length] = list[i] as string;
      kept[kept.length] = list[i + 1] as string;
    }
    this.#list = kept;
  }

  get size(): number { return this.#list.length / 2; }

  append(name: string, value: string): void {
    needArguments(arguments.length, 2, 'URLSearchParams.append');
    this.#push(scalar(name), scalar(value));
    this.#changed?.();
  }

  delete(name: string, value: string | undefined = undefined): void {
    needArguments(arguments.length, 1, 'URLSearchParams.delete');
    const n = scalar(name);
    const v = value === undefined ? undefined : scalar(value);
    this.#drop((itsName, itsValue) => itsName === n && (v === undefined || itsValue === v));
    this.#changed?.();
  }

  get(name: string): string | null {
    needArguments(arguments.length, 1, 'URLSearchParams.get');
    const at = this.#find(scalar(name), 0);
    return at < 0 ? null : (this.#list[at + 1] as string);
  }

  getAll(name: string): string[] {
    needArguments(arguments.length, 1, 'URLSearchParams.getAll');
    const n = scalar(name);
    const values: string[] = [];
    for (let at = this.#find(n, 0); at >= 0; at = this.#find(n, at + 2)) values[values.length] = this.#list[at + 1] as string;
    return values;
  }

  has(name: string, value: string | undefined = undefined): boolean {
    needArguments(arguments.length, 1, 'URLSearchParams.has');
    const n = scalar(name);
    const v = value === undefined ? undefined : scalar(value);
    let at = this.#find(n, 0);
    while (at >= 0 && v !== undefined && this.#list[at + 1] !== v) at = this.#find(n, at + 2);
    return at >= 0;
  }

  set(name: string, value: string): void {
    needArguments(arguments.length, 2, 'URLSearchParams.set');
    const n = scalar(name);
    const v = scalar(value);
    const at = this.#find(n, 0);
    if (at < 0) {
      this.#push(n, v);
    } else {
      this.#list[at + 1] = v;
      if (this.#find(n, at + 2) >= 0) {
        let first = true;
        this.#drop((itsName) => itsName === n && !(first && !(first = false)));
      }
    }
    this.#changed?.();
  }

  /** By name in code unit order; stable. */
  sort(): void {
    const pairs: [string, string][] = [];
    const list = this.#list;
    for (let i = 0; i < list.length; i += 2) pairs[pairs.length] = [list[i] as string, list[i + 1] as string];
    ArrayPrototypeSort(pairs, ((a: [string, string], b: [string, string]) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0)) as never);
    const sorted: string[] = [];
    for (let i = 0; i < pairs.length; i++) {
      sorted[2 * i] = (pairs[i] as [string, string])[0];
      sorted[2 * i + 1] = (pairs[i] as [string, string])[1];
    }
    this.#list = sorted;
    this.#changed?.();
  }

  forEach(callback: (value: string, name: string, parent: URLSearchParams) => unknown, thisArg: unknown = undefined): void {
    void this.#list;
    needArguments(arguments.length, 1, 'URLSearchParams.forEach');
    if (typeof callback !== 'function') throw new NativeTypeError('URLSearchParams.forEach: the callback must be a function');
    for (let i = 0; i < this.#list.length; i += 2) reflectApply(callback, thisArg, [this.#list[i + 1], this.#list[i], this]);
  }

  entries(): IterableIterator<[string, string]> { return new ParamsIterator(this, PAIRS) as never; }
  keys(): IterableIterator<string> { return new ParamsIterator(this, NAMES) as never; }
  values(): IterableIterator<string> { return new ParamsIterator(this, VALUES) as never; }

  toString(): string {
    const parts: string[] = [];
    const list = this.#list;
    for (let i = 0; i < list.length; i += 2) parts[parts.length] = `${encodeForm(list[i] as string)}=${encodeForm(list[i + 1] as string)}`;
    return ArrayPrototypeJoin(parts, '&');
  }

  static {
    linkedParams = (search, changed): URLSearchParams => {
      const params = new URLSearchParams(search);
      params.#changed = changed;
      return params;
    };
    replaceParams = (params, search): void => {
      (params as URLSearchParams).#list = parseForm(search[0] === '?' ? StringPrototypeSlice(search, 1) : search);
    };
    isParams = (value): value is URLSearchParams => #list in value;
    listOf = (params): string[] => params.#list;
  }
}

const { toString, entries } = URLSearchParams.prototype;
Object.defineProperty(URLSearchParams.prototype, iterator, { value: entries, writable: true, configurable: true });

export function paramsText(params: object): string {
  return reflectApply(toString, params, []) as string;
}

function copy(list: string[]): string[] {
  const all: string[] = [];
  for (let i = 0; i < list.length; i++) all[i] = list[i] as string;
  return all;
}

const PAIRS = 0;
const NAMES = 1;
const VALUES = 2;

/** Live: what is appended on the way is seen (Web IDL, section 3.7.10). */
class ParamsIterator {
  static { Object.setPrototypeOf(this.prototype, IteratorPrototype); }
  readonly #params: URLSearchParams;
  readonly #kind: number;
  #at = 0;

  constructor(params: URLSearchParams, kind: number) {
    listOf(params);
    this.#params = params;
    this.#kind = kind;
  }

  next(): IteratorResult<unknown> {
    const list = listOf(this.#params);
    if (this.#at >= list.length) return { value: undefined, done: true };
    const name = list[this.#at] as string;
    const value = list[this.#at + 1] as string;
    this.#at += 2;
    return { value: this.#kind === PAIRS ? [name, value] : this.#kind === NAMES ? name : value, done: false };
  }
}
finishIterator(ParamsIterator.prototype, 'URLSearchParams Iterator');
