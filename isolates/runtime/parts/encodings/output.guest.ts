// Where a legacy decoder writes: code points in, text out.
import { NativeUint16Array, Uint8ArrayPrototypeSet } from '../../primordials.guest.ts';
import { codeUnits } from './code-units.guest.ts';

/** Grows as needed. Made for one call of `decode`. */
export class Output {
  #units: Uint16Array;
  #length = 0;

  /** @param expected  code units, roughly */
  constructor(expected: number) {
    this.#units = new NativeUint16Array(expected + 16);
  }

  /** Code point of any plane. */
  push(code: number): void {
    if (this.#length + 2 > this.#units.length) {
      const larger = new NativeUint16Array(this.#units.length * 2);
      Uint8ArrayPrototypeSet(larger as never, this.#units);
      this.#units = larger;
    }
    if (code > 0xffff) {
      this.#units[this.#length++] = 0xd800 + ((code - 0x10000) >> 10);
      this.#units[this.#length++] = 0xdc00 + ((code - 0x10000) & 0x3ff);
    } else {
      this.#units[this.#length++] = code;
    }
  }

  text(): string {
    return codeUnits(this.#units, this.#length);
  }
}
