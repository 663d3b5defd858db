// The blobs that a host keeps: bounded, dropped with their versions, and never taken unchecked.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SnapshotFiles } from '../../../control/snapshots/index.ts';
import { sha256Hex } from '../../../core/crypto/index.ts';
import { createLogger } from '../../../core/log/index.ts';
import type { Target } from '../../../core/protocol/index.ts';
import { codeCacheBlob, versionFolder } from '../../../core/versions/index.ts';
import { thisEngine } from '../../../isolates/snapshots/engine.ts';
import { SnapshotShelf } from '../../../isolates/snapshots/shelf.ts';

const ENGINE = thisEngine('p');
const BUNDLE = sha256Hex('bundle');

interface Stand {
  readonly shelf: SnapshotShelf;
  readonly publish: (fn: string, text: string) => Promise<{ target: Target; folder: string; sha256: string }>;
  readonly publishCache: (fn: string, text: string) => Promise<{ target: Target; folder: string; sha256: string }>;
}

function stand(bytes: number): Stand {
  const data = mkdtempSync(join(tmpdir(), 'thimble-shelf-'));
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  const files = new SnapshotFiles(data, 'default');
  const place = (fn: string): { target: Target; folder: string } => {
    const digest = `sha256-${sha256Hex(fn)}`;
    const folder = versionFolder(data, 'default', digest);
    mkdirSync(folder, { recursive: true });
    return { folder, target: { function: fn, version: 1, digest, tenant: 't', tier: 'default', debug: false, shape: 'auto', cpuMs: 50, memoryMb: 64, subrequests: 1, wasm: false, secrets: '', shadow: false } };
  };
  return {
    shelf: new SnapshotShelf({ platform: 'p', snapshots: true, external: (blob) => Buffer.from(blob).toString(), logger: createLogger({ name: 'test', destination: { write: () => {} } }), bytes }),
    async publish(fn, text) {
      const { target, folder } = place(fn);
      const sha256 = sha256Hex(text);
      await files.publish({ format: 1, tenant: 't', function: fn, version: 1, digest: target.digest, engine: ENGINE, environment: ['USED'], sha256, bytes: text.length, heapBytes: 1 }, Buffer.from(text));
      return { target, folder, sha256 };
    },
    async publishCache(fn, text) {
      const { target, folder } = place(fn);
      const sha256 = sha256Hex(text);
      await files.publishCodeCache(target.digest, { format: 1, bundleSha256: BUNDLE, engine: ENGINE, sha256, bytes: text.length }, Buffer.from(text));
      return { target, folder, sha256 };
    },
  };
}

const find = (shelf: SnapshotShelf, { target, folder }: { target: Target; folder: string }, secrets: readonly string[] = [], bundle = BUNDLE): ReturnType<SnapshotShelf['find']> =>
  shelf.find(folder, target, shelf.look(folder, target), secrets, bundle);

describe('the shelf', () => {
  it('gives a blob that was found, and counts its bytes', async () => {
    const { shelf, publish } = stand(100);
    const one = await publish('one', 'a blob');
    expect(await find(shelf, one)).toMatchObject({ snapshot: one.sha256, codeCache: '' });
    expect(shelf.take(one.target, one.sha256)).toBe('a blob');
    expect(shelf.takeFigures()).toEqual({ restored: 0, bytes: 6, fallBacks: {}, fallen: [] });
  });

  it('keeps so many bytes, those that were used last', async () => {
    const { shelf, publish } = stand(20);
    const [a, b, c] = [await publish('a', '1234567890'), await publish('b', '123456789x'), await publish('c', '12345678yz')];
    await find(shelf, a);
    await find(shelf, b);
    shelf.take(a.target, a.sha256);
    await find(shelf, c);
    expect([a, b, c].map(({ target, sha256 }) => shelf.take(target, sha256) !== null)).toEqual([true, false, true]);
    expect(shelf.takeFigures().bytes).toBe(20);
  });

  it('takes none that is larger than all of it', async () => {
    const { shelf, publish } = stand(5);
    const one = await publish('one', 'too large');
    expect((await find(shelf, one)).snapshot).toBe('');
    expect(shelf.takeFigures().fallBacks).toEqual({ over_memory: 1 });
  });

  it('drops what nobody names, and refuses for good what has failed', async () => {
    const { shelf, publish } = stand(100);
    const [one, two] = [await publish('one', 'first'), await publish('two', 'second')];
    shelf.forget(one.target, await find(shelf, one));
    expect(shelf.take(one.target, one.sha256)).toBeNull();
    expect((await find(shelf, one)).snapshot).toBe(one.sha256);
    await find(shelf, two);
    shelf.refuse(two.target, two.sha256, 'hook_threw');
    expect((await find(shelf, two)).snapshot).toBe('');
    const { fallBacks, fallen } = shelf.takeFigures();
    expect(fallBacks).toEqual({ hook_threw: 2 });
    expect(fallen.map(({ function: fn, reason }) => [fn, reason])).toEqual([['two', 'hook_threw']]);
    expect(shelf.takeFigures().fallen).toEqual([]);
  });

  it('gives one version the same bytes of another never', async () => {
    const { shelf, publish } = stand(100);
    const one = await publish('one', 'the same');
    const two = await publish('two', 'the same');
    await find(shelf, one);
    expect(shelf.take(two.target, two.sha256)).toBeNull();
  });

  it('asks for no snapshot where a secret has a name that the module used', async () => {
    const { shelf, publish } = stand(100);
    const one = await publish('one', 'blob');
    expect((await find(shelf, one, ['OTHER'])).snapshot).toBe(one.sha256);
    expect((await find(shelf, one, ['OTHER', 'USED'])).snapshot).toBe('');
  });

  it('takes a code cache of just this bundle, whole', async () => {
    const { shelf, publishCache } = stand(100);
    const [one, two] = [await publishCache('one', 'cache'), await publishCache('two', 'other cache')];
    expect(await find(shelf, one)).toMatchObject({ snapshot: '', codeCache: one.sha256 });
    expect((await find(shelf, one, [], sha256Hex('another bundle'))).codeCache).toBe('');
    writeFileSync(codeCacheBlob(two.folder, two.sha256), 'other cachE');
    expect((await find(shelf, two)).codeCache).toBe('');
  });

  it('without a platform looks at nothing', async () => {
    const { publish } = stand(100);
    const one = await publish('one', 'blob');
    const shelf = new SnapshotShelf({ platform: '', snapshots: true, external: () => 1, logger: createLogger({ name: 'test' }) });
    expect(await find(shelf, one)).toEqual({ stamp: '', snapshot: '', codeCache: '' });
  });
});
