// What is on the global object.
import { report } from './lib/report.ts';

const interfaces = [
  'AbortController', 'AbortSignal', 'Blob', 'ByteLengthQueuingStrategy', 'CompressionStream', 'CountQueuingStrategy', 'Crypto', 'CryptoKey', 'CustomEvent', 'DecompressionStream', 'DOMException', 'ErrorEvent', 'Event', 'EventTarget', 'File', 'FormData', 'Headers',
  'MessageChannel', 'MessageEvent', 'MessagePort', 'Performance', 'PromiseRejectionEvent', 'ReadableByteStreamController', 'ReadableStream', 'ReadableStreamBYOBReader', 'ReadableStreamBYOBRequest', 'ReadableStreamDefaultController', 'ReadableStreamDefaultReader',
  'Request', 'Response', 'SubtleCrypto', 'TextDecoder', 'TextDecoderStream', 'TextEncoder', 'TextEncoderStream', 'TransformStream', 'TransformStreamDefaultController', 'URL', 'URLPattern', 'URLSearchParams', 'WritableStream', 'WritableStreamDefaultController', 'WritableStreamDefaultWriter',
] as const;
const functions = ['atob', 'btoa', 'clearInterval', 'clearTimeout', 'fetch', 'queueMicrotask', 'reportError', 'setInterval', 'setTimeout', 'structuredClone'] as const;
const globals = globalThis as unknown as Readonly<Record<string, { readonly name: string; readonly length: number }>>;

export default {
  fetch: async (): Promise<Response> =>
    report({
      ...Object.fromEntries(interfaces.map((name) => [name, () => {
        const value = globals[name]!;
        return [typeof value, value.name];
      }])),
      ...Object.fromEntries(functions.map((name) => [name, () => [typeof globals[name], globals[name]!.name, globals[name]!.length]])),
      'objects': () => [typeof console, typeof crypto, typeof performance, typeof navigator, typeof self, self === globalThis],
      'userAgent': () => [typeof navigator.userAgent, navigator.userAgent.length > 0],
      'not a browser': () => ['window', 'document', 'localStorage', 'XMLHttpRequest', 'importScripts'].map((name) => typeof (globalThis as unknown as Record<string, unknown>)[name]),
    }),
};
