// The version's module: a CommonJS-style factory that the bundle hands over, evaluated inside a timed entry.
import { builtin } from './builtins.guest.ts';
import { describeThrown } from './errors.guest.ts';
import type { Handler } from './invocation.guest.ts';
import { reflectApply } from './primordials.guest.ts';

type Factory = (module: { exports: Record<string, unknown> }, exports: Record<string, unknown>, builtin: (name: unknown) => object) => void;

let factory: Factory | undefined;

/** What `__thimble_define` is: takes the factory, evaluates nothing. */
export function define(made: Factory): void {
  factory = made;
}

/** @returns '' when a handler was found, else what went wrong */
export function evaluate(): { readonly handler: Handler | undefined; readonly error: string; readonly stack: string } {
  const make = factory;
  factory = undefined;
  if (make === undefined) return { handler: undefined, error: 'the bundle defines no module', stack: '' };
  const module = { exports: {} as Record<string, unknown> };
  try {
    make(module, module.exports, builtin);
    const handler = findHandler(module.exports);
    if (handler !== undefined) return { handler, error: '', stack: '' };
    return { handler: undefined, error: 'the module has no default export with a fetch method', stack: '' };
  } catch (thrown) {
    const { message, stack } = describeThrown(thrown);
    return { handler: undefined, error: message, stack };
  }
}

/** A default export that is a function, or an object (an application, too) with a `fetch` method. */
function findHandler(exports: Record<string, unknown>): Handler | undefined {
  const main = exports['default'];
  if (typeof main === 'function') return main as Handler;
  if (typeof main !== 'object' || main === null) return undefined;
  const { fetch } = main as { fetch?: unknown };
  if (typeof fetch !== 'function') return undefined;
  return (request, env, ctx) => reflectApply(fetch as Handler, main, [request, env, ctx]);
}
