// The multi-byte legacy decoders (Encoding standard, sections 10 to 13), step for step: state machines fed byte by byte. Indexes come from the host.
import { TABLE } from '../../abi-encoding.ts';

/** The end of the bytes. */
export const END = -1;
/** Nothing to write yet. */
export const CONTINUE = -1;
/** Malformed. */
export const ERROR = -2;
/** At the end, after everything has been written. */
export const FINISHED = -3;

/** Bytes that are read again, the last one first. */
export type Back = number[];
/** @returns a code point, or CONTINUE, ERROR, FINISHED. A second code point goes through `also`. */
export type Handler = (byte: number, back: Back, also: (code: number) => void) => number;
export type Index = (name: string) => Uint32Array;

const isAscii = (byte: number): boolean => byte >= 0 && byte < 0x80;
const within = (byte: number, from: number, to: number): boolean => byte >= from && byte <= to;
const again = (back: Back, byte: number): void => {
  back[back.length] = byte;
};

/** Section 10.2.1; gbk has the same decoder. */
export function gb18030(index: Index): Handler {
  const table = index(TABLE.gb18030);
  let ranges: Uint32Array | undefined;
  let first = 0;
  let second = 0;
  let third = 0;
  const fourBytes = (pointer: number): number => {
    if ((pointer > 39_419 && pointer < 189_000) || pointer > 1_237_575) return ERROR;
    if (pointer >= 189_000) return 0x10000 + pointer - 189_000;
    ranges ??= index(TABLE.gb18030Ranges);
    return ranges[pointer] as number;
  };
  return (byte, back) => {
    if (byte === END) {
      if (first === 0 && second === 0 && third === 0) return FINISHED;
      first = second = third = 0;
      return ERROR;
    }
    if (third !== 0) {
      const a = first;
      const b = second;
      const c = third;
      first = second = third = 0;
      if (within(byte, 0x30, 0x39)) return fourBytes((a - 0x81) * 12_600 + (b - 0x30) * 1_260 + (c - 0x81) * 10 + byte - 0x30);
      again(back, byte);
      again(back, c);
      again(back, b);
      return ERROR;
    }
    if (second !== 0) {
      if (within(byte, 0x81, 0xfe)) {
        third = byte;
        return CONTINUE;
      }
      again(back, byte);
      again(back, second);
      first = second = 0;
      return ERROR;
    }
    if (first !== 0) {
      if (within(byte, 0x30, 0x39)) {
        second = byte;
        return CONTINUE;
      }
      const lead = first;
      first = 0;
      const code = within(byte, 0x40, 0x7e) || within(byte, 0x80, 0xfe) ? (table[(lead - 0x81) * 190 + byte - (byte < 0x7f ? 0x40 : 0x41)] as number) : 0;
      if (code !== 0) return code;
      if (isAscii(byte)) again(back, byte);
      return ERROR;
    }
    if (isAscii(byte)) return byte;
    if (byte === 0x80) return 0x20ac;
    if (byte === 0xff) return ERROR;
    first = byte;
    return CONTINUE;
  };
}

/** Decoders whose characters have one lead byte: what differs is how two bytes become a code point, and what a single byte is. */
function twoBytes(pair: (lead: number, byte: number, also: (code: number) => void) => number, single: (byte: number) => number): Handler {
  let lead = 0;
  return (byte, back, also) => {
    if (byte === END) {
      if (lead === 0) return FINISHED;
      lead = 0;
      return ERROR;
    }
    if (lead !== 0) {
      const code = pair(lead, byte, also);
      lead = 0;
      if (code !== 0) return code;
      if (isAscii(byte)) again(back, byte);
      return ERROR;
    }
    if (isAscii(byte)) return byte;
    const code = single(byte);
    if (code === CONTINUE) lead = byte;
    return code;
  };
}

/** Big5 pointers of two code points each: the letter, then a combining mark (section 11.1.1). */
const BIG5_PAIRS: Readonly<Record<number, readonly [number, number]>> = { 1133: [0xca, 0x304], 1135: [0xca, 0x30c], 1164: [0xea, 0x304], 1166: [0xea, 0x30c] };

export function big5(index: Index): Handler {
  const table = index(TABLE.big5);
  return twoBytes(
    (lead, byte, also) => {
      if (!within(byte, 0x40, 0x7e) && !within(byte, 0xa1, 0xfe)) return 0;
      const pointer = (lead - 0x81) * 157 + byte - (byte < 0x7f ? 0x40 : 0x62);
      const two = BIG5_PAIRS[pointer];
      if (two === undefined) return table[pointer] ?? 0;
      also(two[0]);
      return two[1];
    },
    (byte) => (within(byte, 0x81, 0xfe) ? CONTINUE : ERROR),
  );
}

/** Section 13.1.1. */
export function eucKr(index: Index): Handler {
  const table = index(TABLE.eucKr);
  return twoBytes(
    (lead, byte) => (within(byte, 0x41, 0xfe) ? (table[(lead - 0x81) * 190 + byte - 0x41] ?? 0) : 0),
    (byte) => (within(byte, 0x81, 0xfe) ? CONTINUE : ERROR),
  );
}

