// Isolates made ahead of need, while the loop is at rest: making one is most of a cold start.
import type { Platform } from './platform/load.ts';
import { SpareChoice } from './spare-choice.ts';
import { Vm } from './vm.ts';

interface Spare {
  readonly memoryMb: number;
  readonly vm: Vm;
}

export class SpareVms {
  readonly #platform: Platform;
  /** Whether spares have WebAssembly. */
  readonly #wasm: boolean;
  readonly #spares: Spare[] = [];
  /** A heap's limit is fixed when it is made, so spares have the limits that are asked for most. */
  readonly #choice = new SpareChoice();

  /** @param wasm  whether the functions of this host, or most of them, have WebAssembly */
  constructor(platform: Platform, wasm: boolean) {
    this.#platform = platform;
    this.#wasm = wasm;
  }

  /** A fresh isolate with this limit: a spare, or one made now. */
  take(memoryMb: number, wasm: boolean): Vm {
    if (wasm !== this.#wasm) return new Vm(this.#platform, memoryMb, wasm);
    this.#choice.asked(memoryMb);
    const at = this.#spares.findIndex((spare) => spare.memoryMb === memoryMb);
    return this.#spares.splice(at, at < 0 ? 0 : 1)[0]?.vm ?? new Vm(this.#platform, memoryMb, this.#wasm);
  }

  /** An isolate that has its version's module evaluated. @param snapshot  `externalBytes` of the checked blob */
  restored(memoryMb: number, wasm: boolean, snapshot: unknown): Vm {
    return new Vm(this.#platform, memoryMb, wasm, snapshot);
  }

  /** Makes one that is wanted, or gives one up that is not. @returns whether more is to be done */
  refill(): boolean {
    const missing = this.#choice.wanted();
    for (const spare of this.#spares) {
      const at = missing.indexOf(spare.memoryMb);
      if (at >= 0) {
        missing.splice(at, 1);
        continue;
      }
      this.#spares.splice(this.#spares.indexOf(spare), 1);
      spare.vm.dispose();
      return true;
    }
    const memoryMb = missing.shift();
    if (memoryMb !== undefined) this.#spares.push({ memoryMb, vm: new Vm(this.#platform, memoryMb, this.#wasm) });
    return missing.length > 0;
  }
}
