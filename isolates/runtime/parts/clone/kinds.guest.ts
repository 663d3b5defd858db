// What a value is to structured cloning: told by its internal slots, without running tenant code (but for the traps of proxies).
import { ArrayBufferByteLength, NativeMap, NativeString, ObjectKeys, ObjectPrototypeToString, reflectApply, reflectConstruct, reflectDefineProperty, reflectGetOwnPropertyDescriptor, uncurryThis } from '../../primordials.guest.ts';
import { intrinsics } from '../../structured-clone.guest.ts';
import { interfacePrototypes } from '../../webidl.guest.ts';

const { errors, getPrototypeOf, reflectHas, views } = intrinsics;
/** V8 has it only after the snapshot. */
const unicodeSets = reflectGetOwnPropertyDescriptor(intrinsics.RegExp.prototype, 'unicodeSets')?.get;


export type Kind = 'array' | 'plain' | 'arrayBuffer' | 'map' | 'set' | 'boolean' | 'number' | 'string' | 'bigint' | 'symbol' | 'date' | 'regexp' | 'error' | 'refused';

const { toStringTag } = Symbol;

/** One for all: there is a definition for each property of each copy. */
const descriptor: PropertyDescriptor = { __proto__: null, value: undefined, writable: true, enumerable: true, configurable: true } as PropertyDescriptor;

/** Whether calling this method on the value works: it has the slot. */
function hasSlot(method: (this: never, ...args: never[]) => unknown, value: object): boolean {
  try {
    reflectApply(method, value, []);
    return true;
  } catch {
    return false;
  }
}

export function isArrayBuffer(value: object): boolean {
  try {
    ArrayBufferByteLength(value);
    return true;
  } catch {
    return false;
  }
}

/** Tests that throw where they fail: asked only of what is no ordinary object. */
const SLOTS: readonly (readonly [Kind, (value: object) => boolean])[] = [
  ['map', (value) => hasSlot(intrinsics.mapHas as never, value)],
  ['set', (value) => isSet(value)],
  ['date', (value) => hasSlot(intrinsics.dateTime as never, value)],
  ['boolean', (value) => hasSlot(intrinsics.boolean as never, value)],
  ['number', (value) => hasSlot(intrinsics.number as never, value)],
  ['string', (value) => hasSlot(intrinsics.string as never, value)],
  ['bigint', (value) => hasSlot(intrinsics.bigInt as never, value)],
  ['symbol', (value) => hasSlot(intrinsics.symbol as never, value)],
  ['regexp', (value) => isRegExp(value)],
];

const nothing = (): void => {};
function isSet(value: object): boolean {
  try {
    reflectApply(intrinsics.setForEach as never, value, [nothing]);
    return true;
  } catch {
    return false;
  }
}

/** The prototype itself answers `source` without being one; `lastIndex` is what every real one has as its own. */
function isRegExp(value: object): boolean {
  return hasSlot(intrinsics.regExpSource as never, value) && reflectGetOwnPropertyDescriptor(value, 'lastIndex')?.configurable === false;
}

const TAGS: Readonly<Record<string, Kind>> = {
  __proto__: null as never,
  '[object Boolean]': 'boolean', '[object Number]': 'number', '[object String]': 'string', '[object Date]': 'date', '[object RegExp]': 'regexp', '[object Error]': 'error',
  '[object Arguments]': 'refused',
};

/** Of an object that is no view, no ArrayBuffer and no platform object. */
export function kindOfObject(value: object): Kind {
  // Without a tag anywhere, this tells the internal slots of the types that have always been there; newer types bring a tag, unless somebody took their prototype.
  if (!reflectHas(value, toStringTag)) {
    const kind = TAGS[ObjectPrototypeToString(value)];
    if (kind !== undefined) return kind;
    if (hasOwnKeys(value)) return isOfInterface(value) ? 'refused' : 'plain';
  }
  for (let i = 0; i < SLOTS.length; i++) {
    const slot = SLOTS[i] as (typeof SLOTS)[number];
    if (slot[1](value)) return slot[0];
  }
  if (inChain(value, ERROR)) return 'error';
  return isOfInterface(value) || inChain(value, SLOTTED) ? 'refused' : 'plain';
}

function hasOwnKeys(value: object): boolean {
  return ObjectKeys(value).length > 0;
}

/** Ordinary data, told at once: what most values are. */
export function isOrdinary(value: object): boolean {
  const prototype = getPrototypeOf(value);
  return (prototype === OBJECT || prototype === null) && !reflectHas(value, toStringTag) && ObjectPrototypeToString(value) === '[object Object]' && hasOwnKeys(value);
}
const OBJECT = intrinsics.Object.prototype;

function isOfInterface(value: object): boolean {
  return inChain(value, interfacePrototypes);
}

function inChain(value: object, prototypes: readonly (object | null)[]): boolean {
  for (let at = getPrototypeOf(value); at !== null; at = getPrototypeOf(at)) {
    for (let i = 0; i < prototypes.length; i++) if (at === prototypes[i]) return true;
  }
  return false;
}

