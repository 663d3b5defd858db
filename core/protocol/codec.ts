// msgpack behind one adapter: the only module that touches msgpackr, whose functions return `any`.
import { Packr, RESET_BUFFER_MODE, REUSE_BUFFER_MODE, Unpackr } from 'msgpackr';
import { PlatformError } from '../errors/index.ts';
import { isPlain } from './plain.ts';

// No records, no shared structures, no extensions that build classes: a frame is plain data and the same in every process.
const OPTIONS = { useRecords: false, moreTypes: false, mapsAsObjects: true, int64AsType: 'number', largeBigIntToFloat: true } as const;
const packr = new Packr(OPTIONS);
const unpackr = new Unpackr(OPTIONS);

/** msgpack bytes of a plain value. The buffer is valid until garbage collected; it is never written again. */
export function encode(value: unknown): Buffer {
  return packr.pack(value);
}

/** msgpackr's own buffer, with where the value lies in it. */
export interface EncodedInPlace extends Buffer {
  readonly start: number;
  readonly end: number;
}

// One for what is copied out at once: a view per frame would be garbage per frame.
const inPlacePackr = new Packr(OPTIONS);

/** As `encode`, without a view of its own: valid until the next call. */
export function encodeInPlace(value: unknown): EncodedInPlace {
  return inPlacePackr.pack(value, REUSE_BUFFER_MODE | RESET_BUFFER_MODE) as EncodedInPlace;
}

const range = { start: 0, end: 0 };

/**
 * Reads the value at `start`..`end` of `bytes`. Binary parts are views into `bytes`, not copies.
 *
 * @throws protocol_violation  the bytes are no msgpack, more or fewer than one value, or hold an extension type
 */
export function decode(bytes: Buffer, start = 0, end = bytes.length): unknown {
  if (!isPlain(bytes, start, end)) throw new PlatformError('protocol_violation', { why: 'a frame is not plain msgpack' });
  range.start = start;
  range.end = end;
  try {
    return unpackr.unpack(bytes, range);
  } catch (cause) {
    throw new PlatformError('protocol_violation', { why: 'a frame is not msgpack' }, { cause });
  }
}
