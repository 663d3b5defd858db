// Node's modules as functions get them, against Node itself: the same module text runs in a bundle and in this process.
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { builtinModules } from 'node:module';
import { afterAll, describe, expect, it } from 'vitest';
import { Builder } from '../../../control/builder/index.ts';
import { OFFERED, isNodeModule, nodeModule } from '../../../control/builder/node-modules.ts';
import { WEB_GLOBALS, runBundle } from '../../support/bundles.ts';

const builder = new Builder();
afterAll(() => builder.stop());

const BUILTINS = {
  'node:async_hooks': { AsyncLocalStorage: class {}, AsyncResource: class {} },
  'node:crypto': { createHash, createHmac, randomBytes, timingSafeEqual },
  process: { env: {}, argv: [], cwd: () => '/', nextTick: (callback: () => void) => queueMicrotask(callback), platform: 'linux' },
};

type Answer = () => unknown;

async function inBundle(source: string): Promise<unknown> {
  const { bundle } = await builder.build({ 'index.js': source }, 'index.js');
  return await (((await runBundle(bundle, BUILTINS, WEB_GLOBALS)).default as Answer)());
}

async function inNode(source: string): Promise<unknown> {
  const module = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as { default: Answer };
  return await module.default();
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null)) as unknown;

const SAME: readonly (readonly [string, string])[] = [
  ['assert', `import assert, { strict, AssertionError } from "node:assert"; const codes = (f) => { try { f(); return "ok"; } catch (e) { return [e.name, e.code, e instanceof AssertionError, e.operator]; } };
    export default async () => [codes(() => assert(0)), codes(() => assert.equal(1, "1")), codes(() => assert.strictEqual(1, 2)), codes(() => assert.deepEqual({ a: [1, new Date(3)] }, { a: ["1", new Date(3)] })), codes(() => assert.deepStrictEqual(new Map([[1, { a: 1 }]]), new Map([[1, { a: 2 }]]))),
      codes(() => strict.equal(1, "1")), codes(() => assert.throws(() => { throw new TypeError("x"); }, TypeError)), codes(() => assert.throws(() => {})), codes(() => assert.match("abc", /d/)), await assert.rejects(Promise.reject(new Error("y")), /y/).then(() => "ok"), codes(() => assert.notDeepStrictEqual([NaN], [NaN])), codes(() => assert.ok(true))];`],
  ['assert/strict', 'import strict from "assert/strict"; export default () => { try { strict.equal(1, "1"); } catch (e) { return e.code; } };'],
  ['buffer', `import { Buffer, constants, kMaxLength, isUtf8, isAscii, transcode } from "buffer"; const encodings = ["utf8", "hex", "base64", "base64url", "latin1", "binary", "ascii", "utf16le", "ucs2"];
    export default () => [encodings.map((e) => [e, Buffer.isEncoding(e), Buffer.from("héllo wörld ✓ 😀?>", "utf8").toString(e), Buffer.byteLength("aGk_-w", e), [...Buffer.from("aGk_-w==", e)], Buffer.alloc(5, "ab", e).length]),
      Buffer.concat([Buffer.from([1, 2]), new Uint8Array([3])]), Buffer.compare(Buffer.from("a"), Buffer.from("b")), Buffer.from("abc").equals(Buffer.from("abc")), Buffer.from("abcabc").indexOf("ca"), Buffer.from("xx").fill("y").toString(), Buffer.alloc(3, "base64url").toString(),
      Buffer.from([1, 2, 3, 4, 5, 6, 7, 8]).readBigUInt64LE().toString(), Buffer.from([255, 1]).readInt16BE(), (() => { const b = Buffer.alloc(8); b.writeDoubleBE(1.5); b.writeUInt8(7, 3); return b.toString("hex"); })(),
      Buffer.from("abc").subarray(1) instanceof Buffer, Buffer.from("abc").slice(1).toString(), JSON.stringify(Buffer.from("a")), Buffer.isBuffer(new Uint8Array(1)), Buffer.from("abc") instanceof Uint8Array, Buffer.from(new Uint8Array([65]).buffer).toString(), Buffer.from({ type: "Buffer", data: [66] }).toString(),
      isUtf8(Buffer.from([0xff])), isAscii(Buffer.from("é")), transcode(Buffer.from("é"), "utf8", "latin1"), [...Buffer.from("ab").entries()], Buffer.from("aé").swap16?.call(Buffer.from([1, 2])), Buffer.from("0102zz", "hex"), Buffer.from("\\ud800"), Buffer.copyBytesFrom(new Uint16Array([1, 2]), 1), Buffer.from("AbC").write("zz", 1), typeof Buffer(2), new Buffer("a").length, Buffer.from("aGk", "BASE64URL").toString()];`],
  ['events', `import EventEmitter, { once, on, errorMonitor, EventEmitter as Named, listenerCount, getEventListeners } from "node:events"; import inheritsFrom from "util";
    function Old() { EventEmitter.call(this); } inheritsFrom.inherits(Old, EventEmitter);
    export default async () => { const log = []; const e = new EventEmitter(); e.on("a", (x) => log.push(["on", x])); e.prependListener("a", () => log.push("first")); e.once("a", () => log.push("once")); log.push(e.emit("a", 1), e.emit("a", 2), e.emit("b"), e.listenerCount("a"), e.eventNames());
      try { e.emit("error", new Error("boom")); } catch (error) { log.push(error.message); } e.on(errorMonitor, (x) => log.push("monitor " + x.message)); e.on("error", () => log.push("handled")); e.emit("error", new Error("z"));
      setTimeout(() => e.emit("later", 1, 2)); log.push(await once(e, "later")); setTimeout(() => e.emit("error", new Error("q"))); log.push(await once(e, "x").catch((r) => r.message));
      const got = []; setTimeout(() => { e.emit("n", 1); e.emit("n", 2); e.emit("n", 3); }); for await (const [n] of on(e, "n")) { got.push(n); if (n === 3) break; } log.push(got, e.listenerCount("n"));
      const abort = new AbortController(); setTimeout(() => abort.abort()); log.push(await once(e, "never", { signal: abort.signal }).catch((r) => [r.name, r.code])); log.push(listenerCount(e, "a"), getEventListeners(e, "a").length, new Old() instanceof Named, new Old().on("x", () => {}).emit("x"), Named === EventEmitter, EventEmitter.EventEmitter === EventEmitter, EventEmitter.once === once);
      const target = new EventTarget(); setTimeout(() => target.dispatchEvent(new Event("t"))); log.push((await once(target, "t"))[0].type); e.removeAllListeners(); log.push(e.eventNames()); return log; };`],
  ['path', `import path, { join, posix } from "path"; import p2 from "node:path/posix"; export default () => [join("a", "..", "/b", "./c"), path.resolve("/x", "../y", "z"), path.relative("/a/b", "/a/c/d"), path.parse("/h/f.tar.gz"), path.format({ dir: "/d", base: "b" }), path.extname(".x"), path.basename("/a/b.c", ".c"), path.normalize("a\\\\b//c/../d/"), path.isAbsolute("C:\\\\x"), path.sep, path.delimiter, posix === path, p2.dirname("/a/b/c"), path.dirname("a")];`],
  ['querystring', 'import qs from "querystring"; export default () => [qs.parse("a=1&b=%20x&a=2&c"), qs.stringify({ a: [1, 2], b: "é &", c: true }), qs.escape("a b"), qs.unescape("%41")];'],
  ['stream', `import { Readable, Writable, Transform, PassThrough, pipeline, finished, Duplex, Stream } from "node:stream"; import * as promises from "node:stream/promises"; import { text, json, buffer } from "node:stream/consumers"; import def from "stream";
    const upper = () => new Transform({ transform(chunk, _, done) { done(null, String(chunk).toUpperCase()); } });
    export default async () => { const out = []; for await (const x of Readable.from(["a", "b"]).pipe(upper())) out.push(String(x));
      const sink = () => { const got = []; return [got, new Writable({ highWaterMark: 2, write(chunk, _, done) { got.push(String(chunk)); setTimeout(done, 1); } })]; };
      const [got, writable] = sink(); await promises.pipeline(Readable.from(["x", "y", "z"]), upper(), writable); out.push(got);
      out.push(await new Promise((r) => pipeline(new Readable({ read() { this.destroy(new Error("bad")); } }), new PassThrough(), (e) => r(e.message))));
      const [, w2] = sink(); out.push(w2.write("abc"), w2.writableHighWaterMark, w2.writableNeedDrain); w2.end("d"); await promises.finished(w2); out.push(w2.writableFinished);
      out.push(await text(Readable.from(["é", "!"])), await json(Readable.from(['{"a":', "1}"])), (await buffer(Readable.from([Buffer.from("q")]))).toString(), await Readable.from([1, 2, 3]).map((n) => n * 2).toArray());
      const r = new Readable({ read() {}, encoding: "utf8" }); r.push(Buffer.from("é").subarray(0, 1)); r.push(Buffer.from("é").subarray(1)); r.push(null); for await (const c of r) out.push(c);
      const d = new Duplex({ read() { this.push("r"); this.push(null); }, write(c, e, cb) { out.push("w" + c); cb(); } }); d.end("1"); out.push(await text(d)); out.push(def === Stream, new PassThrough() instanceof Stream, new PassThrough() instanceof Readable, typeof finished); return out; };`],
  ['string_decoder', 'import { StringDecoder } from "string_decoder"; export default () => { const d = new StringDecoder("utf8"); const e = Buffer.from("€"); return [d.write(e.subarray(0, 1)), d.write(e.subarray(1, 2)), d.write(e.subarray(2)), d.write(e.subarray(0, 2)), d.end(), new StringDecoder("base64").write(Buffer.from("abcd"))]; };'],
  ['timers', 'import timers, { setTimeout as later, clearTimeout as clear } from "timers"; import { setTimeout as sleep, setImmediate as soon, setInterval as every } from "node:timers/promises"; export default async () => { const log = []; const t = later(() => log.push("never"), 5); log.push(typeof t.unref().ref().hasRef()); clear(t); await sleep(10, "v").then((v) => log.push(v)); log.push(await soon("s")); const a = new AbortController(); setTimeout(() => a.abort(), 1); log.push(await sleep(1e4, 0, { signal: a.signal }).catch((e) => e.code)); let n = 0; for await (const x of every(1, "i")) { log.push(x); if (++n === 2) break; } await new Promise((r) => timers.setImmediate(r)); return log; };'],
  ['url', 'import url, { fileURLToPath, pathToFileURL, parse, format, resolve, domainToASCII } from "node:url"; export default () => [Object.fromEntries(Object.entries(parse("http://u:p@host:8080/p/a?q=1#h", true)).map(([k, v]) => [k, v && typeof v === "object" ? { ...v } : v])), format({ protocol: "https", host: "x.y", pathname: "/z", query: { a: 1 } }), resolve("http://a/b/c", "../d"), fileURLToPath("file:///a%20b"), pathToFileURL("/a b#c").href, domainToASCII("español.com"), url.URL === URL, format(new URL("http://x/?a"), { search: false })];'],
  ['util', `import util, { promisify, inspect, format, types, isDeepStrictEqual, inherits, callbackify, deprecate, stripVTControlCharacters, TextEncoder as TE } from "node:util"; import t2 from "util/types";
    class Foo { a = 1; #b = 2; get c() { return 3; } } const cyclic = { name: "c" }; cyclic.self = cyclic;
    export default async () => [await promisify((a, cb) => cb(null, a + 1))(1), await promisify((cb) => cb(new Error("e")))().catch((e) => e.message), inspect({ a: [1, { b: new Map([[1, new Set([2])]]) }], f() {}, s: Symbol("q"), d: new Date(0), r: /x/g, u: undefined, n: null, big: 1n, neg: -0 }), inspect(new Foo()), inspect(cyclic), inspect("it's"), inspect([1, , 3]), inspect(new Array(200).fill(7)).length, inspect({ a: { b: { c: { d: 1 } } } }, { depth: 0 }), inspect(Object.create(null)), inspect(new Uint8Array(3)), inspect(Buffer.from("ab")), inspect(class A extends Foo {}), inspect({ [inspect.custom]: () => "mine" }), inspect({ a: 1, b: "x" }, { compact: false, sorted: true }), inspect(new Proxy({ p: 1 }, {})), inspect("a".repeat(30), { colors: true }),
      format("%s %d %i %f %j %o %O %c %% %s", "a", 1.5, 2.7, "3.1", { x: 1 }, [1], { y: { z: 1 } }, "css", Symbol("s"), "extra"), format("%s", 12345678901234567890n, null), types.isMap(new Map()), types.isMap({ get size() { return 1; } }), types.isPromise(Promise.resolve()), types.isRegExp(RegExp.prototype), types.isDate(new Date()), types.isUint8Array(new Uint8Array()), types.isUint8Array(new Uint8ClampedArray()), types.isNativeError(new TypeError()), types.isBoxedPrimitive(Object(1n)), t2.isAsyncFunction(async () => {}), t2.isGeneratorFunction(function* () {}), t2.isSet(new Map()), t2.isArrayBuffer(new ArrayBuffer(1)), t2.isArgumentsObject((function () { return arguments; })()),
      isDeepStrictEqual({ a: [1, new Set([{}])] }, { a: [1, new Set([{}])] }), isDeepStrictEqual([0], [-0]), isDeepStrictEqual(new Map([[{}, 1]]), new Map([[{}, 2]])), await new Promise((r) => callbackify(async (x) => x)(5, (e, v) => r([e, v]))), stripVTControlCharacters("\\u001b[31mx\\u001b[0m"), util.TextEncoder === TE, util.isArray([]), util.toUSVString("\\ud800").length, deprecate((x) => x, "old", "D1")(3), (() => { function A() {} function B() {} inherits(A, B); return [A.super_ === B, new A() instanceof B]; })(), typeof util.debuglog("x")];`],
  ['zlib', `import zlib, { gzip, gunzip, deflate, inflate, createGzip, createGunzip, crc32, constants } from "node:zlib"; import { promisify } from "util"; import { Readable } from "stream"; import { buffer } from "stream/consumers";
    export default async () => { const text = "hello ".repeat(1000); const small = await promisify(gzip)(text); return [small.length < 100, small instanceof Buffer, (await promisify(gunzip)(small)).toString() === text, (await promisify(inflate)(await promisify(deflate)("q"))).toString(), (await buffer(Readable.from([text]).pipe(createGzip()).pipe(createGunzip()))).toString() === text, await promisify(gunzip)("nonsense").catch((e) => typeof e.message), crc32("hello"), crc32(Buffer.from("b"), crc32("a")) === crc32("ab"), constants.Z_BEST_COMPRESSION, typeof zlib.gzipSync]; };`],
  ['crypto', 'import crypto, { createHash, randomUUID, webcrypto, timingSafeEqual } from "crypto"; export default async () => [createHash("sha256").update("a").digest("hex"), crypto.createHmac("sha1", "k").update("v").digest("base64"), randomUUID().length, webcrypto.subtle !== undefined, timingSafeEqual(Buffer.from("a"), Buffer.from("a")), crypto.randomBytes(4).length, crypto.getRandomValues(new Uint8Array(2)).length];'],
  ['others', 'import { channel } from "node:diagnostics_channel"; import os from "os"; import { performance as p } from "perf_hooks"; import tty from "tty"; import * as web from "stream/web"; import punycode from "node:punycode"; import { log } from "node:console"; import consts from "constants"; export default () => { const got = []; channel("x").subscribe((m) => got.push(m)); channel("x").publish({ a: 1 }); return [got, os.EOL, os.platform(), typeof p.now(), tty.isatty(0) === true, web.ReadableStream === ReadableStream, punycode.toASCII("mañana.com"), typeof log, consts.SIGINT]; };'],
];

