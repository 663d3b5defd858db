// Built-in modules that bundles ask for by name: those of other runtimes that only the host can make real.
import { loaded } from './module.guest.ts';
import { loadPart } from './parts.guest.ts';
import { NativeTypeError } from './primordials.guest.ts';

/** Parts of the platform by the name that the builder writes into bundles. */
const BUILTINS: Readonly<Record<string, string>> = {
  __proto__: null as never,
  deno: 'deno',
  bun: 'bun',
  process: 'process',
  'node:async_hooks': 'async-hooks',
  'node:crypto': 'node-crypto',
};

/** What `__thimble` is in a bundle. Throws a TypeError for anything that is no built-in. */
export function builtin(name: unknown): object {
  // What `import.meta.env` becomes.
  if (name === 'env') return loaded.environment;
  const part = typeof name === 'string' ? BUILTINS[name] : undefined;
  if (part === undefined) throw new NativeTypeError(`there is no built-in module ${String(name)}`);
  return loadPart(part);
}
