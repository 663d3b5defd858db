// Keys as the isolate has them: a handle of the host, and the sealed blob with which the host can restore what it has let go.
import { CRYPTO, FORGOTTEN, MAX_PARAMETER_BYTES } from '../../abi-crypto.ts';
import { MAX_CROSSING } from '../../abi.ts';
import { DOMException } from '../../errors.guest.ts';
import { expectSettlement, nextId, op } from '../../host.guest.ts';
import { NativeUint8Array, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeSplit, TypedArrayByteLength, TypedArrayBuffer, TypedArrayByteOffset, TypedArrayPrototypeFill, Uint8ArrayPrototypeSet } from '../../primordials.guest.ts';

export interface HostKey {
  readonly handle: number;
  readonly sealed: string;
  readonly type: 'secret' | 'public' | 'private';
  /** Bits of a secret key or modulus, or the curve. */
  readonly detail: string;
  /** RSA, hexadecimal. */
  readonly exponent: string;
}

const FIELDS = 5;

/** A key that the host has described. @param at  its place among several */
export function describedKey(text: unknown, at = 0): HostKey {
  const fields = StringPrototypeSplit(text as string, '\n');
  const from = at * FIELDS;
  return { handle: +(fields[from] as string), type: fields[from + 1] as HostKey['type'], detail: fields[from + 2] as string, exponent: fields[from + 3] as string, sealed: fields[from + 4] as string };
}

/** A result of the host; failures are thrown as the DOMExceptions that they are. */
export function result(value: unknown): unknown {
  if (typeof value !== 'string' || value[0] !== '!') return value;
  const end = StringPrototypeIndexOf(value, ' ');
  throw new DOMException(StringPrototypeSlice(value, end + 1), StringPrototypeSlice(value, 1, end));
}

/** Asks with keys: those that the host has let go are restored first. */
export function opWithKeys(code: number, keys: readonly HostKey[], b?: unknown, c?: unknown, d?: unknown, e?: unknown, f?: unknown): unknown {
  const first = (keys[0] as HostKey).handle;
  const second = keys.length > 1 ? (keys[1] as HostKey).handle : b;
  let answer = op(code, first, second, c, d, e, f);
  if (answer === FORGOTTEN) {
    for (let i = 0; i < keys.length; i++) op(CRYPTO.keyRestore, (keys[i] as HostKey).handle, (keys[i] as HostKey).sealed);
    answer = op(code, first, second, c, d, e, f);
  }
  return result(answer);
}

/** As `opWithKeys`, for operations whose first argument is an id: 0 for those that return at once. */
export function opWithIdAndKey(code: number, id: number, key: HostKey, c: unknown, d: unknown, e: unknown, f?: unknown): unknown {
  let answer = op(code, id, key.handle, c, d, e, f);
  if (answer === FORGOTTEN) {
    op(CRYPTO.keyRestore, key.handle, key.sealed);
    answer = op(code, id, key.handle, c, d, e, f);
  }
  return result(answer);
}

/** Work of Node's thread pool: settles in a later entry. */
export async function workWithKey(code: number, key: HostKey, c: unknown, d: unknown, e: unknown, f?: unknown): Promise<unknown> {
  const id = nextId();
  opWithIdAndKey(code, id, key, c, d, e, f);
  return result((await expectSettlement(id)).value);
}

/**
 * Runs an operation over data of any size: `ask` is called with all of it, or with undefined to open a stream that is then fed in pieces that may cross at once.
 *
 * @returns output, or the verdict
 */
export function overData(ask: (data: Uint8Array | undefined) => unknown, data: Uint8Array): unknown {
  const size = TypedArrayByteLength(data);
  if (size <= MAX_CROSSING) return asBytes(ask(data));
  ask(undefined);
  const output: Uint8Array[] = [];
  for (let at = 0; at < size; at += MAX_CROSSING) {
    // A copy: what crosses is the whole buffer under a view.
    const piece = new NativeUint8Array(new NativeUint8Array(TypedArrayBuffer(data), TypedArrayByteOffset(data) + at, size - at < MAX_CROSSING ? size - at : MAX_CROSSING));
    const out = asBytes(result(op(CRYPTO.streamUpdate, piece)));
    if (typeof out === 'object') output[output.length] = out;
  }
  const last = asBytes(result(op(CRYPTO.streamEnd)));
  if (typeof last === 'object') output[output.length] = last;
  return typeof last === 'number' ? last : joined(output);
}

function asBytes(value: unknown): Uint8Array | number | undefined {
  return typeof value === 'object' ? new NativeUint8Array(value as ArrayBuffer) : (value as number | undefined);
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  let size = 0;
  for (let i = 0; i < pieces.length; i++) size += TypedArrayByteLength(pieces[i]);
  const whole = new NativeUint8Array(size);
  let at = 0;
  for (let i = 0; i < pieces.length; i++) {
    Uint8ArrayPrototypeSet(whole, pieces[i] as Uint8Array, at);
    at += TypedArrayByteLength(pieces[i]);
  }
  return whole;
}

/** Bytes that the tenant will never see, and that nobody should find later. */
export function wipe(bytes: Uint8Array): void {
  TypedArrayPrototypeFill(bytes, 0);
}

/** A key out of bytes or the `k` of a JWK. @param bits  0: as many as there are */
export function importSecret(data: Uint8Array | string, extractable: boolean, bits: number): HostKey {
  // Asked here as well: what is too large must not cross.
  if ((typeof data === 'string' ? data.length / 2 : TypedArrayByteLength(data)) > MAX_PARAMETER_BYTES) throw new DOMException(`secret keys have up to ${MAX_PARAMETER_BYTES} bytes`, 'DataError');
  return describedKey(result(op(CRYPTO.keySecret, data, extractable ? 1 : 0, bits)));
}
