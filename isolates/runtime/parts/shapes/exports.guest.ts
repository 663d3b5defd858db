// What a module exports, read with care: getters of bundlers, CommonJS, names that must never be callable.
import { loaded } from '../../module.guest.ts';
import { ObjectKeys, reflectGetOwnPropertyDescriptor } from '../../primordials.guest.ts';

export type AnyFunction = (this: unknown, ...args: never[]) => unknown;

/** Names that mean something else than an operation: the default export, hooks, thenables, and what every object has. */
function isNever(name: string): boolean {
  return name === 'default' || name === 'onSnapshot' || name === 'onRestore' || name === 'then' || name === 'constructor' || name === 'prototype' || name === '__proto__';
}

/** The function that the module exports under this very name, or undefined. Inherited and hidden properties are no exports. */
export function exportedFunction(name: string): AnyFunction | undefined {
  if (isNever(name)) return undefined;
  const { exports } = loaded;
  if (reflectGetOwnPropertyDescriptor(exports, name)?.enumerable !== true) return undefined;
  const value = exports[name];
  return typeof value === 'function' ? (value as AnyFunction) : undefined;
}

/** Names of the functions that can be called. */
export function exportedNames(): string[] {
  const { exports } = loaded;
  const names: string[] = [];
  if ((typeof exports !== 'object' && typeof exports !== 'function') || exports === null) return names;
  const keys = ObjectKeys(exports);
  for (let i = 0; i < keys.length; i++) if (exportedFunction(keys[i] as string) !== undefined) names[names.length] = keys[i] as string;
  return names;
}

/** The default export; a CommonJS module that is a function is its own. */
export function mainExport(): unknown {
  const { exports } = loaded;
  return typeof exports === 'function' ? exports : exports?.['default'];
}

/** `handler`, or the default export when that is a function or has one. */
export function handlerExport(): AnyFunction | undefined {
  const named = exportedFunction('handler');
  if (named !== undefined) return named;
  const main = mainExport();
  if (typeof main === 'function') return main as AnyFunction;
  const inner = typeof main === 'object' && main !== null ? (main as Record<string, unknown>)['handler'] : undefined;
  return typeof inner === 'function' ? (inner as AnyFunction) : undefined;
}
