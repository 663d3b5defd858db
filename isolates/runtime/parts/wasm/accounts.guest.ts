// Counts WebAssembly's memories: V8's limit does not.
import { ArrayBufferByteLength, NativeArrayBuffer, NativeRangeError, NativeWeakRef, WeakRefPrototypeDeref } from '../../primordials.guest.ts';

/**
 * Memories of one isolate at the same time. Code may grow each to 64 MiB within one entry before anybody can look, so their number
 * bounds how far a function gets beyond its limit: 512 MiB.
 */
const MAX_MEMORIES = 8;

interface Account {
  /** A memory, or the instance of memories that nothing exports. */
  readonly owner: WeakRef<object>;
  /** Memories that it stands for. */
  readonly memories: number;
  /** Its size can be looked up. */
  readonly visible: boolean;
  bytes: number;
}

export class Accounts {
  readonly #limitBytes: number;
  readonly #bufferOf: (memory: object) => ArrayBuffer;
  #accounts: Account[] = [];
  #bytes = 0;
  #memories = 0;

  /** @param bufferOf  the native getter */
  constructor(limitBytes: number, bufferOf: (memory: object) => ArrayBuffer) {
    this.#limitBytes = limitBytes;
    this.#bufferOf = bufferOf;
  }

  /**
   * Makes sure that so much more fits, collecting garbage when it seems not to.
   *
   * @throws RangeError  it does not
   */
  reserve(bytes: number, memories: number): void {
    if (this.#fits(bytes, memories)) return;
    collectGarbage(this.#limitBytes);
    this.count();
    if (this.#fits(bytes, memories)) return;
    throw new NativeRangeError(`WebAssembly memories exceed the limit of ${this.#limitBytes / 1_048_576} MB or of ${MAX_MEMORIES} at the same time`);
  }

  addMemory(memory: object): void {
    this.#add({ owner: new NativeWeakRef(memory), memories: 1, visible: true, bytes: ArrayBufferByteLength(this.#bufferOf(memory)) });
  }

  /** Memories that only the code of `instance` reaches, which counts as much as they may grow to. */
  addHidden(instance: object, memories: number, bytes: number): void {
    this.#add({ owner: new NativeWeakRef(instance), memories, visible: false, bytes });
  }

  /** Looks at all of them. What it touches lives on until the running job ends, so it is not for every call. @returns bytes in all */
  count(): number {
    const kept: Account[] = [];
    let keptCount = 0;
    this.#bytes = 0;
    this.#memories = 0;
    for (let i = 0; i < this.#accounts.length; i++) {
      const account = this.#accounts[i] as Account;
      const owner = WeakRefPrototypeDeref(account.owner);
      if (owner === undefined) continue;
      if (account.visible) account.bytes = ArrayBufferByteLength(this.#bufferOf(owner));
      this.#bytes += account.bytes;
      this.#memories += account.memories;
      kept[keptCount] = account;
      keptCount += 1;
    }
    this.#accounts = kept;
    return this.#bytes;
  }

  #add(account: Account): void {
    this.#accounts[this.#accounts.length] = account;
    this.#bytes += account.bytes;
    this.#memories += account.memories;
  }

  #fits(bytes: number, memories: number): boolean {
    return this.#bytes + bytes <= this.#limitBytes && this.#memories + memories <= MAX_MEMORIES;
  }
}

/** V8 collects everything before it gives up on a buffer: one beyond what the isolate may have at all never gets made. */
function collectGarbage(limitBytes: number): void {
  try {
    new NativeArrayBuffer(limitBytes * 4);
  } catch {
    // As it should.
  }
}
