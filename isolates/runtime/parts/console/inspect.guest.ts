// A readable form of any value: bounded in depth, items and nodes; calls no getter, and survives cycles and proxies that throw.
import { LINE_CHARACTERS } from '../../console.guest.ts';
import {
  ArrayBufferByteLength, ArrayPrototypeJoin, DataViewByteLength, JSONStringify, NativeError, NativeString, ObjectKeys, RegExpPrototypeExec, StringPrototypeIndexOf, StringPrototypeSlice,
  StringPrototypeSplit, append, reflectApply, reflectGetOwnPropertyDescriptor, typedArrayName, uncurryThis,
} from '../../primordials.guest.ts';

const DEPTH = 4;
const ITEMS = 100;
/** Values in one call: depth and items alone would still allow for millions. */
const NODES = 2_000;
/** What is longer, or has lines, is put on lines of its own. */
const WIDTH = 76;

const { getOwnPropertySymbols, getPrototypeOf } = Object;
const { isArray } = Array;
/** V8's own accessor for the stack, the same for all errors; any other is a tenant's. */
const nativeStack = reflectGetOwnPropertyDescriptor(new NativeError(''), 'stack')?.get;
const PropertyIsEnumerable = uncurryThis(Object.prototype.propertyIsEnumerable);
const getter = (of: object, name: string): ((self: unknown) => unknown) => {
  const get = reflectGetOwnPropertyDescriptor(of, name)?.get as () => unknown;
  return (self) => reflectApply(get, self, []);
};
const mapSize = getter(Map.prototype, 'size');
const setSize = getter(Set.prototype, 'size');
const regExpSource = getter(RegExp.prototype, 'source');
const regExpFlags = getter(RegExp.prototype, 'flags');
const MapPrototypeForEach = uncurryThis(Map.prototype.forEach as (this: unknown, callback: (value: unknown, key: unknown) => void) => void);
const SetPrototypeForEach = uncurryThis(Set.prototype.forEach as (this: unknown, callback: (value: unknown) => void) => void);
const DatePrototypeGetTime = uncurryThis(Date.prototype.getTime as (this: unknown) => number);
const DatePrototypeToISOString = uncurryThis(Date.prototype.toISOString as (this: unknown) => string);
const FunctionPrototypeToString = uncurryThis(Function.prototype.toString as (this: unknown) => string);
const box = (name: string, prototype: { valueOf(): unknown }): { readonly name: string; readonly valueOf: (self: unknown) => unknown } => ({
  name, valueOf: uncurryThis(prototype.valueOf as (this: unknown) => unknown),
});
const boxes = [box('Number', Number.prototype), box('String', String.prototype), box('Boolean', Boolean.prototype), box('Symbol', Symbol.prototype), box('BigInt', BigInt.prototype)];
/** Properties of errors that are worth showing though not enumerable. */
const HIDDEN = ['cause', 'errors'] as const;
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/** What a brand check of an intrinsic says; undefined when it throws. */
function branded<T>(read: (self: unknown) => T, value: unknown): T | undefined {
  try {
    return read(value);
  } catch {
    return undefined;
  }
}

/** The walk through one value. */
class Inspection {
  #nodes = 0;
  readonly #path: object[] = [];

  /** Never throws: a proxy's trap may. */
  show(value: unknown, depth: number): string {
    try {
      return this.#show(value, depth);
    } catch {
      return '[unreadable]';
    }
  }

