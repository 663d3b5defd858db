// What a module may hold when its heap is frozen, and what keeps it from being frozen, with the reason. The list follows what V8 12.4 does.

/** Source that makes something at the top level, and an expression that must hold after a restore. */
export interface FrozenCase {
  readonly name: string;
  readonly make: string;
  readonly holds: string;
}

export const FROZEN: readonly FrozenCase[] = [
  { name: 'functions', make: 'function f1() { return 1; }', holds: 'f1() === 1' },
  { name: 'closures with state', make: 'const c2 = (() => { let n = 41; return () => ++n; })();', holds: 'c2() >= 42' },
  { name: 'classes with private fields and statics', make: 'class C3 { #x = 3; static s = 4; get x() { return this.#x; } static make() { return new C3(); } } const c3 = new C3();', holds: 'c3.x === 3 && C3.s === 4 && C3.make().x === 3' },
  { name: 'subclasses of built-ins', make: 'class C4 extends Map<string, number> {} const c4 = new C4([["a", 1]]);', holds: 'c4 instanceof C4 && c4.get("a") === 1' },
  { name: 'let and const', make: 'let l5 = 5; const k5 = 6;', holds: 'l5 === 5 && k5 === 6' },
  { name: 'Map', make: 'const m6 = new Map([[1, "one"], [2, "two"]]);', holds: 'm6.get(2) === "two" && m6.size === 2' },
  { name: 'Map with objects as keys', make: 'const o7 = {}; const m7 = new Map([[o7, 7]]);', holds: 'm7.get(o7) === 7' },
  { name: 'Map with strings as keys, rehashed', make: 'const m8 = new Map(Array.from({ length: 1_000 }, (_, i) => ["k" + i, i]));', holds: 'm8.get("k999") === 999' },
  { name: 'Set', make: 'const s9 = new Set([1, 2, "x"]);', holds: 's9.has("x") && s9.size === 3' },
  { name: 'WeakMap', make: 'const o10 = {}; const w10 = new WeakMap([[o10, 10]]);', holds: 'w10.get(o10) === 10' },
  { name: 'WeakSet', make: 'const o11 = {}; const w11 = new WeakSet([o11]);', holds: 'w11.has(o11)' },
  { name: 'WeakRef', make: 'const o12 = { v: 12 }; const w12 = new WeakRef(o12);', holds: 'w12.deref() === o12 && o12.v === 12' },
  { name: 'symbols', make: 'const y13 = Symbol("y"); const o13 = { [y13]: 13 };', holds: 'o13[y13] === 13 && Symbol.for("z") === Symbol.for("z")' },
  { name: 'registered symbols', make: 'const y14 = Symbol.for("thimble.test");', holds: 'y14 === Symbol.for("thimble.test")' },
  { name: 'BigInt', make: 'const b15 = 2n ** 70n;', holds: 'b15 === 1180591620717411303424n' },
  { name: 'regular expressions', make: 'const r16 = /a(b)c/g;', holds: 'r16.test("abc")' },
  { name: 'used regular expressions', make: 'const r17 = /x(\\d+)/; const u17 = r17.exec("x42");', holds: 'u17?.[1] === "42" && r17.exec("x7")?.[1] === "7"' },
  { name: 'dates of the past', make: 'const d18 = new Date(86_400_000);', holds: 'd18.toISOString() === "1970-01-02T00:00:00.000Z"' },
  { name: 'async functions', make: 'async function a19() { return 19; }', holds: '(await a19()) === 19' },
  { name: 'async calls that have completed', make: 'let v20 = 0; void (async () => { await null; v20 = 20; })();', holds: 'v20 === 20' },
  { name: 'resolved promises', make: 'const p21 = Promise.resolve(21);', holds: '(await p21) === 21' },
  { name: 'rejected promises that are handled', make: 'const p22 = Promise.reject(new Error("no")); p22.catch(() => {});', holds: 'await p22.then(() => false, (e: Error) => e.message === "no")' },
  { name: 'pending promises, resolved later', make: 'let go23!: (v: number) => void; const p23 = new Promise<number>((resolve) => { go23 = resolve; });', holds: '(go23(23), await p23) === 23' },
  { name: 'async functions that wait', make: 'let go24!: () => void; let done24 = 0; const wait24 = new Promise<void>((resolve) => { go24 = resolve; }); const run24 = (async () => { await wait24; done24 = 24; })();', holds: '(go24(), await run24, done24 === 24)' },
  { name: 'suspended generators', make: 'function* g25() { yield 1; yield 2; } const i25 = g25(); i25.next();', holds: 'i25.next().value === 2 || i25.next().done === true' },
  { name: 'async generators', make: 'async function* g26() { yield 26; } const i26 = g26();', holds: 'await (async () => { const r = await i26.next(); return r.value === 26 || r.done === true; })()' },
  { name: 'proxies', make: 'const x27 = new Proxy({} as Record<string, string>, { get: (_, k) => `got ${String(k)}` });', holds: 'x27["a"] === "got a"' },
  { name: 'small typed arrays', make: 'const t28 = new Uint8Array(16).fill(28);', holds: 't28[15] === 28 && t28.length === 16' },
  { name: 'typed arrays of a megabyte', make: 'const t29 = new Uint8Array(1_048_576).fill(29);', holds: 't29[1_048_575] === 29' },
  { name: 'float arrays', make: 'const t30 = new Float64Array([0.5, 1.5]);', holds: 't30[1] === 1.5' },
  { name: 'ArrayBuffer', make: 'const a31 = new ArrayBuffer(64); new Uint8Array(a31)[63] = 31;', holds: 'a31.byteLength === 64 && new Uint8Array(a31)[63] === 31' },
  { name: 'DataView', make: 'const v32 = new DataView(new ArrayBuffer(8)); v32.setUint16(0, 3232);', holds: 'v32.getUint16(0) === 3232' },
  { name: 'bound functions', make: 'const b33 = function (this: { n: number }) { return this.n; }.bind({ n: 33 });', holds: 'b33() === 33' },
  { name: 'accessors', make: 'let n34 = 1; const o34 = { get a() { return n34; }, set a(v) { n34 = v; } };', holds: '(o34.a = 34, o34.a === 34)' },
  { name: 'functions from text', make: 'const f35 = new Function("a", "return a + 1");', holds: 'f35(34) === 35' },
  { name: 'functions that were optimised', make: 'function f36(n: number): number { return n * 2; } let s36 = 0; for (let i = 0; i < 200_000; i++) s36 += f36(i);', holds: 'f36(18) === 36' },
  { name: 'a table of 20,000 rows', make: 'const t37 = Array.from({ length: 20_000 }, (_, i) => ({ id: i, name: "row " + i }));', holds: 't37[19_999]?.name === "row 19999"' },
  { name: 'big strings', make: 'const s38 = "x".repeat(1_000_000);', holds: 's38.length === 1_000_000' },
  { name: 'cons strings', make: 'let s39 = ""; for (let i = 0; i < 1_000; i++) s39 += i;', holds: 's39.startsWith("0123") && s39.length === 2_890' },
  { name: 'iterators under way', make: 'const i40 = [1, 2, 3][Symbol.iterator](); i40.next();', holds: 'i40.next().value !== 1' },
  { name: 'tagged templates', make: 'const tag41 = (s: TemplateStringsArray) => s.raw[0]; const t41 = tag41`forty\\n`;', holds: 't41 === "forty\\\\n"' },
  { name: 'a chain of 200,000 objects', make: 'let o42: { n: unknown } = { n: null }; for (let i = 0; i < 200_000; i++) o42 = { n: o42 };', holds: 'o42.n !== null' },
  { name: 'frozen objects', make: 'const o43 = Object.freeze({ a: 43 });', holds: 'Object.isFrozen(o43) && o43.a === 43' },
  { name: 'errors, without a stack', make: 'const e44 = new TypeError("forty-four");', holds: 'e44 instanceof TypeError && e44.message === "forty-four"' },
  { name: 'objects without a prototype', make: 'const o45 = Object.create(null); o45.a = 45;', holds: 'o45.a === 45' },
  { name: 'arrays with holes', make: 'const a46 = [1, , 3];', holds: '!(1 in a46) && a46.length === 3' },
  { name: 'URLs', make: 'const u47 = new URL("/p?q=1", "https://example.org");', holds: 'u47.href === "https://example.org/p?q=1" && u47.searchParams.get("q") === "1"' },
  { name: 'Headers', make: 'const h48 = new Headers({ a: "48" });', holds: 'h48.get("a") === "48"' },
  { name: 'encoded text', make: 'const t49 = new TextEncoder().encode("h\\u00e4");', holds: 't49.length === 3 && new TextDecoder().decode(t49) === "h\\u00e4"' },
  { name: 'base64', make: 'const b50 = btoa("fifty"); const a50 = atob(b50);', holds: 'b50 === "ZmlmdHk=" && a50 === "fifty"' },
  { name: 'abort controllers and listeners', make: 'const c51 = new AbortController(); let n51 = 0; c51.signal.addEventListener("abort", () => { n51 += 1; });', holds: '(c51.abort(), n51 === 1)' },
  { name: 'AsyncLocalStorage', make: 'import { AsyncLocalStorage } from "node:async_hooks"; const l52 = new AsyncLocalStorage<number>();', holds: '(await l52.run(52, async () => { await null; return l52.getStore(); })) === 52' },
  { name: 'numbers and dates as text of a locale', make: 'const t53 = (1_234.5).toLocaleString() + "a".localeCompare("b");', holds: 't53 === "1,234.5-1"' },
  { name: 'regular expressions with the v flag', make: 'const r54 = new RegExp("[a--b]", "v");', holds: 'r54.test("a") && r54.flags === "v"' },
  { name: 'a responder made ahead', make: 'const r55 = Response.json({ n: 55 });', holds: '(await r55.clone().json()).n === 55' },
  { name: 'JSON and structured clones', make: 'const j56 = structuredClone({ a: [1, { b: 56 }] });', holds: 'JSON.stringify(j56) === \'{"a":[1,{"b":56}]}\'' },
];

