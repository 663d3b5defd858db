// Where AsyncLocalStorage hooks into callbacks that the runtime keeps. Null until a function uses it: nobody else pays.

export const contextHooks: {
  /** Binds a callback to the context of this moment. */
  capture: ((run: () => void) => () => void) | null;
  /** An entry begins, or its synchronous part ends: there is no context. */
  reset: (() => void) | null;
} = { capture: null, reset: null };

/** To be used for every callback that the runtime calls in a later entry or microtask. */
export function bound(run: () => void): () => void {
  return contextHooks.capture === null ? run : contextHooks.capture(run);
}
