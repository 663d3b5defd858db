// Which of Node's modules a function can import, and what to use in the place of the others (docs/runtime/packages.md has the table).

/** Made for functions: `node/NAME.ts` beside this file, or the module of unenv. */
export const OFFERED = {
  own: [
    'assert', 'assert/strict', 'async_hooks', 'buffer', 'console', 'crypto', 'events', 'os', 'path', 'path/posix', 'perf_hooks', 'process', 'stream', 'stream/consumers', 'stream/promises', 'stream/web',
    'string_decoder', 'timers', 'timers/promises', 'tty', 'util', 'util/types', 'zlib',
  ],
  unenv: ['constants', 'diagnostics_channel', 'punycode', 'querystring', 'url'],
} as const;

const SOCKETS = 'functions open no sockets; use fetch';
const FILES = 'functions have no file system; import the data as a .json or .txt file of the upload, or fetch it';
const PROCESSES = 'functions have no processes and no threads';
const HTTP = 'functions send requests by fetch, and receive them by their handler';

/** What cannot work, each with what to use instead. */
const REFUSED: Readonly<Record<string, string>> = {
  child_process: PROCESSES, cluster: PROCESSES, worker_threads: PROCESSES,
  dgram: SOCKETS, net: SOCKETS, tls: SOCKETS, dns: 'functions look up no names; use fetch', 'dns/promises': 'functions look up no names; use fetch',
  fs: FILES, 'fs/promises': FILES, sqlite: FILES,
  http: HTTP, https: HTTP, http2: HTTP, _http_agent: HTTP, _http_client: HTTP, _http_common: HTTP, _http_incoming: HTTP, _http_outgoing: HTTP, _http_server: HTTP,
  module: 'modules are resolved when the function is built; use import or require with a literal name',
  vm: 'there is no other context than the function\'s own', domain: 'domains are not available; use try and catch',
  inspector: 'there is no debugger inside a function', 'inspector/promises': 'there is no debugger inside a function',
  readline: 'functions have no terminal', 'readline/promises': 'functions have no terminal', repl: 'functions have no terminal',
  'path/win32': 'paths are POSIX paths here; use node:path', test: 'tests run outside of functions', 'test/reporters': 'tests run outside of functions', sea: FILES,
  trace_events: 'the engine\'s internals are not available', v8: 'the engine\'s internals are not available; use structuredClone for copies', wasi: 'functions have no file system',
  _tls_common: SOCKETS, _tls_wrap: SOCKETS,
};

/** Other names of offered modules. */
const SAME: Readonly<Record<string, string>> = {
  sys: 'util', _stream_duplex: 'stream', _stream_passthrough: 'stream', _stream_readable: 'stream', _stream_transform: 'stream', _stream_writable: 'stream', _stream_wrap: 'stream',
};

/** These exist with `node:` only: without, the name is a package's. */
const PREFIX_ONLY: ReadonlySet<string> = new Set(['sqlite', 'test', 'test/reporters', 'sea']);

const offered: ReadonlySet<string> = new Set([...OFFERED.own, ...OFFERED.unenv]);

/** Whether Node has a module of that name, written without `node:`. */
export function isNodeModule(name: string): boolean {
  return !PREFIX_ONLY.has(name) && (offered.has(name) || Object.hasOwn(SAME, name) || Object.hasOwn(REFUSED, name));
}

/** @param name  without `node:` */
export function nodeModule(name: string): { readonly offered: string } | { readonly refused: string } {
  const real = Object.hasOwn(SAME, name) ? (SAME[name] as string) : name;
  if (offered.has(real)) return { offered: real };
  return { refused: Object.hasOwn(REFUSED, name) ? (REFUSED[name] as string) : 'Node has no module of that name' };
}
