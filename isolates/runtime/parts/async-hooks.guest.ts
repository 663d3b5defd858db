// node:async_hooks: AsyncLocalStorage and AsyncResource.
//
// V8 12.4 has no AsyncContext, and native await bypasses a patched `then`. So bundles that import this are built with async functions lowered to
// promises, and `then` is patched here: a callback runs in the context in which it was given. The runtime's own callbacks (timers, microtasks)
// go through `contextHooks`; each entry, and what follows its synchronous part, starts with no context.
import { contextHooks } from '../async-context.guest.ts';
import { MapPrototypeGet, MapPrototypeHas, MapPrototypeSet, NativeMap, NativePromise, NativeTypeError, PromisePrototypeThen, reflectApply, reflectDefineProperty } from '../primordials.guest.ts';

type AnyFunction = (this: unknown, ...args: never[]) => unknown;
/** Immutable: every change makes a new one, so that a context can be kept by reference. */
type Context = Map<object, unknown> | undefined;

let current: Context;

function inContext<R>(context: Context, fn: (this: unknown, ...args: never[]) => R, self: unknown, args: readonly unknown[]): R {
  const before = current;
  current = context;
  try {
    return reflectApply(fn, self, args as unknown[]) as R;
  } finally {
    current = before;
  }
}

function withEntry(context: Context, key: object, value: unknown): Map<object, unknown> {
  const made = context === undefined ? new NativeMap<object, unknown>() : new NativeMap(context);
  MapPrototypeSet(made, key, value);
  return made;
}

contextHooks.capture = (run) => {
  const context = current;
  return () => inContext(context, run, undefined, []);
};
contextHooks.reset = () => {
  current = undefined;
};

// ---- promises ----

/** A thenable that is no promise has its `then` called by V8 in a microtask of its own, where there would be no context. */
function settled(value: unknown): unknown {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || value instanceof NativePromise) return value;
  const { then } = value as { then?: unknown };
  if (typeof then !== 'function') return value;
  const context = current;
  return new NativePromise((resolve, reject) => {
    void PromisePrototypeThen(resolved, () => {
      try {
        inContext(context, then as AnyFunction, value, [(inner: unknown) => resolve(settled(inner)), reject]);
      } catch (thrown) {
        reject(thrown);
      }
    }, undefined);
  });
}

function callbackOf(callback: unknown, context: Context): unknown {
  if (typeof callback !== 'function') return callback;
  return (value: unknown): unknown => {
    const before = current;
    current = context;
    try {
      return settled(reflectApply(callback as AnyFunction, undefined, [value]));
    } finally {
      current = before;
    }
  };
}

const resolved = NativePromise.resolve();
const resolve = NativePromise.resolve;

function patchedThen(this: Promise<unknown>, onFulfilled: unknown, onRejected: unknown): Promise<unknown> {
  return PromisePrototypeThen(this, callbackOf(onFulfilled, current) as never, callbackOf(onRejected, current) as never);
}

function patchedResolve(this: PromiseConstructor, value: unknown): Promise<unknown> {
  return reflectApply(resolve, this, [settled(value)]) as Promise<unknown>;
}

function patch(holder: object, name: string, value: object): void {
  reflectDefineProperty(value, 'name', { value: name, configurable: true });
  reflectDefineProperty(holder, name, { value, writable: true, enumerable: false, configurable: true });
}
patch(NativePromise.prototype, 'then', patchedThen);
patch(NativePromise, 'resolve', patchedResolve);

// ---- the module's interface (https://nodejs.org/docs/latest-v22.x/api/async_context.html) ----

function checked(fn: unknown): AnyFunction {
  if (typeof fn !== 'function') throw new NativeTypeError('the "fn" argument must be of type function');
  return fn as AnyFunction;
}

export class AsyncLocalStorage {
  /** The key of this storage in contexts; a new one after `disable`, so that contexts kept elsewhere lose it too. */
  #key: object = {};
  readonly #name: string;
  readonly #defaultValue: unknown;

  constructor(options: { readonly name?: string; readonly defaultValue?: unknown } = {}) {
    this.#name = options.name ?? '';
    this.#defaultValue = options.defaultValue;
  }

  get name(): string {
    return this.#name;
  }

  getStore(): unknown {
    if (current === undefined || !MapPrototypeHas(current, this.#key)) return this.#defaultValue;
    return MapPrototypeGet(current, this.#key);
  }

  run(store: unknown, fn: AnyFunction, ...args: unknown[]): unknown {
    return inContext(withEntry(current, this.#key, store), checked(fn), undefined, args);
  }

  exit(fn: AnyFunction, ...args: unknown[]): unknown {
    return this.run(undefined, fn, ...args);
  }

  /** For the rest of this synchronous execution, and what it starts. */
  enterWith(store: unknown): void {
    current = withEntry(current, this.#key, store);
  }

  disable(): void {
    this.#key = {};
  }

  static bind(fn: AnyFunction): AnyFunction {
    const call = checked(fn);
    const context = current;
    return boundLike(call, function (this: unknown, ...args: unknown[]): unknown {
      return inContext(context, call, this, args);
    });
  }

  /** A function that runs others in the context of this moment. */
  static snapshot(): (fn: AnyFunction, ...args: unknown[]) => unknown {
    const context = current;
    return (fn, ...args) => inContext(context, checked(fn), undefined, args);
  }
}

/** Node keeps the length of what it binds. */
function boundLike(fn: AnyFunction, bound: AnyFunction): AnyFunction {
  reflectDefineProperty(bound, 'length', { value: fn.length, configurable: true });
  return bound;
}

let lastAsyncId = 0;

export class AsyncResource {
  readonly #context: Context = current;
  readonly #id: number = (lastAsyncId += 1);

  constructor(type: string, _options?: number | object) {
    if (typeof type !== 'string') throw new NativeTypeError('the "type" argument must be of type string');
  }

  runInAsyncScope(fn: AnyFunction, thisArg?: unknown, ...args: unknown[]): unknown {
    return inContext(this.#context, checked(fn), thisArg, args);
  }

  bind(fn: AnyFunction, thisArg?: unknown): AnyFunction {
    const call = checked(fn);
    const context = this.#context;
    const isGiven = arguments.length > 1;
    return boundLike(call, function (this: unknown, ...args: unknown[]): unknown {
      return inContext(context, call, isGiven ? thisArg : this, args);
    });
  }

  static bind(fn: AnyFunction, type?: string, thisArg?: unknown): AnyFunction {
    return new AsyncResource(type ?? 'bound-anonymous-fn').bind(fn, ...(thisArg === undefined ? [] : [thisArg]) as [unknown]);
  }

  emitDestroy(): this {
    return this;
  }

  asyncId(): number {
    return this.#id;
  }

  triggerAsyncId(): number {
    return 0;
  }
}

for (const [name, value] of [['AsyncLocalStorage', AsyncLocalStorage], ['AsyncResource', AsyncResource]] as const) {
  reflectDefineProperty(value, 'name', { value: name, configurable: true });
}

/** No asynchronous operation has an id here. */
export function executionAsyncId(): number {
  return 0;
}

export function triggerAsyncId(): number {
  return 0;
}
