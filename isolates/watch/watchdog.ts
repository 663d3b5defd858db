// The watchdog: a trusted isolate on isolated-vm's pool that holds every tenant isolate's handle and disposes the one it is told to.
import { shared, trustedFunctions } from '../vm.ts';
import type { IsolateHandle } from '../vm.ts';
import { WORD, YIELD } from './state.ts';

// Runs inside the isolate. It sleeps in Atomics.wait without a timeout, so that an idle host costs nothing, and wakes for a kill or to
// let calls in: while the loop runs, they queue. Each call is followed by a loop of its own, and a loop that finds more calls behind it ends
// at once without touching the command: a kill must find its isolate registered.
const SOURCE = `
  const handles = new Map();
  let words;
  globalThis.bind = (buffer) => { words = new Int32Array(buffer); };
  globalThis.add = (slot, isolate) => { handles.set(slot, isolate); Atomics.sub(words, ${WORD.calls}, 1); };
  globalThis.remove = (slot) => { handles.delete(slot); Atomics.sub(words, ${WORD.calls}, 1); };
  globalThis.loop = () => {
    while (Atomics.load(words, ${WORD.calls}) === 0) {
      const command = Atomics.exchange(words, ${WORD.command}, 0);
      if (command === 0) { Atomics.wait(words, ${WORD.command}, 0); continue; }
      if (command === ${YIELD}) continue;
      const isolate = handles.get(command);
      if (isolate !== undefined) { handles.delete(command); isolate.dispose(); }
    }
  };
`;

export class Watchdog {
  readonly #words: Int32Array;
  readonly #calls = trustedFunctions(SOURCE, ['bind', 'add', 'remove', 'loop'] as const);
  #lastSlot = 0;

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer);
    this.#calls.bind(shared(buffer));
    this.#calls.loop();
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
    Atomics.add(this.#words, WORD.calls, 1);
    Atomics.store(this.#words, WORD.command, YIELD);
    Atomics.notify(this.#words, WORD.command);
    call();
    this.#calls.loop();
  }
}
