// node:async_hooks in bundles whose async functions are lowered, as the builder does it: stores follow the code and never mix.
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { BUNDLE_PREFIX, BUNDLE_SUFFIX } from '../../../../core/versions/index.ts';
import { TestHost } from '../../../support/isolates-host.ts';
import { useSidecar } from '../../../support/sidecar-server.ts';
import { useUpstream } from '../../../support/sidecar-upstream.ts';

const host = TestHost.shared();

const PRELUDE = `const { AsyncLocalStorage, AsyncResource } = __thimble('node:async_hooks'); const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));`;

async function deploy(source: string, on = host()): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: PRELUDE + source, loader: 'ts' }, bundle: true, write: false, format: 'cjs', platform: 'neutral', target: 'es2023',
    supported: { 'async-await': false, 'async-generator': false, 'for-await': false }, banner: { js: BUNDLE_PREFIX }, footer: { js: BUNDLE_SUFFIX }, logLevel: 'silent',
  });
  const code = outputFiles[0]?.text ?? '';
  expect(code).not.toMatch(/\basync\b (?:function|\()/);
  return on.deployBundle(code, { cpuMs: 2_000 });
}

/** What `body` (of an async function that has `als`) gives. */
async function evaluate(body: string): Promise<unknown> {
  const target = await deploy(`const als = new AsyncLocalStorage(); export default { async fetch(request) { const run = async () => { ${body} }; return Response.json((await run()) ?? null); } };`);
  const answer = await host().call(target);
  return answer.code === null ? JSON.parse(answer.body.toString()) : answer.code;
}

describe('one invocation', () => {
  test.each([
    ['await', `return als.run('s', async () => { await null; await sleep(1); return als.getStore(); });`],
    ['a timer', `return als.run('s', () => new Promise((resolve) => setTimeout(() => resolve(als.getStore()), 1)));`],
    ['a microtask', `return als.run('s', () => new Promise((resolve) => queueMicrotask(() => resolve(als.getStore()))));`],
    ['then, catch, finally', `return als.run('s', () => Promise.resolve().then(() => { throw als.getStore(); }).catch((e) => e + als.getStore()).finally(() => { if (als.getStore() !== 's') throw new Error('lost'); }).then((v) => { if (v !== 'ss') throw new Error(v); return als.getStore(); }));`],
    ['Promise.all', `return als.run('s', async () => { const all = await Promise.all([1, 2].map(async () => { await sleep(1); return als.getStore(); })); return all[0] === all[1] ? als.getStore() : all; });`],
    ['Promise.race and any', `return als.run('s', async () => { await Promise.race([sleep(1), sleep(50)]); await Promise.any([Promise.reject(1), sleep(1)]); return als.getStore(); });`],
    ['an awaited thenable', `return als.run('s', async () => { let seen; await { then(resolve) { seen = als.getStore(); setTimeout(() => resolve(1), 1); } }; return seen === als.getStore() ? seen : [seen]; });`],
    ['a thenable that then returns', `return als.run('s', () => Promise.resolve().then(() => ({ then(resolve) { resolve(als.getStore()); } })));`],
    ['an async generator', `const values = async function* () { yield als.getStore(); await sleep(1); yield als.getStore(); }; return als.run('s', async () => { const all = []; for await (const v of values()) all.push(v, als.getStore()); return new Set(all).size === 1 ? all[3] : all; });`],
    ['the reader of a stream', `return als.run('s', async () => { const stream = new ReadableStream({ async pull(c) { await sleep(1); c.enqueue(new Uint8Array(1)); c.close(); } }); await new Response(stream).text(); return als.getStore(); });`],
    ['an aborted fetch', `return als.run('s', async () => { try { await fetch('http://127.0.0.1:9/', { signal: AbortSignal.timeout(5) }); } catch {} return als.getStore(); });`],
    ['errors thrown across awaits', `return als.run('s', async () => { try { await (async () => { await sleep(1); throw new Error('x'); })(); } catch {} return als.getStore(); });`],
  ])('the store follows %s', async (_, body) => {
    expect(await evaluate(body)).toBe('s');
  });

  test('outside of run there is none, also while work of a run goes on', async () => {
    expect(await evaluate(`
      const seen = [als.getStore() ?? null];
      const inner = als.run('s', async () => { await sleep(5); return als.getStore(); });
      seen.push(als.getStore() ?? null);
      await sleep(1); seen.push(als.getStore() ?? null);
      seen.push(await inner); seen.push(als.getStore() ?? null);
      return seen;`)).toEqual([null, null, null, 's', null]);
  });

  test('runs nest, storages do not see each other, exit and disable end them', async () => {
    expect(await evaluate(`
      const other = new AsyncLocalStorage();
      return als.run(1, () => other.run('o', async () => {
        const seen = [als.getStore(), other.getStore()];
        await als.run(2, async () => { await null; seen.push(als.getStore(), other.getStore()); });
        seen.push(als.getStore());
        als.exit(() => seen.push(als.getStore() ?? 'none'));
        seen.push(als.getStore());
        als.disable(); seen.push(als.getStore() ?? 'disabled', other.getStore());
        als.run(3, () => seen.push(als.getStore()));
        return seen;
      }));`)).toEqual([1, 'o', 2, 'o', 1, 'none', 1, 'disabled', 'o', 3]);
  });

  test('enterWith holds for the rest of the function, across its awaits', async () => {
    expect(await evaluate(`als.enterWith('e'); const a = als.getStore(); await sleep(1); return [a, als.getStore()];`)).toEqual(['e', 'e']);
  });

  test('bind, snapshot and AsyncResource carry the context in which they were made', async () => {
    expect(await evaluate(`
      const bound = als.run('b', () => AsyncLocalStorage.bind(function (x, y) { return [als.getStore(), this?.t, x, y]; }));
      const snapshot = als.run('s', () => AsyncLocalStorage.snapshot());
      const resource = als.run('r', () => new AsyncResource('TEST'));
      const method = resource.bind(function () { return [als.getStore(), this.t]; }, { t: 2 });
      return als.run('other', () => [
        bound.call({ t: 1 }, 'x', 'y'), bound.length, snapshot((a) => als.getStore() + a, 1), resource.runInAsyncScope(function (a) { return als.getStore() + this.t + a; }, { t: 't' }, 1), method(),
        typeof resource.asyncId(), resource.emitDestroy() === resource, AsyncResource.bind(() => als.getStore())(), als.getStore(),
      ]);`)).toEqual([['b', 1, 'x', 'y'], 2, 's1', 'rt1', ['r', 2], 'number', true, 'other', 'other']);
  });

  test('run gives what the function gives, passes arguments, and restores after a throw', async () => {
    expect(await evaluate(`
      const sum = als.run(1, (a, b) => a + b + als.getStore(), 2, 3);
      let thrown; try { als.run(1, () => { throw new Error('x'); }); } catch (e) { thrown = e.message; }
      return [sum, thrown, als.getStore() ?? null];`)).toEqual([6, 'x', null]);
  });

  test('promises still behave: order, identity, subclasses, species', async () => {
    expect(await evaluate(`
      const order = []; const p = Promise.resolve(1);
      p.then(() => order.push('a')); queueMicrotask(() => order.push('b')); p.then(() => order.push('c'));
      await sleep(1);
      class Mine extends Promise {}
      return [order.join(''), Promise.resolve(p) === p, Mine.resolve(1) instanceof Mine, Mine.resolve(1).then(() => {}) instanceof Mine, Promise.prototype.then.length, Promise.prototype.then.name, Promise.resolve.name, await Promise.resolve(1).then(undefined, undefined)];
    `)).toEqual(['abc', true, true, true, 2, 'then', 'resolve', 1]);
  });
});