describe('a function', () => {
  it.each(SAME)('has node:%s as Node has it', async (_, source) => {
    const [ours, nodes] = [plain(await inBundle(source)), plain(await inNode(source))];
    expect(ours).toEqual(nodes);
  });

  it('gets by require what Node gives', async () => {
    const source = 'const E = require("events"); const S = require("stream"); const assert = require("assert"); class A extends E {} module.exports = { default: () => [typeof E, new A() instanceof E, E.EventEmitter === E, typeof S.Readable, typeof new S.PassThrough().pipe, typeof assert, require("util").inspect({ a: 1 }), require("path") === require("node:path"), require("path").join("a", "b"), require("buffer").Buffer === Buffer, typeof require("process").cwd] };';
    expect(await inBundle(source)).toEqual(['function', true, true, 'function', 'function', 'function', '{ a: 1 }', true, 'a/b', true, 'function']);
  });

  it('holds only the modules that it uses', async () => {
    const size = async (source: string): Promise<number> => (await builder.build({ 'index.js': source }, 'index.js')).bundle.length;
    expect(await size('import { promisify } from "util"; export default promisify;')).toBeLessThan(8_000);
    expect(await size('import "node:stream"; import "node:crypto"; export default 1;')).toBeLessThan(2_000);
    expect(await size('import { inspect } from "util"; export default inspect;')).toBeGreaterThan(30_000);
  });

  it('is told by each name of Node\'s whether it can have it', () => {
    for (const name of builtinModules.filter((one) => !one.startsWith('node:'))) expect([name, isNodeModule(name)]).toEqual([name, true]);
    for (const name of [...OFFERED.own, ...OFFERED.unenv]) expect(nodeModule(name)).toEqual({ offered: name });
    for (const name of ['constructor', '__proto__', 'toString', '']) expect([isNodeModule(name), nodeModule(name)]).toEqual([false, { refused: 'Node has no module of that name' }]);
  });
});
