// Attacks on the runtime through the language's own objects: what each does at the module's top level, before any request.

export interface Attack {
  readonly name: string;
  /**
   * `own(function)` declares a function to be the tenant's: any other that a spy sees is the runtime's. Runs inside the module with `spy(label, ...values)`, which keeps what it is given, `wrap(holder, key)`, which replaces a method by one that
   * spies on receiver, arguments and result, and `trap(holder, key)`, which puts a spying accessor where there was nothing.
   */
  readonly code: string;
  /** It takes away what the function's own answer needs. */
  readonly fatal?: true;
}

const wrapped = (holder: string, ...keys: string[]): Attack[] => keys.map((key) => ({ name: `${holder}.${key}`, code: `wrap(${holder}, ${key.startsWith('Symbol.') ? key : JSON.stringify(key)});` }));

/** Replacing one thing at a time: a runtime that survives each of these may still rest on one of them. */
const SINGLE: readonly Attack[] = [
  ...wrapped('Promise.prototype', 'then', 'catch', 'finally'),
  ...wrapped('Promise', 'resolve', 'reject', 'all', 'withResolvers'),
  ...wrapped('Array.prototype', 'push', 'shift', 'slice', 'splice', 'join', 'map', 'forEach', 'concat', 'sort', 'indexOf', 'includes', 'Symbol.iterator'),
  ...wrapped('Object', 'defineProperty', 'keys', 'entries', 'assign', 'freeze', 'create', 'getOwnPropertyDescriptor', 'fromEntries', 'hasOwn'),
  ...wrapped('Reflect', 'apply', 'construct', 'defineProperty', 'ownKeys', 'get'),
  ...wrapped('Function.prototype', 'call', 'apply', 'bind', 'toString'),
  ...wrapped('String.prototype', 'split', 'slice', 'indexOf', 'toLowerCase', 'charCodeAt', 'replace', 'trim', 'startsWith'),
  ...wrapped('RegExp.prototype', 'exec', 'test', 'Symbol.replace', 'Symbol.split'),
  ...wrapped('JSON', 'parse', 'stringify'),
  ...wrapped('Map.prototype', 'get', 'set', 'delete', 'has'),
  ...wrapped('WeakMap.prototype', 'get', 'set'),
  ...wrapped('Set.prototype', 'add', 'has', 'delete'),
  ...wrapped('Uint8Array.prototype.__proto__', 'set', 'subarray', 'slice'),
  ...wrapped('Math', 'min', 'max', 'floor', 'random'),
  ...wrapped('Number', 'isInteger', 'isFinite'),
];

