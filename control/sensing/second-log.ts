// The seconds of one version in which something happened: one encoded record each, in one growing array of bytes.
import { MAX_ENCODED_BYTES, VersionSums } from './version-sums.ts';
import type { CodeBook, Held } from './version-sums.ts';
import type { VersionFigures } from '../../core/protocol/index.ts';

// A record: its length (2 bytes), its second since 1970 (4 bytes), its sums.
const HEAD = 6;
const SMALLEST = 64;
const EMPTY = new Uint8Array(0);

/** Where records are written before they are copied into place: one at a time. */
const draft = new Uint8Array(HEAD + MAX_ENCODED_BYTES);
const draftView = new DataView(draft.buffer);
const sums = new VersionSums();

export class SecondLog {
  #bytes = EMPTY;
  #start = 0;
  #end = 0;
  /** Where the newest record begins; -1: there is none. */
  #last = -1;

  /** Bytes that are held, the room to grow included. */
  get capacity(): number {
    return this.#bytes.length;
  }

  get empty(): boolean {
    return this.#start === this.#end;
  }

  /**
   * Adds increments to a second. Those of the newest record's second join it. Others get a record of their own, also when they come late:
   * readers look at all records, so their order does not matter.
   */
  add(second: number, figures: VersionFigures, held: Held, book: CodeBook): void {
    sums.clear();
    let at = this.#end;
    if (this.#last >= 0 && this.#secondAt(this.#last) === second) {
      at = this.#last;
      sums.addEncoded(this.#bytes, at + HEAD);
    }
    sums.addFigures(figures, held, book);
    const length = sums.encode(draft, HEAD);
    draftView.setUint16(0, length, true);
    draftView.setUint32(2, second, true);
    this.#put(at, length);
  }

  /** Adds every record whose second lies in [from, to) to the sums that `into` names for it. */
  each(from: number, to: number, into: (second: number) => VersionSums): void {
    for (let at = this.#start; at < this.#end; at += this.#lengthAt(at)) {
      const second = this.#secondAt(at);
      if (second >= from && second < to) into(second).addEncoded(this.#bytes, at + HEAD);
    }
  }

  /** Lets go of records before `second`, up to the first that is not. @param tight  leaves no room to grow */
  expire(second: number, tight = false): void {
    while (this.#start < this.#end && this.#secondAt(this.#start) < second) this.#start += this.#lengthAt(this.#start);
    if (this.#start === this.#end) {
      this.#bytes = EMPTY;
      this.#start = 0;
      this.#end = 0;
      this.#last = -1;
    } else if (tight || this.#start > this.#bytes.length / 2) {
      this.#resize(this.#end - this.#start);
    }
  }

  #put(at: number, length: number): void {
    if (at + length > this.#bytes.length) {
      const before = this.#start;
      // Half more each time; what has expired is not taken along.
      this.#resize(Math.max(SMALLEST, Math.ceil((at + length - before) * 1.5)));
      at -= before;
    }
    for (let i = 0; i < length; i++) this.#bytes[at + i] = draft[i] ?? 0;
    this.#last = at;
    this.#end = at + length;
  }

  #resize(capacity: number): void {
    const bytes = new Uint8Array(capacity);
    bytes.set(this.#bytes.subarray(this.#start, this.#end));
    this.#bytes = bytes;
    if (this.#last >= 0) this.#last -= this.#start;
    this.#end -= this.#start;
    this.#start = 0;
  }

  #lengthAt(at: number): number {
    return (this.#bytes[at] ?? 0) + (this.#bytes[at + 1] ?? 0) * 0x1_00;
  }

  #secondAt(at: number): number {
    const bytes = this.#bytes;
    return (bytes[at + 2] ?? 0) + (bytes[at + 3] ?? 0) * 0x1_00 + (bytes[at + 4] ?? 0) * 0x1_00_00 + (bytes[at + 5] ?? 0) * 0x1_00_00_00;
  }
}
