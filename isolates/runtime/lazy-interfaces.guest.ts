// Globals that parts define.

/** Interfaces that a part makes on first touch, by part. A part exports each under its own name. */
export const LAZY_INTERFACES: Readonly<Record<string, readonly string[]>> = {
  streams: [
    'ReadableStream', 'ReadableStreamDefaultController', 'ReadableByteStreamController', 'ReadableStreamBYOBRequest', 'ReadableStreamDefaultReader', 'ReadableStreamBYOBReader',
    'WritableStream', 'WritableStreamDefaultController', 'WritableStreamDefaultWriter', 'ByteLengthQueuingStrategy', 'CountQueuingStrategy', 'TransformStream',
    'TransformStreamDefaultController',
  ],
  blob: ['Blob', 'File'],
  form: ['FormData'],
  performance: ['Performance', 'PerformanceEntry', 'PerformanceMark', 'PerformanceMeasure'],
};

/** Other globals that parts define: instances and functions. */
export const LAZY_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  performance: ['performance'],
};
