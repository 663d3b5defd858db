// Node's modules as functions get them, against Node itself: the same module text runs in a bundle and in this process.
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { builtinModules } from 'node:module';
import { afterAll, describe, expect, it } from 'vitest';
import { Builder } from '../../../control/builder/index.ts';
import { OFFERED, isNodeModule, nodeModule } from '../../../control/builder/node-modules.ts';
import { WEB_GLOBALS, runBundle } from '../../support/bundles.ts';
import { SAME, asJson, inNode } from '../../support/node-module-cases.ts';

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

describe('a function', () => {
  it.each(SAME)('has node:%s as Node has it', async (_, source) => {
    expect(asJson(await inBundle(source))).toEqual(await inNode(source));
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