  #show(value: unknown, depth: number): string {
    this.#nodes += 1;
    if (this.#nodes > NODES) return '…';
    if (typeof value === 'string') return quoted(value);
    if (typeof value === 'bigint') return `${value}n`;
    if (typeof value === 'number') return value === 0 && 1 / value < 0 ? '-0' : `${value}`;
    if (typeof value === 'function') return functionText(value);
    if (typeof value !== 'object' || value === null) return NativeString(value);
    for (let i = 0; i < this.#path.length; i++) if (this.#path[i] === value) return '[Circular]';
    append(this.#path, value);
    try {
      return this.#object(value, depth);
    } finally {
      this.#path.length -= 1;
    }
  }

  #object(value: object, depth: number): string {
    if (inheritsFrom(value, NativeError.prototype)) return this.#error(value, depth);
    const time = branded(DatePrototypeGetTime, value);
    if (time !== undefined) return time === time ? DatePrototypeToISOString(value) : 'Invalid Date';
    const source = value === RegExp.prototype ? undefined : branded(regExpSource, value);
    if (source !== undefined) return `/${source as string}/${branded(regExpFlags, value) as string}`;
    const typed = typedArrayName(value);
    if (typed !== undefined) return this.#typedArray(typed, value as Uint8Array);
    const { open, prefix, close, entries, left } = this.#parts(value, depth);
    if (left > 0) append(entries, `… ${left} more`);
    if (entries.length === 0) return `${prefix}${open}${close}`;
    return together(prefix, open, entries, close);
  }

  #parts(value: object, depth: number): { open: string; close: string; prefix: string; entries: string[]; left: number } {
    const name = constructorName(value);
    const entries: string[] = [];
    if (isArray(value)) {
      const prefix = name === 'Array' ? '' : `${name ?? '[Array: null prototype]'}(${value.length}) `;
      if (depth === 0) return { prefix: '[Array', open: '', close: ']', entries, left: 0 };
      return { prefix, open: '[', close: ']', entries, left: this.#items(value, entries, depth) };
    }
    const tag = dataProperty(value, Symbol.toStringTag);
    const tagged = typeof tag === 'string' && tag !== '' && tag !== name ? `[${tag}] ` : '';
    const plain = name === 'Object' && tagged === '';
    const title = name === undefined ? '[Object: null prototype]' : name;
    const braces = { open: '{', close: '}' };
    const maps = branded(mapSize, value) as number | undefined;
    const sets = maps === undefined ? (branded(setSize, value) as number | undefined) : undefined;
    if (depth === 0) return { prefix: `[${title}`, open: '', close: ']', entries, left: 0 };
    if (maps !== undefined) {
      let n = 0;
      MapPrototypeForEach(value, (v, k) => {
        if (n++ < ITEMS) append(entries, `${this.show(k, depth - 1)} => ${this.show(v, depth - 1)}`);
      });
      return { ...braces, prefix: `${title}(${maps}) `, entries, left: n - entries.length };
    }
    if (sets !== undefined) {
      let n = 0;
      SetPrototypeForEach(value, (v) => {
        if (n++ < ITEMS) append(entries, this.show(v, depth - 1));
      });
      return { ...braces, prefix: `${title}(${sets}) `, entries, left: n - entries.length };
    }
    const boxed = boxedText(value);
    const bytes = branded(ArrayBufferByteLength, value) ?? branded(DataViewByteLength, value);
    if (bytes !== undefined) append(entries, `byteLength: ${bytes}`);
    const left = this.#properties(value, entries, depth);
    if (boxed !== undefined) return { prefix: `${boxed}${entries.length === 0 ? '' : ' '}`, open: entries.length === 0 ? '' : '{', close: entries.length === 0 ? '' : '}', entries, left };
    return { ...braces, prefix: plain ? '' : `${title} ${tagged}`, entries, left };
  }

  /** @returns how many were left out */
  #items(array: readonly unknown[], entries: string[], depth: number): number {
    const { length } = array;
    let shown = 0;
    let i = 0;
    for (; i < length && shown < ITEMS; i++) {
      const property = reflectGetOwnPropertyDescriptor(array, i);
      if (property !== undefined) {
        append(entries, this.#property(property, depth));
      } else {
        const from = i;
        // Holes: one entry for a run of them, looked at as far as items go.
        while (i + 1 < length && i - from < ITEMS && reflectGetOwnPropertyDescriptor(array, i + 1) === undefined) i += 1;
        append(entries, `<${i - from + 1} empty item${i === from ? '' : 's'}>`);
      }
      shown += 1;
    }
    return length - i;
  }

  #property(property: PropertyDescriptor, depth: number): string {
    if (property.get !== undefined) return property.set === undefined ? '[Getter]' : '[Getter/Setter]';
    return property.set === undefined ? this.show(property.value, depth - 1) : '[Setter]';
  }

