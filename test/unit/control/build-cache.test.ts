// Builds by content: one run for deploys of the same files, bounded, and no failure is kept.
import { expect, test } from 'vitest';
import { PlatformError } from '../../../core/errors/index.ts';
import { BuildCache } from '../../../control/builder/index.ts';
import type { BuildReport, Built } from '../../../control/builder/index.ts';

const REPORT: BuildReport = {
  bytes: { bundle: 0, gzip: 0, map: 0, sources: 0 }, files: { uploaded: 1, bundled: 1 }, modules: [], packages: [], warnings: [], more: { modules: 0, packages: 0, warnings: 0 }, buildMs: 5,
};

/** A builder whose builds end when the test says so. */
class SlowBuilder {
  readonly started: string[] = [];
  readonly #running: { main: string; resolve: (built: Built) => void; reject: (error: unknown) => void }[] = [];

  build(_files: Readonly<Record<string, string>>, main: string): Promise<Built> {
    this.started.push(main);
    return new Promise((resolve, reject) => this.#running.push({ main, resolve, reject }));
  }

  /** @param characters  of the bundle */
  succeed(characters = 10): void {
    const next = this.#running.shift();
    next?.resolve({ bundle: next.main.padEnd(characters, '.'), map: '', buildMs: 5, report: REPORT });
  }

  fail(): void {
    this.#running.shift()?.reject(new PlatformError('build_failed', { errors: [] }));
  }
}

const built = async (cache: BuildCache, builder: SlowBuilder, name: string, characters?: number): Promise<Built> => {
  const building = cache.build(name, {}, name);
  builder.succeed(characters);
  return await building;
};

test('the same files are built once, at the same time and afterwards; others are built apart', async () => {
  const builder = new SlowBuilder();
  const cache = new BuildCache(builder);
  const [first, second] = [cache.build('a', {}, 'a'), cache.build('a', {}, 'a')];
  expect(builder.started).toEqual(['a']);
  builder.succeed();
  expect((await first).bundle).toBe((await second).bundle);
  const third = await cache.build('a', {}, 'a');
  expect([third.bundle, third.buildMs]).toEqual([(await first).bundle, 0]);
  await built(cache, builder, 'b');
  expect(builder.started).toEqual(['a', 'b']);
});

test('a failed build fails those that waited for it, and the next one tries again', async () => {
  const builder = new SlowBuilder();
  const cache = new BuildCache(builder);
  const waiting = [cache.build('a', {}, 'a'), cache.build('a', {}, 'a')];
  builder.fail();
  expect((await Promise.allSettled(waiting)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await built(cache, builder, 'a');
  expect(builder.started).toEqual(['a', 'a']);
});

test('what was not used for longest goes first, and what is too large is not kept', async () => {
  const builder = new SlowBuilder();
  const cache = new BuildCache(builder, { characters: 400 });
  for (const name of ['a', 'b', 'c', 'd']) await built(cache, builder, name, 100);
  await cache.build('a', {}, 'a');
  await built(cache, builder, 'e', 100);
  expect(cache.characters).toBe(400);
  await cache.build('a', {}, 'a');
  expect(builder.started).toEqual(['a', 'b', 'c', 'd', 'e']);
  await built(cache, builder, 'b', 100);
  await built(cache, builder, 'large', 101);
  await built(cache, builder, 'large', 101);
  expect(builder.started).toEqual(['a', 'b', 'c', 'd', 'e', 'b', 'large', 'large']);
  expect(cache.characters).toBe(400);
});