const WHOLE: readonly Attack[] = [
  { name: 'globalThis.Promise', code: `const Real = Promise; globalThis.Promise = class extends Real { constructor(run) { super((a, b) => run((v) => { spy('resolve', v); a(v); }, b)); spy('Promise', run); } };` },
  { name: 'globalThis.Response', code: `const Real = Response; globalThis.Response = class extends Real { constructor(...a) { super(...a); spy('Response', ...a); } };` },
  { name: 'globalThis.Request', code: `const Real = Request; globalThis.Request = class extends Real { constructor(...a) { super(...a); spy('Request', ...a); } };` },
  { name: 'globalThis.Headers', code: `globalThis.Headers = function () { spy('Headers', this); };` },
  { name: 'globalThis.Map', code: `const Real = Map; globalThis.Map = class extends Real { get(k) { const v = super.get(k); spy('get', k, v); return v; } set(k, v) { spy('set', k, v); return super.set(k, v); } };` },
  { name: 'globalThis.Array', code: `const Real = Array; globalThis.Array = new Proxy(Real, { construct: (t, a) => { const made = new Real(...a); spy('Array', made); return made; }, apply: (t, s, a) => { spy('Array', a); return Real(...a); } });` },
  { name: 'globalThis.Uint8Array', code: `const Real = Uint8Array; globalThis.Uint8Array = class extends Real { constructor(...a) { super(...a); spy('Uint8Array', a[0], this); } };` },
  { name: 'globalThis.String, Number, Error', code: `for (const n of ['String', 'Number', 'Error', 'TypeError', 'Symbol']) { const Real = globalThis[n]; globalThis[n] = new Proxy(Real, { apply: (t, s, a) => { spy(n, ...a); return apply(Real, s, a); }, construct: (t, a) => { spy(n, ...a); return new Real(...a); } }); }` },
  { name: 'globalThis without anything', fatal: true, code: `for (const n of Object.getOwnPropertyNames(globalThis)) { try { delete globalThis[n]; } catch {} }` },
  { name: 'globalThis frozen', code: `Object.freeze(globalThis);` },
  { name: 'every intrinsic frozen', code: `for (const n of Object.getOwnPropertyNames(globalThis)) { const v = globalThis[n]; if (typeof v === 'function') { Object.freeze(v); if (v.prototype) Object.freeze(v.prototype); } }` },
  { name: 'Object.prototype.then', code: `trap(Object.prototype, 'then');` },
  { name: 'Object.prototype.toJSON', code: `Object.defineProperty(Object.prototype, 'toJSON', { value() { spy('toJSON', this); return this; }, configurable: true, writable: true });` },
  { name: 'Object.prototype.get and set', code: `Object.defineProperty(Object.prototype, 'get', { get() { spy('get', this); return undefined; }, set(v) { spy('get=', v); }, configurable: true }); trap(Object.prototype, 'set');` },
  { name: 'Object.prototype index accessors', code: `for (let i = 0; i < 10; i++) trap(Object.prototype, String(i));` },
  { name: 'Array.prototype index accessors', code: `for (let i = 0; i < 10; i++) trap(Array.prototype, String(i));` },
  { name: 'Object.prototype.status, body, signal and their like', code: `for (const k of ['done', 'kind', 'body', 'headers', 'status', 'source', 'handle', 'code', 'message', 'stack', 'exports', 'default', 'fetch', 'signal', 'stream', 'resolve', 'reject', 'promise', 'run', 'repeats', 'extra']) { if (!(k in Object.prototype)) trap(Object.prototype, k); }` },
  { name: 'Function.prototype[Symbol.hasInstance]', code: `for (const n of ['Response', 'Request', 'Error', 'Headers', 'Promise', 'ArrayBuffer', 'URLSearchParams']) { const C = globalThis[n]; Object.defineProperty(C, Symbol.hasInstance, { value: (v) => { spy('instanceof', v); return true; }, configurable: true }); }` },
  { name: 'Symbol.species', code: `for (const n of ['Array', 'Promise', 'Uint8Array', 'ArrayBuffer', 'RegExp', 'Map']) { const C = globalThis[n]; try { Object.defineProperty(C, Symbol.species, { get() { spy('species', this); return C; }, configurable: true }); } catch {} }` },
  { name: 'constructor properties', code: `for (const n of ['Promise', 'Array', 'Uint8Array', 'ArrayBuffer', 'RegExp', 'Response', 'Request']) { const C = globalThis[n]; try { Object.defineProperty(C.prototype, 'constructor', { get() { spy('constructor', this); return C; }, configurable: true }); } catch {} }` },
  { name: 'iterator protocols', code: `const proto = (o) => Object.getPrototypeOf(o); for (const it of [[][Symbol.iterator](), new Map()[Symbol.iterator](), new Set()[Symbol.iterator](), ''[Symbol.iterator](), 'a'.matchAll(/a/g)]) wrap(proto(it), 'next'); wrap(proto(proto([][Symbol.iterator]())), Symbol.iterator);` },
  { name: 'async function and generator prototypes', code: `const A = Object.getPrototypeOf(async () => {}); const G = Object.getPrototypeOf(function* () {}).prototype; for (const k of ['next', 'return', 'throw']) wrap(G, k); Object.defineProperty(A, 'then', { get() { spy('then', this); }, configurable: true });` },
  { name: 'Response accessors', code: `for (const k of ['status', 'headers', 'body', 'ok', 'type', 'bodyUsed']) Object.defineProperty(Response.prototype, k, { get() { spy(k, this); return 200; }, configurable: true }); for (const k of ['text', 'json', 'arrayBuffer', 'clone']) wrap(Response.prototype, k);` },
  { name: 'Request accessors', code: `for (const k of ['url', 'method', 'headers', 'body', 'signal']) Object.defineProperty(Request.prototype, k, { get() { spy(k, this); return 'x'; }, configurable: true }); for (const k of ['text', 'json', 'arrayBuffer', 'clone']) wrap(Request.prototype, k);` },
  { name: 'Headers methods', code: `for (const k of ['get', 'set', 'append', 'has', 'forEach', 'entries', Symbol.iterator]) wrap(Headers.prototype, k);` },
  { name: 'URL and URLSearchParams', code: `for (const k of ['toString', 'toJSON']) wrap(URL.prototype, k); for (const k of ['get', 'toString', 'forEach']) wrap(URLSearchParams.prototype, k);` },
  { name: 'Error.prepareStackTrace takes call sites', code: `Error.stackTraceLimit = 200; Error.prepareStackTrace = (e, sites) => { for (let i = 0; i < sites.length; i++) { const s = sites[i]; spy('frame', s.getThis(), s.getFunction(), s.getTypeName(), s.getEvalOrigin && s.getEvalOrigin()); try { spy('caller', s.getFunction() && s.getFunction().caller, s.getFunction() && s.getFunction().arguments); } catch {} } return 'x'; }; globalThis.stackNow = own(() => new Error('x').stack);` },
  { name: 'caller and arguments of sloppy functions', code: `globalThis.stackNow = new Function('spy', 'return function f() { let c = f.caller; for (let i = 0; c && i < 20; i++) { spy("caller", c, c.arguments); c = c.caller; } }')(spy);` },
  { name: 'thenables everywhere', code: `globalThis.answer = () => ({ then(...a) { for (let i = 0; i < a.length; i++) spy('then', typeof a[i], ownKeys(a[i])); a[0](new Response('ok')); a[0](1); a[1](2); } });` },
  { name: 'a Response that is a Proxy', fatal: true, code: `globalThis.answer = () => new Proxy(new Response('ok'), { get(t, k, r) { spy('get', k, r); return Reflect.get(t, k, t); } });` },
  { name: 'a Response with tenant getters', code: `class Mine extends Response { get status() { spy('status', this); return 200; } get body() { spy('body', this); return null; } get headers() { spy('headers', this); return new Headers(); } } globalThis.answer = () => new Mine('ok');` },
  { name: 'a body whose stream lies', code: `globalThis.answer = () => { const s = new ReadableStream({ start(c) { c.enqueue(new Uint8Array([111, 107])); c.close(); } }); const get = s.getReader.bind(s); s.getReader = (...a) => { const r = get(...a); const read = r.read.bind(r); r.read = (...b) => { spy('read', ...b); return read(...b); }; return r; }; return new Response(s); };` },
  { name: 'Uint8Array subclass with a lying length', code: `class Lying extends Uint8Array { get length() { return 2 ** 31; } get byteLength() { return 2 ** 31; } get buffer() { spy('buffer', this); return new ArrayBuffer(8); } } globalThis.answer = () => new Response(new Lying([111, 107]));` },
  { name: 'headers from a Proxy', code: `globalThis.answer = () => new Response('ok', { headers: new Proxy({ a: 'b' }, { ownKeys: (t) => { spy('ownKeys', t); return Reflect.ownKeys(t); }, get: (t, k) => { spy('get', k); return t[k]; } }) });` },
  { name: 'toString and valueOf hooks', code: `globalThis.answer = () => new Response({ toString() { spy('toString', this); return 'ok'; }, [Symbol.toPrimitive](h) { spy('toPrimitive', h); return 'ok'; } });` },
  { name: 'proxied prototypes', code: `for (const n of ['Request', 'Response', 'Headers']) { try { Object.setPrototypeOf(globalThis[n].prototype, new Proxy(Object.prototype, { get(t, k, r) { spy('get', k, r); return Reflect.get(t, k, r); }, set(t, k, v, r) { spy('set', k, v, r); return Reflect.set(t, k, v, r); } })); } catch {} }` },
  { name: 'names of the hand-over', code: `for (const n of ['__thimble_bind', '__thimble_define', '__thimble_part', '__thimble_lazy']) { spy('had', globalThis[n]); try { Object.defineProperty(globalThis, n, { get() { spy('read', n); return undefined; }, set(v) { spy('given', v); }, configurable: true }); } catch {} }` },
  { name: 'hand-over names that can not be defined again', code: `for (const n of ['__thimble_part']) Object.defineProperty(globalThis, n, { value: (make) => { spy('part', make); make({}, (x) => spy('took', x)); }, configurable: false, writable: false });` },
];