  #properties(value: object, entries: string[], depth: number, skip?: string): number {
    const keys = ObjectKeys(value);
    let i = 0;
    for (; i < keys.length && entries.length < ITEMS; i++) {
      const key = keys[i] as string;
      const property = key === skip ? undefined : reflectGetOwnPropertyDescriptor(value, key);
      if (property !== undefined) append(entries, `${RegExpPrototypeExec(IDENTIFIER, key) === null ? quoted(key) : key}: ${this.#property(property, depth)}`);
    }
    const symbols = getOwnPropertySymbols(value);
    for (let j = 0; j < symbols.length && entries.length < ITEMS; j++) {
      const symbol = symbols[j] as symbol;
      const property = PropertyIsEnumerable(value, symbol) ? reflectGetOwnPropertyDescriptor(value, symbol) : undefined;
      if (property !== undefined) append(entries, `[${NativeString(symbol)}]: ${this.#property(property, depth)}`);
    }
    return keys.length - i;
  }

  /** Stack, then what else the error has: its own properties, its cause, the errors of an AggregateError. */
  #error(error: object, depth: number): string {
    const own = reflectGetOwnPropertyDescriptor(error, 'stack');
    const stack = own?.get !== undefined && own.get === nativeStack ? reflectApply(own.get, error, []) : own?.value as unknown;
    const name = dataProperty(error, 'name');
    const message = dataProperty(error, 'message');
    const head = `${typeof name === 'string' ? name : 'Error'}${typeof message === 'string' && message !== '' ? `: ${message}` : ''}`;
    const text = typeof stack === 'string' && stack !== '' ? stack : `[${head}]`;
    if (depth === 0) return text;
    const entries: string[] = [];
    const left = this.#properties(error, entries, depth, 'stack');
    if (left > 0) append(entries, `… ${left} more`);
    for (let i = 0; i < HIDDEN.length; i++) {
      const hidden = HIDDEN[i] as string;
      const property = reflectGetOwnPropertyDescriptor(error, hidden);
      if (property !== undefined && property.enumerable === false) append(entries, `[${hidden}]: ${this.#property(property, depth)}`);
    }
    return entries.length === 0 ? text : together(`${text} `, '{', entries, '}');
  }

  #typedArray(name: string, array: Uint8Array): string {
    const entries: string[] = [];
    const length = arrayLength(array) as number;
    for (let i = 0; i < length && i < ITEMS; i++) append(entries, `${array[i]}${typeof array[i] === 'bigint' ? 'n' : ''}`);
    if (length > ITEMS) append(entries, `… ${length - ITEMS} more`);
    return `${name}(${length}) [${ArrayPrototypeJoin(entries, ', ')}]`;
  }
}

const arrayLength = getter(getPrototypeOf(Uint8Array.prototype) as object, 'length');

function quoted(text: string): string {
  return JSONStringify(text.length > LINE_CHARACTERS ? StringPrototypeSlice(text, 0, LINE_CHARACTERS) : text) as string;
}

/** On one line where that is short, else each entry on its own. */
function together(prefix: string, open: string, entries: string[], close: string): string {
  const inner = ArrayPrototypeJoin(entries, ', ');
  const pad = open === '[' ? '' : ' ';
  if (inner.length <= WIDTH && StringPrototypeIndexOf(inner, '\n') < 0) return `${prefix}${open}${pad}${inner}${pad}${close}`;
  const lines = ArrayPrototypeJoin(StringPrototypeSplit(ArrayPrototypeJoin(entries, ',\n'), '\n'), '\n  ');
  return `${prefix}${open}\n  ${lines}\n${close}`;
}

function inheritsFrom(value: object, prototype: object): boolean {
  let at: unknown = value;
  // A proxy may claim any number of prototypes.
  for (let i = 0; i < ITEMS && at !== null; i++) {
    at = getPrototypeOf(at);
    if (at === prototype) return true;
  }
  return false;
}

/** The property's value if it is plain data, here or on a prototype: no getter is called. */
function dataProperty(value: object, key: PropertyKey): unknown {
  let at: object | null = value;
  for (let i = 0; i < ITEMS && at !== null; i++) {
    const property = reflectGetOwnPropertyDescriptor(at, key);
    if (property !== undefined) return property.value as unknown;
    at = getPrototypeOf(at) as object | null;
  }
  return undefined;
}

/** Undefined: it has no prototype. */
function constructorName(value: object): string | undefined {
  if (getPrototypeOf(value) === null) return undefined;
  const made = dataProperty(getPrototypeOf(value) as object, 'constructor');
  const name = typeof made === 'function' ? reflectGetOwnPropertyDescriptor(made, 'name')?.value as unknown : undefined;
  return typeof name === 'string' && name !== '' ? name : 'Object';
}

function boxedText(value: object): string | undefined {
  for (let i = 0; i < boxes.length; i++) {
    const { name, valueOf } = boxes[i] as (typeof boxes)[number];
    const primitive = branded(valueOf, value);
    if (primitive !== undefined) return `[${name}: ${typeof primitive === 'string' ? quoted(primitive) : `${NativeString(primitive)}${typeof primitive === 'bigint' ? 'n' : ''}`}]`;
  }
  return undefined;
}

function functionText(value: object): string {
  const name = reflectGetOwnPropertyDescriptor(value, 'name')?.value as unknown;
  const source = branded(FunctionPrototypeToString, value) ?? '';
  const kind = StringPrototypeIndexOf(source, 'class') === 0 ? 'class' : 'Function';
  return typeof name === 'string' && name !== '' ? `[${kind}${kind === 'class' ? ' ' : ': '}${name}]` : `[${kind} (anonymous)]`;
}

/** The value as console prints it inside of something else: strings are quoted. */
export function inspect(value: unknown): string {
  return new Inspection().show(value, DEPTH);
}
