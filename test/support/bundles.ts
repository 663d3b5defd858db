// Runs a bundle as the runtime does, with stand-ins for the built-ins of the host: for tests of the text that the builder makes.
import { Script, createContext } from 'node:vm';

export type Exports = Record<string, unknown> & { default?: unknown };

type Module = { exports: Exports };
type Factory = (module: Module, exports: Exports, builtin: (name: string) => unknown) => unknown;

/** The exports, or a promise of them when the bundle has top-level await. @param globals  what the context has besides the language */
export function runBundle(bundle: string, builtins: Readonly<Record<string, unknown>> = {}, globals: Readonly<Record<string, unknown>> = {}): Exports | Promise<Exports> {
  const module: Module = { exports: {} };
  const builtin = (name: string): unknown => {
    if (!Object.hasOwn(builtins, name)) throw new TypeError(`there is no built-in module ${name}`);
    return builtins[name];
  };
  let result: unknown;
  const define = (factory: Factory): void => void (result = factory(module, module.exports, builtin));
  new Script(bundle, { filename: 'bundle.js' }).runInContext(createContext({ ...globals, __thimble_define: define }));
  return result === undefined ? module.exports : (result as Promise<unknown>).then(() => module.exports);
}

/** What bundles with Node's modules take from a runtime. */
export const WEB_GLOBALS = {
  AbortController, AbortSignal, Blob, CompressionStream, DecompressionStream, Event, EventTarget, File, ReadableStream, Request, Response, TextDecoder, TextEncoder, TransformStream, URL, URLSearchParams,
  WritableStream, atob, btoa, clearImmediate, clearInterval, clearTimeout, console, crypto, performance, queueMicrotask, setImmediate, setInterval, setTimeout, structuredClone,
};
