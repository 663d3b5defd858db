// A walk over msgpack bytes that lets only plain data through: msgpack's extension types would build dates, sets, errors, regular
// expressions or generated record readers out of what a hostile peer sent, whatever the decoder's options say.

/** Bytes that follow a token from 0xc4 on before its payload: the length field. -1: no such token in a frame. */
const LENGTH_BYTES: readonly number[] = [
  1, 2, 4, // bin 8, 16, 32
  -1, -1, -1, // ext 8, 16, 32
  0, 0, // float 32, 64
  0, 0, 0, 0, 0, 0, 0, 0, // uint 8 to 64, int 8 to 64
  -1, -1, -1, -1, -1, // fixext 1 to 16
  1, 2, 4, // str 8, 16, 32
  2, 4, // array 16, 32
  2, 4, // map 16, 32
];
const FIXED_BYTES: readonly number[] = [4, 8, 1, 2, 4, 8, 1, 2, 4, 8];

/**
 * Whether `start`..`end` is exactly one value of nil, booleans, numbers, strings, binaries, arrays and maps. `undefined`, which the encoder
 * writes as extension 0, is the one exception. No recursion, no allocation; a few nanoseconds a token.
 */
export function isPlain(bytes: Buffer, start: number, end: number): boolean {
  let at = start;
  /** Values still to come. Each takes a byte at least, so a count above the rest of the frame is a lie. */
  let due = 1;
  while (due > 0) {
    if (due > end - at) return false;
    const token = bytes[at] as number;
    at += 1;
    due -= 1;
    if (token < 0x80 || token >= 0xe0) continue;
    if (token < 0x90) due += (token & 0x0f) * 2;
    else if (token < 0xa0) due += token & 0x0f;
    else if (token < 0xc0) at += token & 0x1f;
    else if (token === 0xd4 && bytes[at] === 0 && at + 2 <= end) at += 2;
    else if (token === 0xc1) return false;
    else if (token >= 0xc4) {
      const lengthBytes = LENGTH_BYTES[token - 0xc4] as number;
      if (lengthBytes < 0 || at + lengthBytes > end) return false;
      if (lengthBytes === 0) {
        at += FIXED_BYTES[token - 0xca] as number;
      } else {
        const n = lengthBytes === 1 ? (bytes[at] as number) : bytes.readUIntBE(at, lengthBytes);
        at += lengthBytes;
        if (token < 0xdc) at += n;
        else due += token < 0xde ? n : n * 2;
      }
    }
    if (at > end) return false;
  }
  return at === end;
}
