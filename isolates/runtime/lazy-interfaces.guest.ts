// Globals that parts define.

/** Interfaces that a part makes on first touch, by part. A part exports each under its own name. */
export const LAZY_INTERFACES: Readonly<Record<string, readonly string[]>> = {
  events: ['AbortController', 'AbortSignal', 'CustomEvent', 'Event', 'EventTarget'],
  exceptions: ['DOMException'],
  messaging: ['MessageChannel', 'MessageEvent', 'MessagePort'],
  navigator: ['Navigator'],
  reporting: ['ErrorEvent', 'PromiseRejectionEvent'],
  streams: [
    'ReadableStream', 'ReadableStreamDefaultController', 'ReadableByteStreamController', 'ReadableStreamBYOBRequest', 'ReadableStreamDefaultReader', 'ReadableStreamBYOBReader',
    'WritableStream', 'WritableStreamDefaultController', 'WritableStreamDefaultWriter', 'ByteLengthQueuingStrategy', 'CountQueuingStrategy', 'TransformStream',
    'TransformStreamDefaultController',
  ],
  blob: ['Blob', 'File'],
  form: ['FormData'],
  caches: ['Cache', 'CacheStorage'],
  encoding: ['TextEncoder', 'TextDecoder'],
  'encoding-streams': ['TextEncoderStream', 'TextDecoderStream'],
  compression: ['CompressionStream', 'DecompressionStream'],
  webcrypto: ['CryptoKey', 'SubtleCrypto'],
  'url-search-params': ['URLSearchParams'],
  'url-pattern': ['URLPattern'],
  performance: ['Performance', 'PerformanceEntry', 'PerformanceMark', 'PerformanceMeasure'],
};

/** Other globals that parts define: instances and functions. */
export const LAZY_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  base64: ['atob', 'btoa'],
  caches: ['caches'],
  events: ['addEventListener', 'dispatchEvent', 'removeEventListener'],
  navigator: ['navigator'],
  performance: ['performance'],
};
