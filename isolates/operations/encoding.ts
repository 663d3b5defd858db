// Encodings for isolates: labels, the indexes of legacy encodings, exact UTF-8 and base64 in bulk. Keeps no state of any isolate.
import { isUtf8 } from 'node:buffer';
import { labelToName } from '@exodus/bytes/encoding.js';
import { MAX_CROSSING } from '../runtime/abi.ts';
import { ENCODING_OP } from '../runtime/abi-encoding.ts';
import type { OperationArea } from './area.ts';
import { encodingTable } from './encoding-tables.ts';

/** No label of the standard is longer. */
const MAX_LABEL_CHARACTERS = 32;
const BEYOND_LATIN1 = /[\u0100-\uffff]/;

export const encodingArea = (): OperationArea => ({ run });

function run(code: number, _owner: unknown, a: unknown): unknown {
  switch (code) {
    case ENCODING_OP.label:
      return typeof a === 'string' && a.length <= MAX_LABEL_CHARACTERS ? (labelToName(a) ?? '').toLowerCase() : '';
    case ENCODING_OP.table:
      return encodingTable(text(a, MAX_LABEL_CHARACTERS));
    case ENCODING_OP.utf8Fatal:
      if (!(a instanceof Uint8Array) || a.byteLength > MAX_CROSSING) throw new TypeError('bytes are needed');
      // Twice as fast as a fatal TextDecoder of Node 22, and as exact.
      return isUtf8(a) ? Buffer.from(a.buffer, a.byteOffset, a.byteLength).toString('utf8') : undefined;
    case ENCODING_OP.base64Encode: {
      const latin1 = text(a, MAX_CROSSING);
      return BEYOND_LATIN1.test(latin1) ? undefined : Buffer.from(latin1, 'latin1').toString('base64');
    }
    case ENCODING_OP.base64Decode:
      try {
        // Node's own: forgiving-base64 over simdutf.
        return atob(text(a, MAX_CROSSING));
      } catch {
        return undefined;
      }
    default:
      throw new TypeError('unknown operation');
  }
}

function text(value: unknown, maxCharacters: number): string {
  if (typeof value !== 'string' || value.length > maxCharacters) throw new TypeError('a bounded text is needed');
  return value;
}
