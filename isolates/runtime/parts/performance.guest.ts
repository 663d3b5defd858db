// performance: High Resolution Time (section 7) and User Timing (Level 3), on the clock that stands still during an entry.
import { CLOCK } from '../abi-clock.ts';
import { elapsedMs } from '../clock.guest.ts';
import { DOMException } from '../errors.guest.ts';
import { op } from '../host.guest.ts';
import { loadPart } from '../parts.guest.ts';
import { ArrayPrototypeSort, ArrayPrototypeSplice, NativeNumber, NativeTypeError, ObjectDefineProperty } from '../primordials.guest.ts';
import type * as EventsPart from './events.guest.ts';
import { structuredClone } from '../structured-clone.guest.ts';

/** Entries kept; beyond it the oldest goes. The standard bounds nothing, but nobody clears what nobody reads. */
const MAX_ENTRIES = 10_000;

const KEY = Symbol('internal');
const { EventTarget } = loadPart<typeof EventsPart>('events');

/** A name (DOMString): symbols throw. */
function text(value: unknown): string {
  return `${value as string}`;
}

/** DOMHighResTimeStamp: a finite number. */
function time(value: unknown): number {
  const ms = NativeNumber(value);
  if (ms - ms !== 0) throw new NativeTypeError('a time must be a finite number');
  return ms;
}

function required(count: number): void {
  if (count < 1) throw new NativeTypeError('1 argument required, but only 0 present');
}

/** A dictionary: undefined and null are empty ones. */
function dictionary(value: unknown): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return EMPTY;
  if (typeof value !== 'object' && typeof value !== 'function') throw new NativeTypeError('the options must be an object');
  return value as Readonly<Record<string, unknown>>;
}
const EMPTY = { __proto__: null } as unknown as Readonly<Record<string, unknown>>;

/** What is stored with an entry is a copy of its own. */
function stored(detail: unknown): unknown {
  return detail === undefined || detail === null ? null : structuredClone(detail);
}

export class PerformanceEntry {
  readonly #name: string;
  readonly #type: string;
  readonly #start: number;
  readonly #duration: number;
  /** Of marks and measures; their classes show it. */
  readonly #detail: unknown;

  constructor(key: unknown, name: string, type: string, start: number, duration: number, detail: unknown) {
    if (key !== KEY) throw new NativeTypeError('Illegal constructor');
    this.#name = name;
    this.#type = type;
    this.#start = start;
    this.#duration = duration;
    this.#detail = detail;
  }

  get name(): string {
    return this.#name;
  }

  get entryType(): string {
    return this.#type;
  }

  get startTime(): number {
    return this.#start;
  }

  get duration(): number {
    return this.#duration;
  }

  toJSON(): object {
    return { name: this.#name, entryType: this.#type, startTime: this.#start, duration: this.#duration, detail: this.#detail };
  }

  static [KEY] = {
    name: (entry: PerformanceEntry): string => entry.#name,
    type: (entry: PerformanceEntry): string => entry.#type,
    start: (entry: PerformanceEntry): number => entry.#start,
    detail: (entry: PerformanceEntry): unknown => entry.#detail,
  };
}
const { name: nameOf, type: typeOf, start: startOf, detail: detailOf } = PerformanceEntry[KEY];
delete (PerformanceEntry as { [KEY]?: unknown })[KEY];

export class PerformanceMark extends PerformanceEntry {
  /** User Timing, "the PerformanceMark constructor". */
  constructor(markName: unknown, options?: unknown) {
    required(arguments.length);
    const name = text(markName);
    const { detail, startTime } = dictionary(options);
    const start = startTime === undefined ? elapsedMs() : time(startTime);
    if (start < 0) throw new NativeTypeError('startTime must not be negative');
    super(KEY, name, 'mark', start, 0, stored(detail));
  }

  get detail(): unknown {
    return detailOf(this);
  }
}

export class PerformanceMeasure extends PerformanceEntry {
  constructor(key: unknown, name: string, start: number, duration: number, detail: unknown) {
    super(key, name, 'measure', start, duration, detail);
  }

  get detail(): unknown {
    return detailOf(this);
  }
}

let entries: PerformanceEntry[] = [];

function keep(entry: PerformanceEntry): void {
  entries[entries.length] = entry;
  if (entries.length > MAX_ENTRIES) ArrayPrototypeSplice(entries, 0, 1);
}

/** In the order of their start; of equal ones, as they came. */
function chosen(fits: (entry: PerformanceEntry) => boolean): PerformanceEntry[] {
  const found: PerformanceEntry[] = [];
  let count = 0;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i] as PerformanceEntry;
    if (fits(entry)) found[count++] = entry;
  }
  return ArrayPrototypeSort(found, (a: PerformanceEntry, b: PerformanceEntry) => startOf(a) - startOf(b)) as PerformanceEntry[];
}

function clear(type: string, name: string | undefined): void {
  const kept: PerformanceEntry[] = [];
  let count = 0;
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i] as PerformanceEntry;
    if (typeOf(entry) !== type || (name !== undefined && nameOf(entry) !== name)) kept[count++] = entry;
  }
  entries = kept;
}

