// The watchdog: a trusted isolate on isolated-vm's pool that holds every tenant isolate's handle and disposes the one it is told to.
import { shared, trustedFunctions } from '../vm.ts';
import type { IsolateHandle } from '../vm.ts';
import { WORD, YIELD } from './state.ts';

// Runs inside the isolate. It sleeps in Atomics.wait without a timeout, so that an idle host costs nothing, and wakes for a kill or to
// yield: while the loop runs, calls into the isolate queue, so registering means yield, register, loop again.
const SOURCE = `
  const handles = new Map();
  globalThis.add = (slot, isolate) => { handles.set(slot, isolate); };
  globalThis.remove = (slot) => { handles.delete(slot); };
  globalThis.loop = (buffer) => {
    const words = new Int32Array(buffer);
    for (;;) {
      const command = Atomics.exchange(words, ${WORD.command}, 0);
      if (command === 0) { Atomics.wait(words, ${WORD.command}, 0); continue; }
      if (command === ${YIELD}) return;
      const isolate = handles.get(command);
      if (isolate !== undefined) { handles.delete(command); isolate.dispose(); }
    }
  };
`;

export class Watchdog {
  readonly #words: Int32Array;
  readonly #buffer: SharedArrayBuffer;
  readonly #calls = trustedFunctions(SOURCE, ['add', 'remove', 'loop'] as const);
  #lastSlot = 0;

  constructor(buffer: SharedArrayBuffer) {
    this.#buffer = buffer;
    this.#words = new Int32Array(buffer);
    this.#calls.loop(shared(buffer));
  }

  /** @returns the slot by which the isolate is named in entries */
  register(isolate: IsolateHandle): number {
    this.#lastSlot += 1;
    const slot = this.#lastSlot;
    this.#between(() => this.#calls.add(slot, isolate));
    return slot;
  }

  unregister(slot: number): void {
    this.#between(() => this.#calls.remove(slot));
  }

  // No kill can be under way here: the meter only claims running entries, and this runs on the loop's own thread, outside of any.
  #between(call: () => void): void {
    Atomics.store(this.#words, WORD.command, YIELD);
    Atomics.notify(this.#words, WORD.command);
    call();
    this.#calls.loop(shared(this.#buffer));
  }
}
