// What one version did within some time, as sums that can be added; and their compact form in bytes, for seconds in memory and minutes on disk.
import { ERRORS, isErrorCode } from '../../core/errors/index.ts';
import { BUCKETS, LogHistogram } from '../../core/metrics/index.ts';
import type { VersionFigures } from '../../core/protocol/index.ts';

/** Codes that gateways count besides those of the error table. */
const OTHER_CODES = new Set(['client_gone']);
const OTHER = 'other';

/** No count is believed beyond it: sums of them stay exact. */
const MAX_COUNT = 2 ** 40;

/**
 * Bytes of the largest encoding: seven counts of up to seven bytes, codes, and two histograms whose buckets take an index and a count each.
 * Labels of codes are bounded by `CodeBook.limit`.
 */
export const MAX_ENCODED_BYTES = 8_192;

/** Numbers of error codes in encodings. Grows, and never renumbers: what is on disk is read with the same book. */
export class CodeBook {
  readonly #names: string[];
  readonly #numbers = new Map<string, number>();
  static readonly limit = 512;

  constructor(names: readonly string[] = []) {
    this.#names = [...names];
    for (const [number, name] of names.entries()) this.#numbers.set(name, number);
    for (const name of [OTHER, ...OTHER_CODES, ...Object.keys(ERRORS)]) this.#put(name);
  }

  /** In the order of their numbers. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** What is no known code counts as `other`, so that a bad sender cannot make endless labels. */
  number(code: string): number {
    return this.#numbers.get(isErrorCode(code) || OTHER_CODES.has(code) ? code : OTHER) ?? 0;
  }

  name(number: number): string {
    return this.#names[number] ?? OTHER;
  }

  #put(name: string): void {
    if (this.#numbers.has(name) || this.#names.length >= CodeBook.limit) return;
    this.#numbers.set(name, this.#names.length);
    this.#names.push(name);
  }
}

/** What isolates of a version hold at some moment. */
export interface Held {
  readonly memoryBytes: number;
  readonly isolates: number;
}

/** Sums of one version. One object is used for many versions in turn: `clear` it, add, encode. */
export class VersionSums {
  requests = 0;
  failed = 0;
  coldStarts = 0;
  /** Looks at what its isolates hold: how many, and the sums and the most that was seen. KiB, as bytes are finer than they are known. */
  looks = 0;
  memoryKib = 0;
  memoryMaxKib = 0;
  isolates = 0;
  /** By number in the code book. */
  readonly codes = new Map<number, number>();
  /** Microseconds. */
  readonly wallUs = new LogHistogram();
  readonly cpuUs = new LogHistogram();

  clear(): void {
    this.requests = 0;
    this.failed = 0;
    this.coldStarts = 0;
    this.looks = 0;
    this.memoryKib = 0;
    this.memoryMaxKib = 0;
    this.isolates = 0;
    if (this.codes.size > 0) this.codes.clear();
    this.wallUs.clear();
    this.cpuUs.clear();
  }

  /** Adds increments that a gateway pushed, and one look at what its isolates hold. */
  addFigures(figures: VersionFigures, held: Held, book: CodeBook): void {
    let requests = 0;
    let above500 = 0;
    for (const [status, count] of Object.entries(figures.statuses)) {
      requests += whole(count);
      if (Number(status) >= 500) above500 += whole(count);
    }
    this.requests += requests;
    this.failed += Math.min(requests, whole(figures.failed ?? above500));
    this.coldStarts += whole(figures.coldStarts);
    for (const [code, count] of Object.entries(figures.codes)) raise(this.codes, book.number(code), whole(count));
    addPairs(this.wallUs, figures.wallUs);
    addPairs(this.cpuUs, figures.cpuUs);
    const memoryKib = whole(held.memoryBytes / 1_024);
    this.looks += 1;
    this.memoryKib += memoryKib;
    this.memoryMaxKib = Math.max(this.memoryMaxKib, memoryKib);
    this.isolates += whole(held.isolates);
  }

  /** Adds what `encode` wrote at `at`; answers where it ends. */
  addEncoded(bytes: Uint8Array, at: number): number {
    const reader = new Reader(bytes, at);
    this.requests += reader.next();
    this.failed += reader.next();
    this.coldStarts += reader.next();
    this.looks += reader.next();
    this.memoryKib += reader.next();
    this.memoryMaxKib = Math.max(this.memoryMaxKib, reader.next());
    this.isolates += reader.next();
    for (let n = reader.next(); n > 0; n--) {
      const code = reader.next();
      raise(this.codes, code, reader.next());
    }
    reader.histogram(this.wallUs);
    reader.histogram(this.cpuUs);
    return reader.at;
  }

  /** Writes it at `at`, where `MAX_ENCODED_BYTES` must be free; answers where it ends. Counts are variable-length integers (LEB128), indexes the distance to the one before. */
  encode(bytes: Uint8Array, at: number): number {
    let end = put(bytes, at, this.requests);
    end = put(bytes, end, this.failed);
    end = put(bytes, end, this.coldStarts);
    end = put(bytes, end, this.looks);
    end = put(bytes, end, this.memoryKib);
    end = put(bytes, end, this.memoryMaxKib);
    end = put(bytes, end, this.isolates);
    end = put(bytes, end, this.codes.size);
    for (const [code, count] of this.codes) {
      end = put(bytes, end, code);
      end = put(bytes, end, count);
    }
    end = putHistogram(bytes, end, this.wallUs);
    return putHistogram(bytes, end, this.cpuUs);
  }
}

function whole(count: number): number {
  return Math.min(Math.trunc(count), MAX_COUNT);
}

function raise(counts: Map<number, number>, key: number, by: number): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

function addPairs(to: LogHistogram, pairs: VersionFigures['wallUs']): void {
  for (const [index, count] of pairs) if (Number.isInteger(index) && index < BUCKETS) to.add(index, whole(count));
}

function put(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  let end = at;
  while (rest >= 0x80) {
    bytes[end++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  bytes[end++] = rest;
  return end;
}

function putHistogram(bytes: Uint8Array, at: number, histogram: LogHistogram): number {
  let buckets = 0;
  for (let index = 0; index < BUCKETS; index++) if (histogram.count(index) > 0) buckets += 1;
  let end = put(bytes, at, buckets);
  let before = 0;
  for (let index = 0; index < BUCKETS && buckets > 0; index++) {
    const count = histogram.count(index);
    if (count === 0) continue;
    end = put(bytes, end, index - before);
    end = put(bytes, end, count);
    before = index;
    buckets -= 1;
  }
  return end;
}

class Reader {
  readonly #bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  next(): number {
    let byte = this.#bytes[this.at++] ?? 0;
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    let scale = 0x80;
    do {
      byte = this.#bytes[this.at++] ?? 0;
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
    } while (byte >= 0x80);
    return value;
  }

  histogram(to: LogHistogram): void {
    let index = 0;
    for (let n = this.next(); n > 0; n--) {
      index += this.next();
      const count = this.next();
      if (index < BUCKETS) to.add(index, count);
    }
  }
}