const ERROR = [(errors['Error'] as ErrorConstructor).prototype];

/** Types of the language with slots that can't be cloned, by instances that only syntax makes where there are any. */
const SLOTTED: (object | null)[] = [
  getPrototypeOf((async () => {})()), WeakMap.prototype, WeakSet.prototype, WeakRef.prototype, FinalizationRegistry.prototype,
  // %IteratorPrototype% and %AsyncIteratorPrototype%: of all iterators and generators.
  getPrototypeOf(getPrototypeOf([][Symbol.iterator]()) as object), getPrototypeOf(getPrototypeOf(getPrototypeOf((async function* () {})()) as object) as object),
];

const INTL = ['DateTimeFormat', 'NumberFormat', 'Collator', 'PluralRules', 'ListFormat', 'RelativeTimeFormat', 'Segmenter', 'DisplayNames', 'Locale'];
for (let i = 0; i < INTL.length; i++) {
  const { prototype } = (Intl as unknown as Record<string, { readonly prototype: object }>)[INTL[i] as string] ?? { prototype: null };
  define(SLOTTED, SLOTTED.length, prototype);
}

// ---- making the copies ----

const unboxed = {
  boolean: uncurryThis(intrinsics.boolean as never), number: uncurryThis(intrinsics.number as never), string: uncurryThis(intrinsics.string as never), bigint: uncurryThis(intrinsics.bigInt as never),
} as unknown as Readonly<Record<string, (value: object) => unknown>>;

/** A copy of an object that is nothing but its slot. */
export function copySlot(kind: Kind, value: object): object {
  switch (kind) {
    case 'date':
      return reflectConstruct(intrinsics.Date, [reflectApply(intrinsics.dateTime as never, value, [])]) as object;
    case 'regexp': {
      let flags = '';
      for (let i = 0; i < intrinsics.regExpFlags.length; i++) {
        const flag = intrinsics.regExpFlags[i] as (typeof intrinsics.regExpFlags)[number];
        if (reflectApply(flag[1], value, []) === true) flags += flag[0];
      }
      if (unicodeSets !== undefined && reflectApply(unicodeSets, value, []) === true) flags += 'v';
      return reflectConstruct(intrinsics.RegExp, [reflectApply(intrinsics.regExpSource, value, []), flags]) as object;
    }
    default:
      return reflectApply(intrinsics.Object as never, undefined, [unboxed[kind]?.(value)]) as object;
  }
}

export function viewConstructor(name: string | undefined): new (buffer: ArrayBuffer, offset: number, length: number) => ArrayBufferView {
  return views[name ?? 'DataView'] as never;
}

/** Keys and values in turn. */
export function mapEntries(map: object): unknown[] {
  const entries: unknown[] = [];
  reflectApply(intrinsics.mapForEach as never, map, [(value: unknown, key: unknown) => {
    define(entries, entries.length, key);
    define(entries, entries.length, value);
  }]);
  return entries;
}

export function setItems(set: object): unknown[] {
  const items: unknown[] = [];
  reflectApply(intrinsics.setForEach as never, set, [(item: unknown) => define(items, items.length, item)]);
  return items;
}

export const newMap = (): Map<unknown, unknown> => new NativeMap();
export const newSet = (): Set<unknown> => reflectConstruct(intrinsics.Set, []) as Set<unknown>;
export const setAdd = uncurryThis(intrinsics.setAdd as (this: Set<unknown>, item: unknown) => Set<unknown>);
export const mapHas = uncurryThis(intrinsics.mapHas as (this: Map<unknown, unknown>, key: unknown) => boolean);
export const hasOwn = uncurryThis(intrinsics.hasOwn as (this: object, key: string) => boolean);
export const transferBuffer = uncurryThis(intrinsics.arrayBufferTransfer as (this: ArrayBuffer) => ArrayBuffer);
export const isDetached = uncurryThis(intrinsics.arrayBufferDetached as never) as unknown as (buffer: object) => boolean;
export const typedArrayLength = uncurryThis(intrinsics.typedArrayLength as never) as unknown as (view: object) => number;

/** An error of the type that `name` says, as far as there is such a type. */
export function newError(error: { readonly name?: unknown }): object {
  const { name } = error;
  const text = name === undefined ? 'Error' : NativeString(name);
  const type = hasOwn(errors, text) ? errors[text] : errors['Error'];
  return reflectConstruct(type as ErrorConstructor, []) as object;
}

/** CreateDataProperty: setters that a tenant put on a prototype are not asked. */
export function define(holder: object, key: string | number, value: unknown, enumerable = true): void {
  descriptor.value = value;
  descriptor.enumerable = enumerable;
  reflectDefineProperty(holder, key, descriptor);
  descriptor.value = undefined;
}
/** The value of an own data property; undefined when there is none. */
export function ownValue(value: object, key: string): { readonly value?: unknown } | undefined {
  const found = reflectGetOwnPropertyDescriptor(value, key);
  return found !== undefined && hasOwn(found, 'value') ? found : undefined;
}
