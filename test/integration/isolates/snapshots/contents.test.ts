// What may be inside a version snapshot, and what is refused, by the real programs: each build is a process that may die.
import { describe, expect, it } from 'vitest';
import { LATE_MEMBERS } from '../../../../isolates/runtime/abi-snapshots.ts';
import { makeSnapshot } from '../../../../isolates/vm.ts';
import { TestHost } from '../../../support/isolates-host.ts';
import { FROZEN, REFUSED } from '../../../support/snapshot-cases.ts';
import { bundleOf, deployFrozen, make } from '../../../support/snapshots.ts';
import { sample, seed } from '../../../support/seed.ts';
import ivm from 'isolated-vm';

const host = TestHost.shared();
const FULL = process.env['THIMBLE_TEST_FULL'] === '1';
/** Refusals of the short form: each is a process, and takes a second or two. */
const SHORT = 15;

describe('a heap may hold', () => {
  it.concurrent.each([['the first half', FROZEN.slice(0, 30)], ['the second half', FROZEN.slice(30)]] as const)('%s of the table', async (_, cases) => {
    const imports = cases.flatMap(({ make: text }) => text.match(/^import .*?;/) ?? []);
    const makes = cases.map(({ make: text }) => text.replace(/^import .*?;/, ''));
    const source = `// @ts-nocheck\n${imports.join('\n')}\n${makes.join('\n')}
const CHECKS = {${cases.map(({ name, holds }) => `${JSON.stringify(name)}: async () => ${holds}`).join(',\n')}};
export default { async fetch() {
  const results = {};
  for (const [name, check] of Object.entries(CHECKS)) try { results[name] = await check(); } catch (error) { results[name] = String(error); }
  return Response.json(results);
} };`;
    const { target } = await deployFrozen(host(), source, { cpuMs: 1_000 });
    const answer = await host().call(target);
    expect(answer.code).toBeNull();
    expect(JSON.parse(answer.body.toString())).toEqual(Object.fromEntries(cases.map(({ name }) => [name, true])));
    expect(host().snapshots.fallen).toEqual([]);
  }, 60_000);

  it('names of cases that are not told twice', () => {
    expect(new Set([...FROZEN, ...REFUSED].map(({ name }) => name)).size).toBe(FROZEN.length + REFUSED.length);
    expect(FROZEN.length + REFUSED.length).toBeGreaterThan(58);
  });
});

describe(`no snapshot is made of (seed ${seed})`, () => {
  it.each(FULL ? REFUSED : sample(REFUSED, SHORT))('$name: $reason', async ({ source, reason, secretNames = [] }) => {
    const made = await make(await bundleOf(source), { secretNames: [...secretNames] });
    expect({ reason: made.reason, blob: made.blob.length }).toEqual({ reason, blob: 0 });
  }, 60_000);
});

describe('V8', () => {
  it('lacks just the listed members while it makes a snapshot', () => {
    const walk = `(() => {
      const names = [], seen = new Set();
      (function go(of, path, depth) {
        if ((typeof of !== 'object' && typeof of !== 'function') || of === null || seen.has(of) || depth > 3) return;
        seen.add(of);
        for (const key of Reflect.ownKeys(of)) {
          const name = path === '' ? String(key) : path + '.' + String(key);
          names.push(name);
          go(Reflect.getOwnPropertyDescriptor(of, key).value, name, depth + 1);
        }
      })(globalThis, '', 0);
      return names.join('\\n');
    })()`;
    const external = new ivm.ExternalCopy(makeSnapshot([{ code: `globalThis.early = ${walk}`, filename: 'walk' }]).buffer as ArrayBuffer);
    const context = new ivm.Isolate({ snapshot: external }).createContextSync();
    const early = new Set(String(context.evalSync('early')).split('\n'));
    const late = String(context.evalSync(`delete globalThis.early; ${walk}`)).split('\n').filter((name) => !early.has(name));
    const outermost = late.filter((name) => !late.some((other) => name.startsWith(`${other}.`)));
    expect(outermost.toSorted()).toEqual(LATE_MEMBERS.map(([path, member]) => (path === '' ? member : `${path}.${member}`)).toSorted());
  });
});
