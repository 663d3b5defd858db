// node:util.
import { isDeepStrictEqual } from './internal/comparisons.ts';
import { format, formatWithOptions, inspect, stripVTControlCharacters } from './internal/inspect.ts';
import { notAvailable } from './internal/not-available.ts';
import types from './util/types.ts';

type Callback = (error: unknown, value?: unknown) => void;
type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

const custom: unique symbol = Symbol.for('nodejs.util.promisify.custom') as never;

/** @throws TypeError  `original` is no function */
export function promisify(original: AnyFunction & { [custom]?: AnyFunction }): AnyFunction {
  if (typeof original !== 'function') throw Object.assign(new TypeError('The "original" argument must be of type function'), { code: 'ERR_INVALID_ARG_TYPE' });
  const own = original[custom];
  if (own !== undefined) return Object.defineProperty(own, custom, { value: own, configurable: true });
  const promised = function (this: unknown, ...args: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const callback: Callback = (error, value) => (error === null || error === undefined ? resolve(value) : reject(error as Error));
      original.call(this, ...args, callback);
    });
  };
  Object.setPrototypeOf(promised, Object.getPrototypeOf(original) as object);
  Object.defineProperty(promised, custom, { value: promised, configurable: true });
  return Object.defineProperties(promised, Object.getOwnPropertyDescriptors(original));
}
promisify.custom = custom;

export function callbackify(original: (...args: unknown[]) => Promise<unknown>): AnyFunction {
  return function (this: unknown, ...args: unknown[]): void {
    const callback = args.pop() as Callback;
    // A callback that throws must not become a rejection that nobody handles as the callback's caller would expect it.
    const later = (error: unknown, value?: unknown): void => queueMicrotask(() => callback(error, value));
    original.apply(this, args).then(
      (value) => later(null, value),
      (reason: unknown) => later(reason ?? Object.assign(new Error('Promise was rejected with a falsy value'), { reason, code: 'ERR_FALSY_VALUE_REJECTION' })),
    );
  };
}

export function inherits(constructor: { prototype: object; super_?: unknown }, parent: { prototype: object }): void {
  Object.defineProperty(constructor, 'super_', { value: parent, writable: true, configurable: true });
  Object.setPrototypeOf(constructor.prototype, parent.prototype);
}

const warned = new Set<string>();
export function deprecate(original: AnyFunction, message: string, code = message): AnyFunction {
  return function (this: unknown, ...args: unknown[]): unknown {
    if (!warned.has(code)) {
      warned.add(code);
      console.warn(`DeprecationWarning: ${message}`);
    }
    return new.target === undefined ? original.apply(this, args) : (Reflect.construct(original, args, new.target) as unknown);
  };
}

/** NODE_DEBUG is not read: these lines never appear. */
export function debuglog(): ((...args: unknown[]) => void) & { enabled: boolean } {
  return Object.assign(() => {}, { enabled: false });
}
export const debug = debuglog;

export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

export const toUSVString = (text: unknown): string => String(text).toWellFormed();
export const styleText = (_style: unknown, text: string): string => text;
export const _extend = (target: object, source: unknown): object => (typeof source === 'object' && source !== null ? Object.assign(target, source) : target);
export const { isArray } = Array;
export const { TextDecoder, TextEncoder } = globalThis;
export const parseArgs = notAvailable('util.parseArgs', 'a function has no command line');
export const parseEnv = notAvailable('util.parseEnv');
export const getSystemErrorName = notAvailable('util.getSystemErrorName');
export const getSystemErrorMap = notAvailable('util.getSystemErrorMap');
export { format, formatWithOptions, inspect, isDeepStrictEqual, stripVTControlCharacters, types };
export default {
  TextDecoder, TextEncoder, _extend, aborted, callbackify, debug, debuglog, deprecate, format, formatWithOptions, getSystemErrorMap, getSystemErrorName, inherits, inspect, isArray, isDeepStrictEqual, parseArgs,
  parseEnv, promisify, stripVTControlCharacters, styleText, toUSVString, types,
};