export interface RefusedCase {
  readonly name: string;
  readonly source: string;
  readonly reason: string;
  readonly secretNames?: readonly string[];
}

const HANDLER = '\nexport default { fetch: () => new Response("ok") };';
const refused = (name: string, reason: string, source: string, secretNames: readonly string[] = []): RefusedCase => ({ name, reason, source: source + HANDLER, secretNames });

export const REFUSED: readonly RefusedCase[] = [
  refused('Intl objects', 'touches_intl', 'export const f = new Intl.NumberFormat("de");'),
  refused('Intl objects that are not kept', 'touches_intl', 'export const t = new Intl.DateTimeFormat("en").format(0);'),
  refused('FinalizationRegistry', 'touches_finalization', 'export const r = new FinalizationRegistry(() => {});'),
  refused('WebAssembly', 'touches_wasm', 'export const w = typeof WebAssembly;'),
  refused('Iterator helpers', 'touches_unavailable', 'export const i = typeof Iterator;'),
  refused('Set methods', 'touches_unavailable', 'export const u = "union" in Set.prototype ? Set.prototype.union : null;'),
  refused('Object.groupBy', 'touches_unavailable', 'export const g = Object.groupBy([1, 2], (n) => n % 2);'),
  refused('Array.fromAsync', 'touches_unavailable', 'export const a = Array.fromAsync;'),
  refused('SharedArrayBuffer', 'touches_unavailable', 'export const s = typeof SharedArrayBuffer;'),
  refused('Error.stackTraceLimit', 'touches_unavailable', 'Error.stackTraceLimit = 50;'),
  refused('fetch', 'touches_fetch', 'fetch("https://example.org/").catch(() => {});'),
  refused('timers', 'touches_timer', 'setTimeout(() => {}, 1);'),
  refused('Math.random', 'touches_random', 'export const r = Math.random();'),
  refused('crypto.randomUUID', 'touches_random', 'export const id = crypto.randomUUID();'),
  refused('crypto.getRandomValues', 'touches_random', 'export const b = crypto.getRandomValues(new Uint8Array(8));'),
  refused('crypto.subtle', 'touches_host', 'crypto.subtle.digest("SHA-256", new Uint8Array(1)).catch(() => {});'),
  refused('Date.now', 'touches_clock', 'export const t = Date.now();'),
  refused('new Date', 'touches_clock', 'export const t = new Date();'),
  refused('performance.now', 'touches_clock', 'export const t = performance.now();'),
  refused('a secret', 'touches_secret', 'export const k = process.env.KEY;', ['KEY']),
  refused('the list of all variables', 'touches_secret', 'export const all = { ...process.env };', ['KEY']),
  refused('whether a secret is there', 'touches_secret', 'export const has = "KEY" in process.env;', ['KEY']),
  refused('a throw', 'threw', 'throw new Error("not today");'),
  refused('a promise that never settles', 'threw', 'await new Promise(() => {});'),
  refused('a rejection that nobody handles', 'threw', 'void Promise.reject(new Error("nobody"));'),
  refused('an onSnapshot that throws', 'hook_threw', 'export function onSnapshot() { throw new Error("hook"); }'),
  refused('an onSnapshot that waits for ever', 'hook_threw', 'export const onSnapshot = () => new Promise(() => {});'),
  refused('a frozen globalThis', 'globals_frozen', 'Object.freeze(globalThis);'),
  refused('the name that the host binds', 'globals_frozen', 'Object.defineProperty(globalThis, "__thimble_bind", { value: () => {} });'),
  refused('another behaviour the second time', 'differs', 'if (String(Math.random).includes("native code")) fetch("http://second.invalid/").catch(() => {});'),
  refused('an abort of the process that freezes', 'build_aborted', 'if (String(Math.random).includes("native code")) (globalThis as never as { kept: unknown }).kept = new Intl.NumberFormat("de");'),
  refused('a registry when nobody looks', 'build_aborted', 'if (String(Math.random).includes("native code")) { const r = new FinalizationRegistry(() => {}); r.register({}, 1); (globalThis as never as { kept: unknown }).kept = r; }'),
  refused('memory without end', 'threw', 'const kept: unknown[] = []; for (;;) kept.push(new Array(1_000).fill(kept.length));'),
  refused('memory without end when nobody looks', 'build_aborted', 'if (String(Math.random).includes("native code")) { const kept: unknown[] = []; for (;;) kept.push(new Array(1_000).fill(kept.length)); }'),
  refused('one huge string when nobody looks', 'build_aborted', 'if (String(Math.random).includes("native code")) (globalThis as never as { kept: unknown }).kept = Array.from({ length: 2 }, (_, i) => "x".repeat(5e8) + i).map((s) => s.replaceAll("x", "yy"));'),
];
