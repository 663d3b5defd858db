// The version's module: a CommonJS-style factory that the bundle hands over, evaluated inside a timed entry.
import { builtin } from './builtins.guest.ts';
import { describeThrown } from './errors.guest.ts';
import { onFetchListener } from './events.guest.ts';
import type { Handler } from './invocation.guest.ts';
import { loadPart } from './parts.guest.ts';
import { reflectApply, reflectGetOwnPropertyDescriptor } from './primordials.guest.ts';

const { isArray } = Array;

type Exports = Record<string, unknown>;
type Factory = (module: { exports: Exports }, exports: Exports, builtin: (name: unknown) => object) => unknown;

/** What is known of the function: parts make handlers of it. */
export interface Loaded {
  /** `auto`, or what the function's settings name. */
  shape: string;
  /** The environment, one object for `env`, `process.env`, `Bun.env` and `import.meta.env`. */
  environment: Record<string, string>;
  exports: Exports;
  /** A server that the module registered: Deno.serve, Bun.serve, addEventListener("fetch"). */
  server: Handler | undefined;
  /** The handler of requests, once the module is evaluated. */
  handler: Handler | undefined;
}

export const loaded: Loaded = { shape: 'auto', environment: {}, exports: {}, server: undefined, handler: undefined };

export interface Evaluation {
  /** '' or what went wrong. */
  readonly error: string;
  readonly stack: string;
}

/** What `parts/shapes` gives: a handler for every module that is not plainly a fetch handler. */
interface ShapesPart {
  /** Throws a TypeError that says what was looked for. */
  handlerOf(): Handler;
}

/** What `parts/fetch-event` gives. */
interface FetchEventPart {
  listen(listener: object): void;
}
onFetchListener((listener) => loadPart<FetchEventPart>('fetch-event').listen(listener));

let factory: Factory | undefined;
const WAITS: Evaluation = { error: 'the module waits at its top level for something that does not come: no fetch and no timer settles before the first request', stack: '' };
let outcome = WAITS;

/** What `__thimble_define` is: takes the factory, evaluates nothing. */
export function define(made: Factory): void {
  factory = made;
}

/**
 * @param ready  what to do once the module is evaluated
 * @returns undefined when the module awaits at its top level: `evaluated` tells after the microtasks
 */
export function evaluate(ready: () => Evaluation = chooseHandler): Evaluation | undefined {
  const make = factory;
  factory = undefined;
  if (make === undefined) return { error: 'the bundle defines no module', stack: '' };
  const module = { exports: {} as Exports };
  try {
    const pending = make(module, module.exports, builtin);
    if (pending === undefined) {
      loaded.exports = module.exports;
      return ready();
    }
    awaitThen(pending, () => {
      loaded.exports = module.exports;
      return ready();
    });
    return undefined;
  } catch (thrown) {
    return failed(thrown);
  }
}

/** Has `evaluated` tell how `pending` ended, and `ready` after it. */
export function awaitThen(pending: unknown, ready: () => Evaluation): void {
  outcome = WAITS;
  void finish(pending, ready);
}

/** How the evaluation of a module with top-level await ended. */
export function evaluated(): Evaluation {
  return outcome;
}

async function finish(pending: unknown, ready: () => Evaluation): Promise<void> {
  try {
    await pending;
    outcome = ready();
  } catch (thrown) {
    outcome = failed(thrown);
  }
}

export function failed(thrown: unknown): Evaluation {
  const { message, stack } = describeThrown(thrown);
  return { error: message, stack };
}

/** Finds the handler of what the module exports. Throws a TypeError that says what was looked for. */
export function chooseHandler(): Evaluation {
  const { shape, exports } = loaded;
  const plain = shape === 'auto' || shape === 'fetch' ? plainHandler(exports['default']) : undefined;
  loaded.handler = plain ?? loadPart<ShapesPart>('shapes').handlerOf();
  return { error: '', stack: '' };
}

/** A default export that is a function, or an object (an application, too) with a `fetch` method. Classes and Bun's routes are for the part. */
function plainHandler(main: unknown): Handler | undefined {
  if ((typeof main !== 'object' && typeof main !== 'function') || main === null) return undefined;
  const { fetch, routes, error, prototype } = main as Exports;
  if (typeof fetch !== 'function') return typeof main === 'function' && typeof (prototype as Exports | undefined)?.['fetch'] !== 'function' ? (main as Handler) : undefined;
  // Hono and itty-router have `routes` too, as a list, and an itty router answers to every name: what Bun looks at is an object of its own.
  const isBuns = typeof routes === 'object' && routes !== null && !isArray(routes);
  if (isBuns || (error !== undefined && reflectGetOwnPropertyDescriptor(main, 'error') !== undefined)) return undefined;
  return (request, env, ctx) => reflectApply(fetch as Handler, main, [request, env, ctx]);
}