/** Section 12.3.1. */
export function shiftJis(index: Index): Handler {
  const table = index(TABLE.jis0208);
  return twoBytes(
    (lead, byte) => {
      if (!within(byte, 0x40, 0x7e) && !within(byte, 0x80, 0xfc)) return 0;
      const pointer = (lead - (lead < 0xa0 ? 0x81 : 0xc1)) * 188 + byte - (byte < 0x7f ? 0x40 : 0x41);
      return within(pointer, 8_836, 10_715) ? 0xe000 - 8_836 + pointer : (table[pointer] ?? 0);
    },
    (byte) => {
      if (byte === 0x80) return byte;
      if (within(byte, 0xa1, 0xdf)) return 0xff61 - 0xa1 + byte;
      return within(byte, 0x81, 0x9f) || within(byte, 0xe0, 0xfc) ? CONTINUE : ERROR;
    },
  );
}

/** Section 12.1.1. */
export function eucJp(index: Index): Handler {
  const jis0208 = index(TABLE.jis0208);
  let jis0212: Uint32Array | undefined;
  let threeBytes = false;
  let lead = 0;
  return (byte, back) => {
    if (byte === END) {
      if (lead === 0) return FINISHED;
      lead = 0;
      return ERROR;
    }
    if (lead === 0x8e && within(byte, 0xa1, 0xdf)) {
      lead = 0;
      return 0xff61 - 0xa1 + byte;
    }
    if (lead === 0x8f && within(byte, 0xa1, 0xfe)) {
      threeBytes = true;
      lead = byte;
      return CONTINUE;
    }
    if (lead !== 0) {
      let code = 0;
      if (within(lead, 0xa1, 0xfe) && within(byte, 0xa1, 0xfe)) {
        if (threeBytes) jis0212 ??= index(TABLE.jis0212);
        code = (threeBytes ? (jis0212 as Uint32Array) : jis0208)[(lead - 0xa1) * 94 + byte - 0xa1] ?? 0;
      }
      lead = 0;
      threeBytes = false;
      if (code !== 0) return code;
      if (isAscii(byte)) again(back, byte);
      return ERROR;
    }
    if (isAscii(byte)) return byte;
    if (byte !== 0x8e && byte !== 0x8f && !within(byte, 0xa1, 0xfe)) return ERROR;
    lead = byte;
    return CONTINUE;
  };
}

/** States of the ISO-2022-JP decoder. */
const JP = { ascii: 0, roman: 1, katakana: 2, leadByte: 3, trailByte: 4, escapeStart: 5, escape: 6 } as const;
const ESCAPE = 0x1b;

/** Section 12.2.1. */
export function iso2022Jp(index: Index): Handler {
  const table = index(TABLE.jis0208);
  let state: number = JP.ascii;
  let outputState: number = JP.ascii;
  let lead = 0;
  /** An escape sequence came, and nothing since. */
  let output = false;
  return (byte, back) => {
    if (byte === ESCAPE && state <= JP.trailByte) {
      const inside = state === JP.trailByte;
      state = JP.escapeStart;
      return inside ? ERROR : CONTINUE;
    }
    switch (state) {
      case JP.trailByte: {
        state = JP.leadByte;
        return within(byte, 0x21, 0x7e) ? table[(lead - 0x21) * 94 + byte - 0x21] || ERROR : ERROR;
      }
      case JP.escapeStart:
        if (byte === 0x24 || byte === 0x28) {
          lead = byte;
          state = JP.escape;
          return CONTINUE;
        }
        again(back, byte);
        output = false;
        state = outputState;
        return ERROR;
      case JP.escape: {
        const next = lead === 0x28 ? (byte === 0x42 ? JP.ascii : byte === 0x4a ? JP.roman : byte === 0x49 ? JP.katakana : ERROR) : byte === 0x40 || byte === 0x42 ? JP.leadByte : ERROR;
        if (next !== ERROR) {
          state = outputState = next;
          const empty = output;
          output = true;
          return empty ? ERROR : CONTINUE;
        }
        again(back, byte);
        again(back, lead);
        output = false;
        state = outputState;
        return ERROR;
      }
      default:
    }
    if (byte === END) return FINISHED;
    output = false;
    if (state === JP.katakana) return within(byte, 0x21, 0x5f) ? 0xff61 - 0x21 + byte : ERROR;
    if (state === JP.leadByte) {
      if (!within(byte, 0x21, 0x7e)) return ERROR;
      lead = byte;
      state = JP.trailByte;
      return CONTINUE;
    }
    if (state === JP.roman && byte === 0x5c) return 0xa5;
    if (state === JP.roman && byte === 0x7e) return 0x203e;
    return isAscii(byte) && byte !== 0x0e && byte !== 0x0f ? byte : ERROR;
  };
}