/** Every method and accessor of every intrinsic at once. */
const EVERYTHING: Attack = {
  name: 'every intrinsic at once',
  code: `const done = new Set(); const names = Object.getOwnPropertyNames(globalThis); const all = [];
    const walk = (o, depth) => { if (o === null || (typeof o !== 'object' && typeof o !== 'function') || done.has(o) || depth > 3) return; done.add(o); all.push(o);
      for (const k of Reflect.ownKeys(o)) { let d; try { d = Object.getOwnPropertyDescriptor(o, k); } catch { continue; } if (d && 'value' in d) walk(d.value, depth + 1); } walk(Object.getPrototypeOf(o), depth + 1); };
    for (const n of names) { let v; try { v = globalThis[n]; } catch { continue; } if (n !== 'globalThis' && n !== 'self') walk(v, 0); }
    const jobs = []; for (const o of all) for (const k of Reflect.ownKeys(o)) { const d = Object.getOwnPropertyDescriptor(o, k); if (d && d.configurable && typeof d.value === 'function' && k !== 'constructor' && k !== 'prototype') jobs.push([o, k]); }
    for (const [o, k] of jobs) wrap(o, k);`,
};

export const ATTACKS: readonly Attack[] = [...SINGLE, ...WHOLE, EVERYTHING];
