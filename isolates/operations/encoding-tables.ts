// The indexes of the legacy encodings (Encoding standard, section 5) as isolates take them. Each is made once a process, by decoding every
// pointer's bytes: with Node's own decoder, which is native, where it has the standard's index, else with @exodus/bytes (tests hold all against the
// latter). That takes 1 to 3 ms, for Big5 about 20, and the host holds no second copy of the standard's data.
import { TextDecoder as StandardDecoder } from '@exodus/bytes/encoding.js';
import { TABLE } from '../runtime/abi-encoding.ts';

/** How the pointers of one index are written as bytes, and what is not part of the index although the decoder knows it. */
interface Index {
  readonly encoding: string;
  readonly size: number;
  /** Bytes of a pointer. */
  readonly width: number;
  readonly write: (into: Uint8Array, at: number, pointer: number) => void;
  readonly absent?: (pointer: number) => boolean;
  /** Node's decoder has another index. */
  readonly notNative?: true;
}

const two = (row: number, leadOf: (row: number) => number, trailOf: (cell: number) => number): Pick<Index, 'width' | 'write'> => ({
  width: 2,
  write: (into, at, pointer) => {
    into[at] = leadOf(Math.trunc(pointer / row));
    into[at + 1] = trailOf(pointer % row);
  },
});

const INDEXES: Readonly<Record<string, Index>> = {
  // The four pointers of two code points each are the decoder's own case.
  [TABLE.big5]: { encoding: 'big5', size: 19_782, notNative: true, ...two(157, (row) => 0x81 + row, (cell) => cell + (cell < 0x3f ? 0x40 : 0x62)) },
  [TABLE.eucKr]: { encoding: 'euc-kr', size: 23_750, ...two(190, (row) => 0x81 + row, (cell) => 0x41 + cell) },
  [TABLE.gb18030]: { encoding: 'gb18030', size: 23_940, ...two(190, (row) => 0x81 + row, (cell) => cell + (cell < 0x3f ? 0x40 : 0x41)) },
  // Shift_JIS writes rows beyond 94 too; its private-use pointers are no part of the index.
  [TABLE.jis0208]: {
    encoding: 'shift_jis', size: 11_104, absent: (p) => p >= 8_836 && p <= 10_715, ...two(188, (row) => row + (row < 0x1f ? 0x81 : 0xc1), (cell) => cell + (cell < 0x3f ? 0x40 : 0x41)),
  },
  [TABLE.jis0212]: {
    // Node knows rows beyond the index too.
    encoding: 'euc-jp', size: 8_836, width: 3, absent: (p) => p >= 7_211,
    write: (into, at, p) => {
      into[at] = 0x8f;
      into[at + 1] = 0xa1 + Math.trunc(p / 94);
      into[at + 2] = 0xa1 + (p % 94);
    },
  },
};

const REPLACEMENT = 0xfffd;
const LINE_FEED = 0x0a;
const tables = new Map<string, ArrayBuffer>();

/** @param name  of TABLE, or a single-byte encoding. Throws a TypeError for any other */
export function encodingTable(name: string): ArrayBuffer {
  let table = tables.get(name);
  if (table === undefined) {
    const index = Object.hasOwn(INDEXES, name) ? INDEXES[name] : undefined;
    table = name === TABLE.gb18030Ranges ? gb18030Ranges() : index === undefined ? singleByte(name) : (name === TABLE.eucKr ? completeEucKr(multiByte(index)) : multiByte(index)).buffer;
    tables.set(name, table);
  }
  return table;
}

function multiByte({ encoding, size, width, write, absent, notNative }: Index): Uint32Array<ArrayBuffer> {
  const table = new Uint32Array(size);
  // All in one go: line feeds stand between, and what is no character comes out as U+FFFD with or without its second byte.
  const step = width + 1;
  const all = new Uint8Array(size * step).fill(LINE_FEED);
  for (let pointer = 0; pointer < size; pointer++) write(all, pointer * step, pointer);
  const text = new (notNative ? StandardDecoder : TextDecoder)(encoding).decode(all);
  let at = 0;
  for (let pointer = 0; pointer < size; pointer++) {
    const end = text.indexOf('\n', at);
    const code = text.codePointAt(at) as number;
    const one = end - at === (code > 0xffff ? 2 : 1);
    if (one && code !== REPLACEMENT && absent?.(pointer) !== true) table[pointer] = code;
    at = end + 1;
  }
  return table;
}

