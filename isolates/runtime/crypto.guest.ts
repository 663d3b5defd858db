// crypto: randomness is the host's, so that no snapshot can freeze it; everything else of it is a part that is made on first touch.
import { MAX_RANDOM_BYTES, OP } from './abi.ts';
import { DOMException } from './errors.guest.ts';
import { op } from './host.guest.ts';
import { loadPart } from './parts.guest.ts';
import { ArrayBufferIsView, NativeTypeError, NativeUint8Array, TypedArrayBuffer, TypedArrayByteLength, TypedArrayPrototypeFill, Uint8ArrayPrototypeSet, typedArrayName, viewBytes } from './primordials.guest.ts';

/** Small requests are served from a supply, since asking the host costs ten times as much as copying. Each byte is used once and wiped. */
const SUPPLY_BYTES = 1_024;
const LARGEST_FROM_SUPPLY = 64;
let supply: Uint8Array | undefined;
let used = SUPPLY_BYTES;

function fillRandom(bytes: Uint8Array, count: number): void {
  if (count > LARGEST_FROM_SUPPLY) {
    Uint8ArrayPrototypeSet(bytes, new NativeUint8Array(op(OP.random, count) as ArrayBuffer));
    return;
  }
  if (supply === undefined || used + count > SUPPLY_BYTES) {
    supply = new NativeUint8Array(op(OP.random, SUPPLY_BYTES) as ArrayBuffer);
    used = 0;
  }
  // Not `subarray`: it would show the supply to a species that the tenant chose.
  const taken = new NativeUint8Array(TypedArrayBuffer(supply), used, count);
  used += count;
  Uint8ArrayPrototypeSet(bytes, taken);
  TypedArrayPrototypeFill(taken, 0);
}

/** `Crypto` of the Web Cryptography API, section 10. There is one. */
export class Crypto {
  constructor() {
    if (made) throw new NativeTypeError('Illegal constructor');
    made = true;
  }

  get subtle(): object {
    mustBeCrypto(this);
    return loadPart<{ readonly subtle: object }>('webcrypto').subtle;
  }

  /** Section 10.1.1. At most 65,536 bytes. */
  getRandomValues<T extends ArrayBufferView>(array: T): T {
    mustBeCrypto(this);
    if (arguments.length === 0 || !ArrayBufferIsView(array)) throw new NativeTypeError('an ArrayBufferView is needed');
    const name = typedArrayName(array);
    if (name === undefined || name === 'Float32Array' || name === 'Float64Array' || name === 'Float16Array') throw new DOMException('an integer typed array is needed', 'TypeMismatchError');
    const bytes = viewBytes(array);
    const count = TypedArrayByteLength(bytes);
    if (count > MAX_RANDOM_BYTES) throw new DOMException(`more than ${MAX_RANDOM_BYTES} bytes were asked for`, 'QuotaExceededError');
    if (count > 0) fillRandom(bytes, count);
    return array;
  }

  randomUUID(): string {
    mustBeCrypto(this);
    return op(OP.uuid) as string;
  }
}

let made = false;
export const crypto = new Crypto();

function mustBeCrypto(value: unknown): void {
  if (value !== crypto) throw new NativeTypeError('Illegal invocation');
}