/** User Timing, "convert a mark to a timestamp". */
function timestamp(mark: unknown): number {
  if (typeof mark === 'number') {
    const ms = time(mark);
    if (ms < 0) throw new NativeTypeError('a time must not be negative');
    return ms;
  }
  const name = text(mark);
  for (let i = entries.length - 1; i >= 0; i--) {
    const entry = entries[i] as PerformanceEntry;
    if (typeOf(entry) === 'mark' && nameOf(entry) === name) return startOf(entry);
  }
  throw new DOMException(`the mark '${name}' does not exist`, 'SyntaxError');
}

interface Span {
  readonly start: number;
  readonly end: number;
  readonly detail: unknown;
}

/** `measure` with options. A mark that is a time is a number; everything else names one. */
function spanOfOptions(options: Readonly<Record<string, unknown>>, endMark: unknown): Span {
  const { detail, duration, end, start } = options;
  const given = detail !== undefined || duration !== undefined || end !== undefined || start !== undefined;
  if (given) {
    if (endMark !== undefined) throw new NativeTypeError('options and an end mark exclude each other');
    if (start === undefined && end === undefined) throw new NativeTypeError('a start or an end is required');
    if (start !== undefined && end !== undefined && duration !== undefined) throw new NativeTypeError('start, end and duration exclude each other');
  }
  const length = duration === undefined ? 0 : timestamp(time(duration));
  const endMs =
    endMark !== undefined ? timestamp(text(endMark))
    : end !== undefined ? timestamp(end)
    : start !== undefined && duration !== undefined ? timestamp(start) + length
    : elapsedMs();
  const startMs = start !== undefined ? timestamp(start) : end !== undefined && duration !== undefined ? endMs - length : 0;
  return { start: startMs, end: endMs, detail };
}

export class Performance extends EventTarget {
  constructor(key: unknown) {
    if (key !== KEY) throw new NativeTypeError('Illegal constructor');
    super();
    this.#brand = true;
  }

  readonly #brand: boolean;

  /** Milliseconds since the isolate was made, as of the begin of the running entry. */
  now(): number {
    void this.#brand;
    return elapsedMs();
  }

  /** When the isolate was made. Later invocations in it have the same origin. */
  get timeOrigin(): number {
    void this.#brand;
    return originMs();
  }

  toJSON(): object {
    void this.#brand;
    return { timeOrigin: originMs() };
  }

  mark(markName: unknown, options?: unknown): PerformanceMark {
    void this.#brand;
    required(arguments.length);
    const entry = new PerformanceMark(markName, options);
    keep(entry);
    return entry;
  }

  measure(measureName: unknown, startOrOptions?: unknown, endMark?: unknown): PerformanceMeasure {
    void this.#brand;
    required(arguments.length);
    const name = text(measureName);
    const byName = startOrOptions !== undefined && startOrOptions !== null && typeof startOrOptions !== 'object' && typeof startOrOptions !== 'function';
    let span: Span;
    if (byName) {
      const end = endMark === undefined ? elapsedMs() : timestamp(text(endMark));
      span = { start: timestamp(text(startOrOptions)), end, detail: undefined };
    } else {
      span = spanOfOptions(dictionary(startOrOptions), endMark);
    }
    const entry = new PerformanceMeasure(KEY, name, span.start, span.end - span.start, stored(span.detail));
    keep(entry);
    return entry;
  }

  clearMarks(markName?: unknown): void {
    void this.#brand;
    clear('mark', markName === undefined ? undefined : text(markName));
  }

  clearMeasures(measureName?: unknown): void {
    void this.#brand;
    clear('measure', measureName === undefined ? undefined : text(measureName));
  }

  getEntries(): PerformanceEntry[] {
    void this.#brand;
    return chosen(() => true);
  }

  getEntriesByType(type: unknown): PerformanceEntry[] {
    void this.#brand;
    required(arguments.length);
    const wanted = text(type);
    return chosen((entry) => typeOf(entry) === wanted);
  }

  getEntriesByName(name: unknown, type?: unknown): PerformanceEntry[] {
    void this.#brand;
    required(arguments.length);
    const wanted = text(name);
    const wantedType = type === undefined ? undefined : text(type);
    return chosen((entry) => nameOf(entry) === wanted && (wantedType === undefined || typeOf(entry) === wantedType));
  }
}

let origin = -1;

function originMs(): number {
  if (origin < 0) origin = op(CLOCK.originMs) as number;
  return origin;
}

// Optional arguments do not count (Web IDL, section 3.7.7), nor do those that only this module gives.
const LENGTHS = [
  [Performance, 0], [PerformanceEntry, 0], [PerformanceMark, 1], [PerformanceMeasure, 0], [Performance.prototype.mark, 1], [Performance.prototype.measure, 1],
  [Performance.prototype.clearMarks, 0], [Performance.prototype.clearMeasures, 0], [Performance.prototype.getEntriesByName, 1],
] as const;
for (let i = 0; i < LENGTHS.length; i++) {
  const entry = LENGTHS[i] as (typeof LENGTHS)[number];
  ObjectDefineProperty(entry[0], 'length', { value: entry[1], writable: false, enumerable: false, configurable: true });
}

export const performance = new Performance(KEY);
