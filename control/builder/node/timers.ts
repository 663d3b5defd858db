// node:timers: the runtime's timers, with Node's objects in the place of numbers.
import promises from './timers/promises.ts';

type Callback = (...args: unknown[]) => void;

/** Whether a timer keeps anything alive makes no difference here: `ref` and `unref` are for callers that expect them. */
class Timeout {
  readonly #start: () => number;
  readonly #end: (id: number) => void;
  #id: number;

  constructor(start: () => number, end: (id: number) => void) {
    this.#start = start;
    this.#end = end;
    this.#id = start();
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }
  hasRef(): boolean {
    return true;
  }
  refresh(): this {
    this.#end(this.#id);
    this.#id = this.#start();
    return this;
  }
  close(): this {
    this.#end(this.#id);
    return this;
  }
  [Symbol.toPrimitive](): number {
    return this.#id;
  }
  [Symbol.dispose](): void {
    this.close();
  }
}

const { setTimeout: start, setInterval: repeat, setImmediate: soon, clearTimeout: end, clearInterval: endRepeat, clearImmediate: endSoon } = globalThis as unknown as {
  setTimeout(callback: Callback, ms: number, ...args: unknown[]): number;
  setInterval(callback: Callback, ms: number, ...args: unknown[]): number;
  setImmediate(callback: Callback, ...args: unknown[]): number;
  clearTimeout(id: number): void;
  clearInterval(id: number): void;
  clearImmediate(id: number): void;
};

export function setTimeout(callback: Callback, ms = 1, ...args: unknown[]): Timeout {
  return new Timeout(() => start(callback, ms, ...args), end);
}
export function setInterval(callback: Callback, ms = 1, ...args: unknown[]): Timeout {
  return new Timeout(() => repeat(callback, ms, ...args), endRepeat);
}
export function setImmediate(callback: Callback, ...args: unknown[]): Timeout {
  return new Timeout(() => soon(callback, ...args), endSoon);
}
/** Takes the objects of this module, and the numbers that the global functions give. */
function clearing(endNumber: (id: number) => void) {
  return (timer: Timeout | number | string | null | undefined): void => {
    if (timer instanceof Timeout) timer.close();
    else if (timer !== null && timer !== undefined) endNumber(Number(timer));
  };
}
export const clearTimeout = clearing(end);
export const clearInterval = clearing(endRepeat);
export const clearImmediate = clearing(endSoon);
export { promises };
export default { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate, promises };
