// Types of packages that have none: they follow Node's modules.
declare module 'readable-stream/lib/stream.js' {
  import stream = require('node:stream');
  export = stream;
}
declare module 'events/events.js' {
  import events = require('node:events');
  export = events;
}
declare module 'assert/build/assert.js' {
  import assert = require('node:assert');
  export = assert;
}
declare module 'assert/build/internal/util/comparisons.js' {
  const comparisons: { isDeepEqual(a: unknown, b: unknown): boolean; isDeepStrictEqual(a: unknown, b: unknown): boolean };
  export = comparisons;
}
declare module 'string_decoder/lib/string_decoder.js' {
  import decoder = require('node:string_decoder');
  export = decoder;
}
declare module 'path-browserify' {
  import path = require('node:path');
  const posix: path.PlatformPath;
  export = posix;
}
