// FormData (XMLHttpRequest standard, section 5), and forms as bodies of requests and responses.
import { needs } from '../headers.guest.ts';
import { loadPart } from '../parts.guest.ts';
import { ArrayPrototypeSplice, NativeTypeError, ObjectDefineProperty, StringPrototypeToWellFormed, symbolIterator } from '../primordials.guest.ts';
import type { Blob, BlobPart, File } from './blob.guest.ts';
import { decodeEntries } from './form/decode.guest.ts';
import { encodeEntries } from './form/encode.guest.ts';
import type { EncodedForm } from './form/encode.guest.ts';
import type { MimeType } from './mime.guest.ts';
import { forEachPair, pairIterators } from './shared/pair-iterator.guest.ts';
import type { IterationKind } from './shared/pair-iterator.guest.ts';

export type FormEntry = readonly [name: string, value: string | File];

export interface FormPart {
  readonly FormData: typeof FormData;
  /** Undefined for what is no FormData. */
  encodeForm(value: unknown): EncodedForm | undefined;
  /** Throws a TypeError when type or content is no form. */
  decodeForm(bytes: Uint8Array, mime: MimeType | null): FormData;
}

const INTERNAL = Symbol('internal');

const blobs = loadPart<BlobPart>('blob');

function scalar(value: unknown): string {
  return StringPrototypeToWellFormed(`${value as string}`);
}

/** "Create an entry": arguments as Web IDL's overloads convert them. */
function entryOf(given: number, name: unknown, value: unknown, filename: unknown): FormEntry {
  needs(given, 2);
  const key = scalar(name);
  const content = blobs.contentOf(value);
  if (content === undefined) {
    if (given > 2) throw new NativeTypeError('only a Blob can have a file name');
    return [key, scalar(value)];
  }
  const isFile = blobs.isFile(value);
  if (isFile && (given < 3 || filename === undefined)) return [key, value];
  const fileName = given > 2 && filename !== undefined ? scalar(filename) : 'blob';
  return [key, blobs.fileOf(content.chunks, content.type, fileName, isFile ? value.lastModified : now())];
}

const { now } = Date;

export class FormData {
  #entries: FormEntry[] = [];

  constructor(form: unknown = undefined) {
    if (form !== undefined) throw new NativeTypeError('there are no form elements here');
  }

  append(name: string, value: string | Blob, filename: string | undefined = undefined): void {
    const entries = this.#entries;
    entries[entries.length] = entryOf(arguments.length, name, value, filename);
  }

  set(name: string, value: string | Blob, filename: string | undefined = undefined): void {
    const entries = this.#entries;
    const entry = entryOf(arguments.length, name, value, filename);
    let at = 0;
    while (at < entries.length && entries[at]?.[0] !== entry[0]) at += 1;
    entries[at] = entry;
    removeFrom(entries, entry[0], at + 1);
  }

  delete(name: string): void {
    needs(arguments.length, 1);
    removeFrom(this.#entries, scalar(name), 0);
  }

  get(name: string): string | File | null {
    needs(arguments.length, 1);
    const key = scalar(name);
    const entries = this.#entries;
    for (let i = 0; i < entries.length; i++) if (entries[i]?.[0] === key) return entries[i]?.[1] as string | File;
    return null;
  }

  getAll(name: string): (string | File)[] {
    needs(arguments.length, 1);
    const key = scalar(name);
    const entries = this.#entries;
    const values: (string | File)[] = [];
    for (let i = 0; i < entries.length; i++) if (entries[i]?.[0] === key) values[values.length] = entries[i]?.[1] as string | File;
    return values;
  }

  has(name: string): boolean {
    needs(arguments.length, 1);
    const key = scalar(name);
    const entries = this.#entries;
    for (let i = 0; i < entries.length; i++) if (entries[i]?.[0] === key) return true;
    return false;
  }

  forEach(callback: (value: string | File, name: string, parent: FormData) => unknown, thisArg: unknown = undefined): void {
    needs(arguments.length, 1);
    forEachPair(this, () => this.#entries, callback, thisArg);
  }

  entries(): IterableIterator<FormEntry> { return iterate(this.#own(), 'entries') as IterableIterator<FormEntry>; }
  keys(): IterableIterator<string> { return iterate(this.#own(), 'keys') as IterableIterator<string>; }
  values(): IterableIterator<string | File> { return iterate(this.#own(), 'values') as IterableIterator<string | File>; }
  declare [Symbol.iterator]: () => IterableIterator<FormEntry>;

  #own(): this {
    return this;
  }

  static [INTERNAL] = {
    of(entries: FormEntry[]): FormData {
      const form = new FormData();
      form.#entries = entries;
      return form;
    },
    entries(form: FormData): readonly FormEntry[] {
      return form.#entries;
    },
    is(value: unknown): value is FormData {
      return typeof value === 'object' && value !== null && #entries in value;
    },
  };
}

const { of, entries, is } = FormData[INTERNAL];
delete (FormData as { [INTERNAL]?: unknown })[INTERNAL];
ObjectDefineProperty(FormData.prototype, symbolIterator, { value: FormData.prototype.entries, writable: true, enumerable: false, configurable: true });

const iterator = pairIterators<FormData, string | File>('FormData', entries);
function iterate(form: FormData, kind: IterationKind): IterableIterator<unknown> {
  return iterator(form, kind);
}

function removeFrom(list: FormEntry[], name: string, from: number): void {
  for (let i = list.length - 1; i >= from; i--) if (list[i]?.[0] === name) ArrayPrototypeSplice(list, i, 1);
}

export function encodeForm(value: unknown): EncodedForm | undefined {
  return is(value) ? encodeEntries(entries(value)) : undefined;
}

export function decodeForm(bytes: Uint8Array, mime: MimeType | null): FormData {
  return of(decodeEntries(bytes, mime));
}