/**
 * Node's EUC-KR is KS X 1001. The standard's index (Windows code page 949) has in the other cells, in order, the Hangul syllables that are not in
 * there, besides two signs; and no private use.
 */
function completeEucKr(table: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  for (let p = 0; p < table.length; p++) if ((table[p] as number) >= 0xe000 && (table[p] as number) < 0xf900) table[p] = 0;
  const present = new Set(table);
  let syllable = FIRST_SYLLABLE;
  for (let p = 0; p < table.length; p++) {
    const trail = 0x41 + (p % 190);
    const letter = trail <= 0x5a || (trail >= 0x61 && trail <= 0x7a);
    if (!letter && (trail < 0x81 || (p >= KSX_ROWS && trail > 0xa0))) continue;
    while (present.has(syllable)) syllable += 1;
    if (syllable > LAST_SYLLABLE) break;
    table[p] = syllable++;
  }
  table[EURO] = 0x20ac;
  table[REGISTERED] = 0xae;
  return table;
}
const FIRST_SYLLABLE = 0xac00;
const LAST_SYLLABLE = 0xd7a3;
/** From lead byte 0xA1 on, trail bytes above 0xA0 are KS X 1001. */
const KSX_ROWS = 0x20 * 190;
const EURO = 6_435;
const REGISTERED = 6_436;

/** Pointers of gb18030's four-byte sequences for the Basic Multilingual Plane: every one has a code point, U+FFFD among them. */
const RANGES_SIZE = 39_420;
/** The one that is out of order (section 10.2, "index gb18030 ranges code point"). */
const OUT_OF_ORDER = 7_457;

function gb18030Ranges(): ArrayBuffer {
  const table = new Uint32Array(RANGES_SIZE);
  const decoder = new TextDecoder('gb18030');
  const at = (p: number): number => decoder.decode(Uint8Array.of(0x81 + Math.trunc(p / 12_600), 0x30 + (Math.trunc(p / 1_260) % 10), 0x81 + (Math.trunc(p / 10) % 126), 0x30 + (p % 10))).charCodeAt(0);
  // Code points rise with their pointers, so a stretch whose ends are as far apart as its pointers has no gaps: some 200 stretches instead of 39,420 pointers.
  const fill = (from: number, first: number, to: number, last: number): void => {
    if (last - first === to - from) {
      for (let p = from; p <= to; p++) table[p] = first + p - from;
      return;
    }
    const middle = (from + to) >> 1;
    fill(from, first, middle, at(middle));
    fill(middle + 1, at(middle + 1), to, last);
  };
  fill(0, at(0), OUT_OF_ORDER - 1, at(OUT_OF_ORDER - 1));
  fill(OUT_OF_ORDER + 1, at(OUT_OF_ORDER + 1), RANGES_SIZE - 1, at(RANGES_SIZE - 1));
  table[OUT_OF_ORDER] = at(OUT_OF_ORDER);
  return table.buffer;
}

const SINGLE_BYTE = /^(?:ibm866|iso-8859-(?:[2-8]|8-i|1[03456])|koi8-[ru]|macintosh|windows-(?:874|125[0-8])|x-mac-cyrillic)$/;

function singleByte(name: string): ArrayBuffer {
  if (!SINGLE_BYTE.test(name)) throw new TypeError('unknown encoding');
  const text = new StandardDecoder(name).decode(Uint8Array.from({ length: 128 }, (_, i) => i + 128));
  return Uint32Array.from(text, (character) => (character === '\ufffd' ? 0 : character.charCodeAt(0))).buffer;
}
