// The indexes of the legacy encodings (Encoding standard, section 5) as isolates take them. Each is made once a process, by decoding every
// pointer's bytes with a conformant decoder: a few milliseconds, and the host holds no second copy of the standard's data.
import { TextDecoder } from '@exodus/bytes/encoding.js';
import { TABLE } from '../runtime/abi-encoding.ts';

/** How the pointers of one index are written as bytes, and what is not part of the index although the decoder knows it. */
interface Index {
  readonly encoding: string;
  readonly size: number;
  readonly bytes: (pointer: number) => readonly number[];
  readonly absent?: (pointer: number) => boolean;
}

const by157 = (p: number): readonly number[] => [0x81 + Math.trunc(p / 157), (p % 157) + (p % 157 < 0x3f ? 0x40 : 0x62)];
const by188 = (p: number): readonly number[] => {
  const row = Math.trunc(p / 188);
  return [row + (row < 0x1f ? 0x81 : 0xc1), (p % 188) + (p % 188 < 0x3f ? 0x40 : 0x41)];
};
const by190 = (p: number): readonly number[] => [0x81 + Math.trunc(p / 190), (p % 190) + (p % 190 < 0x3f ? 0x40 : 0x41)];

const INDEXES: Readonly<Record<string, Index>> = {
  // The four pointers of two code points each are the decoder's own case.
  [TABLE.big5]: { encoding: 'big5', size: 19_782, bytes: by157 },
  [TABLE.eucKr]: { encoding: 'euc-kr', size: 23_750, bytes: (p) => [0x81 + Math.trunc(p / 190), 0x41 + (p % 190)] },
  [TABLE.gb18030]: { encoding: 'gb18030', size: 23_940, bytes: by190 },
  // Shift_JIS writes rows beyond 94 too; its private-use pointers are no part of the index.
  [TABLE.jis0208]: { encoding: 'shift_jis', size: 11_104, bytes: by188, absent: (p) => p >= 8_836 && p <= 10_715 },
  [TABLE.jis0212]: { encoding: 'euc-jp', size: 8_836, bytes: (p) => [0x8f, 0xa1 + Math.trunc(p / 94), 0xa1 + (p % 94)] },
};

/** Pointers of gb18030's four-byte sequences for the Basic Multilingual Plane: every one has a code point, U+FFFD among them. */
const RANGES: Index = {
  encoding: 'gb18030',
  size: 39_420,
  bytes: (p) => [0x81 + Math.trunc(p / 12_600), 0x30 + (Math.trunc(p / 1_260) % 10), 0x81 + (Math.trunc(p / 10) % 126), 0x30 + (p % 10)],
};

const REPLACEMENT = 0xfffd;
const LINE_FEED = 0x0a;
const tables = new Map<string, ArrayBuffer>();

/** @param name  of TABLE, or a single-byte encoding. Throws a TypeError for any other */
export function encodingTable(name: string): ArrayBuffer {
  let table = tables.get(name);
  if (table === undefined) {
    table = name === TABLE.gb18030Ranges ? multiByte(RANGES, true) : INDEXES[name] === undefined ? singleByte(name) : multiByte(INDEXES[name], false);
    tables.set(name, table);
  }
  return table;
}

function multiByte({ encoding, size, bytes, absent }: Index, complete: boolean): ArrayBuffer {
  const table = new Uint32Array(size);
  // All in one go: line feeds stand between, and what is no character comes out as U+FFFD with or without its second byte.
  const all: number[] = [];
  for (let pointer = 0; pointer < size; pointer++) all.push(...bytes(pointer), LINE_FEED);
  const lines = new TextDecoder(encoding).decode(Uint8Array.from(all)).split('\n');
  for (let pointer = 0; pointer < size; pointer++) {
    const line = lines[pointer] ?? '';
    const code = line.codePointAt(0) ?? 0;
    const one = line.length === (code > 0xffff ? 2 : 1);
    if (one && (complete || code !== REPLACEMENT) && absent?.(pointer) !== true) table[pointer] = code;
  }
  return table.buffer;
}

const SINGLE_BYTE = /^(?:ibm866|iso-8859-(?:[2-8]|8-i|1[03456])|koi8-[ru]|macintosh|windows-(?:874|125[0-8])|x-mac-cyrillic)$/;

function singleByte(name: string): ArrayBuffer {
  if (!SINGLE_BYTE.test(name)) throw new TypeError('unknown encoding');
  const text = new TextDecoder(name).decode(Uint8Array.from({ length: 128 }, (_, i) => i + 128));
  return Uint32Array.from(text, (character) => (character === '\ufffd' ? 0 : character.charCodeAt(0))).buffer;
}
