// msgpack behind one adapter: the only module that touches msgpackr, whose functions return `any`.
import { Packr, Unpackr } from 'msgpackr';
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

/**
 * Reads the value at `start`..`end` of `bytes`. Binary parts are views into `bytes`, not copies.
 *
 * @throws protocol_violation  the bytes are no msgpack, more or fewer than one value, or hold an extension type
 */
export function decode(bytes: Buffer, start = 0, end = bytes.length): unknown {
  if (!isPlain(bytes, start, end)) throw new PlatformError('protocol_violation', { why: 'a frame is not plain msgpack' });
  try {
    return unpackr.unpack(bytes, { start, end });
  } catch (cause) {
    throw new PlatformError('protocol_violation', { why: 'a frame is not msgpack' }, { cause });
  }
}
