// The clock as functions see it: it stands still during an entry, so that nothing can be timed by it. `Date` and `Intl` read this one.
import { CLOCK } from './abi-clock.ts';
import { op } from './host.guest.ts';
import { DatePrototypeToString, NativeDate, WeakMapPrototypeGet, WeakMapPrototypeSet, reflectApply, reflectConstruct, reflectDefineProperty, reflectGetOwnPropertyDescriptor } from './primordials.guest.ts';

/** As of the running entry; -1: not asked for yet. */
let epoch = -1;
let elapsed = -1;

/** An entry begins. */
export function newEntry(): void {
  epoch = -1;
  elapsed = -1;
}

/** What `Date.now()` is during this entry: whole milliseconds. */
export function epochMs(): number {
  if (epoch < 0) epoch = op(CLOCK.epochMs) as number;
  return epoch;
}

/** What `performance.now()` is during this entry: milliseconds since the isolate was made. */
export function elapsedMs(): number {
  if (elapsed < 0) elapsed = op(CLOCK.elapsedMs) as number;
  return elapsed;
}

/** %Date% with this clock (ECMA-262, section 21.4.2). The native constructor, which has the real one, is reachable from nowhere. */
function frozenDate(): DateConstructor {
  const Frozen = function Date(): string | object {
    // Without `new` the arguments mean nothing.
    if (new.target === undefined) return DatePrototypeToString(new NativeDate(epochMs()));
    const target = (new.target as unknown) === Frozen ? NativeDate : new.target;
    return reflectConstruct(NativeDate, arguments.length === 0 ? [epochMs()] : arguments, target) as object;
  } as unknown as DateConstructor;
  const statics = {
    now(): number {
      return epochMs();
    },
    parse: NativeDate.parse,
    UTC: NativeDate.UTC,
  };
  const plain = { writable: true, enumerable: false, configurable: true };
  reflectDefineProperty(Frozen, 'name', { value: 'Date', configurable: true });
  reflectDefineProperty(Frozen, 'length', { value: 7, configurable: true });
  reflectDefineProperty(Frozen, 'prototype', { value: NativeDate.prototype, writable: false });
  for (const [name, value] of Object.entries(statics)) reflectDefineProperty(Frozen, name, { ...plain, value });
  reflectDefineProperty(NativeDate.prototype, 'constructor', { ...plain, value: Frozen });
  return Frozen;
}

/** Used while tenant code runs: nothing that is put on Object.prototype may count as a part of it. */
const UNNAMED = { __proto__: null, value: '', configurable: true } as PropertyDescriptor;

type Format = (date?: unknown) => unknown;

/** `format` and `formatToParts` take no date for now (ECMA-402, sections 11.3.3 and 11.5.5). */
function freezeDateTimeFormat(): void {
  const { prototype } = Intl.DateTimeFormat;
  const nativeFormat = reflectGetOwnPropertyDescriptor(prototype, 'format')?.get as () => Format;
  const { formatToParts } = prototype as unknown as { formatToParts: Format };
  /** Formatters hand out one bound function each, for good. */
  const frozen = new WeakMap<object, Format>();
  const members = {
    get format(): Format {
      const native = reflectApply(nativeFormat, this, []) as Format;
      const known = WeakMapPrototypeGet(frozen, native) as Format | undefined;
      if (known !== undefined) return known;
      const made: Format = (date) => native(date === undefined ? epochMs() : date);
      reflectDefineProperty(made, 'name', UNNAMED);
      WeakMapPrototypeSet(frozen, native, made);
      return made;
    },
    formatToParts(date: unknown): unknown {
      return reflectApply(formatToParts as () => unknown, this, [date === undefined ? epochMs() : date] as never);
    },
  };
  reflectDefineProperty(prototype, 'format', { ...reflectGetOwnPropertyDescriptor(members, 'format'), enumerable: false });
  reflectDefineProperty(prototype, 'formatToParts', { ...reflectGetOwnPropertyDescriptor(members, 'formatToParts'), enumerable: false });
}

/** Before tenant code runs; what it leaves may live in the snapshot. */
export function freezeClocks(): void {
  freezeDateTimeFormat();
  reflectDefineProperty(globalThis, 'Date', { value: frozenDate(), writable: true, enumerable: false, configurable: true });
}
