// node:timers/promises.

export interface Options {
  readonly signal?: AbortSignal;
  readonly ref?: boolean;
}

function abortError(signal: AbortSignal): Error {
  return Object.assign(new Error('The operation was aborted', { cause: signal.reason as unknown }), { name: 'AbortError', code: 'ABORT_ERR' });
}

export function setTimeout<T = undefined>(ms = 1, value?: T, { signal }: Options = {}): Promise<T> {
  if (signal?.aborted === true) return Promise.reject(abortError(signal));
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      globalThis.clearTimeout(timer);
      reject(abortError(signal as AbortSignal));
    };
    const timer = globalThis.setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve(value as T);
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

export function setImmediate<T = undefined>(value?: T, options?: Options): Promise<T> {
  return setTimeout(0, value, options);
}

/** The next round begins when the last one is asked for. */
export async function* setInterval<T = undefined>(ms = 1, value?: T, options?: Options): AsyncGenerator<T, void> {
  for (;;) {
    await setTimeout(ms, undefined, options);
    yield value as T;
  }
}

export const scheduler = {
  wait: (ms: number, options?: Options): Promise<undefined> => setTimeout(ms, undefined, options),
  yield: (): Promise<undefined> => setImmediate(),
};

export default { setTimeout, setImmediate, setInterval, scheduler };
