// crypto.getRandomValues and crypto.randomUUID: randomness is the host's, so that no snapshot can freeze it.
import { MAX_RANDOM_BYTES, OP } from './abi.ts';
import { DOMException } from './errors.guest.ts';
import { op } from './host.guest.ts';
import { NativeUint8Array, Uint8ArrayPrototypeSet, typedArrayName, viewBytes } from './primordials.guest.ts';

const INTEGER_ARRAYS = ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'BigInt64Array', 'BigUint64Array'];

export class Crypto {
  getRandomValues<T extends ArrayBufferView>(array: T): T {
    const name = ArrayBuffer.isView(array) ? typedArrayName(array) : undefined;
    if (name === undefined || !INTEGER_ARRAYS.includes(name)) throw new DOMException('an integer typed array is needed', 'TypeMismatchError');
    const bytes = viewBytes(array);
    if (bytes.length > MAX_RANDOM_BYTES) throw new DOMException(`more than ${MAX_RANDOM_BYTES} bytes were asked for`, 'QuotaExceededError');
    if (bytes.length > 0) Uint8ArrayPrototypeSet(bytes, new NativeUint8Array(op(OP.random, bytes.length) as ArrayBuffer));
    return array;
  }

  randomUUID(): string {
    return op(OP.uuid) as string;
  }
}

export const crypto = new Crypto();
