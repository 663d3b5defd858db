// Isolates made ahead of need, while the loop is at rest: making one is most of a cold start.
import type { Platform } from './platform/load.ts';
import { Vm } from './vm.ts';

/** Spares kept at the same time; each is about 1.1 MB. */
const SPARES = 2;
/** The default of `limits.memoryMb`: what is asked for before anything has been. */
const FIRST_MEMORY_MB = 64;

export class SpareVms {
  readonly #platform: Platform;
  /** Whether spares have WebAssembly. */
  readonly #wasm: boolean;
  #spares: Vm[] = [];
  /** A heap's limit is fixed when it is made, so spares have the one that was asked for last. */
  #memoryMb = FIRST_MEMORY_MB;

  /** @param wasm  whether the functions of this host, or most of them, have WebAssembly */
  constructor(platform: Platform, wasm: boolean) {
    this.#platform = platform;
    this.#wasm = wasm;
  }

  /** A fresh isolate with this limit: a spare, or one made now. */
  take(memoryMb: number, wasm: boolean): Vm {
    if (wasm !== this.#wasm) return new Vm(this.#platform, memoryMb, wasm);
    if (memoryMb === this.#memoryMb) {
      const spare = this.#spares.pop();
      if (spare !== undefined) return spare;
    } else {
      this.#memoryMb = memoryMb;
      for (const spare of this.#spares.splice(0)) spare.dispose();
    }
    return new Vm(this.#platform, memoryMb, this.#wasm);
  }

  /** Makes one when there are too few. @returns whether more are wanted */
  refill(): boolean {
    if (this.#spares.length < SPARES) this.#spares.push(new Vm(this.#platform, this.#memoryMb, this.#wasm));
    return this.#spares.length < SPARES;
  }
}