describe('invocations at the same time', () => {
  const source = `
    const als = new AsyncLocalStorage();
    const shared = []; let open; const gate = new Promise((resolve) => { open = resolve; });
    const check = (name, seen) => { const store = als.getStore(); seen.push(store); };
    async function* values(name, seen) { for (let i = 0; i < 3; i++) { await sleep(Math.random() * 4); check(name, seen); yield i; } }
    export default { async fetch(request) {
      const name = new URL(request.url).pathname;
      const seen = [];
      if (name === '/open') { als.enterWith('/open'); open(); return new Response('opened'); }
      if (als.getStore() !== undefined) return new Response('began with ' + als.getStore());
      await als.run(name, async () => {
        gate.then(() => check(name, seen)); await sleep(150); check(name, seen);
        await Promise.all([sleep(Math.random() * 5).then(() => check(name, seen)), (async () => { await null; check(name, seen); await sleep(1); check(name, seen); })()]);
        for await (const _ of values(name, seen)) check(name, seen);
        setTimeout(() => check(name, seen), 1); await sleep(4);
        await new Promise((resolve) => { queueMicrotask(() => { check(name, seen); resolve(); }); });
        await { then(resolve) { check(name, seen); resolve(); } };
        const body = await request.text(); check(name, seen);
        const fetched = await (await fetch(new URL(request.url).searchParams.get('up'))).text(); check(name, seen); if (fetched !== 'up') throw new Error(fetched);
        const stream = new ReadableStream({ async start(c) { await sleep(1); c.enqueue(new TextEncoder().encode(body)); c.close(); } });
        for (const reader = stream.getReader(); ;) { const { done } = await reader.read(); check(name, seen); if (done) break; }
      });
      const outside = als.getStore();
      return new Response(outside === undefined && seen.length >= 15 && seen.every((store) => store === name) ? 'apart' : JSON.stringify([outside ?? null, seen]));
    } };`;

  test('stores never mix: not through awaits, a promise that another one resolves, generators, timers, bodies, fetch, streams', async () => {
    const up = await useUpstream((_request, response) => void setTimeout(() => response.end('up'), Math.random() * 10));
    const sidecar = await useSidecar();
    const own = await TestHost.start({ sidecarPath: sidecar.path });
    const target = await deploy(source, own);
    const running = Array.from({ length: 24 }, (_, i) => {
      const body = Array.from({ length: 3 }, () => Buffer.from('x'.repeat(i + 1)));
      return own.text(target, { path: `/${i}?up=${encodeURIComponent(up.origin)}`, ...(i % 2 === 0 ? { stream: body } : { body: Buffer.concat(body) }) });
    });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await own.text(target, { path: '/open' })).toBe('opened');
    expect(await Promise.all(running)).toEqual(Array.from({ length: 24 }, () => 'apart'));
  });

  test('an entry begins without what an earlier one entered', async () => {
    const target = await deploy(`const als = new AsyncLocalStorage(); export default { fetch() { const before = als.getStore() ?? 'none'; als.enterWith('left behind'); return new Response(before); } };`);
    for (let i = 0; i < 3; i++) expect(await host().text(target)).toBe('none');
  });
});

test('a function that does not ask for it keeps the native promise', async () => {
  const target = await host().deploy(`export default { fetch: () => new Response(String(/native code/.test(Function.prototype.toString.call(Promise.prototype.then)))) };`);
  expect(await host().text(target)).toBe('true');
});
