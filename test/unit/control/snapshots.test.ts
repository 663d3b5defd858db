// When version snapshots are built, and what is known of them: the queue with a build that is made up.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Catalog, KEYS, Ledger, Functions, Tiers, TrafficControl, Versions, canonicalJson } from '../../../control/model/index.ts';
import { SnapshotFiles, Snapshots } from '../../../control/snapshots/index.ts';
import type { SnapshotsOptions } from '../../../control/snapshots/index.ts';
import { TierFiles } from '../../../control/builder/index.ts';
import type { RecordStore } from '../../../core/ports/index.ts';
import { createLogger } from '../../../core/log/index.ts';
import { sha256Hex } from '../../../core/crypto/index.ts';
import { snapshotPrograms, TIER_KEY } from '../../support/control-plane.ts';
import { MemoryStore } from '../../support/control-memory-store.ts';
import { until } from '../../support/gateway-stand.ts';

const ME = { name: 'me', from: '' };

type Make = NonNullable<SnapshotsOptions['make']>;
type Made = Awaited<ReturnType<Make>>;

const ENGINE = { node: process.version, v8: process.versions.v8, arch: process.arch, tag: 1, platform: 'p1' };
const made = (reason: Made['reason'], text = 'blob'): Made => {
  const blob = reason === null ? Buffer.from(text) : Buffer.alloc(0);
  return { reason, detail: '', evaluateMs: 9, environment: [], engine: ENGINE, blob, sha256: reason === null ? sha256Hex(blob) : '', heapBytes: 1, codeCache: Buffer.alloc(0), again: false };
};

interface Stand {
  readonly store: RecordStore;
  readonly snapshots: Snapshots;
  readonly files: SnapshotFiles;
  /** Builds that were asked for: `name@version`. */
  readonly built: string[];
  deploy(name: string, source?: string, activate?: boolean): Promise<{ version: number; digest: string }>;
  put(name: string, put: Parameters<Functions['put']>[2]): Promise<void>;
  view(name: string, version?: number): Promise<ReturnType<Snapshots['view']>>;
  readonly traffic: TrafficControl;
}

async function stand(make: Make, options: { readonly folder?: string; readonly store?: RecordStore; readonly enabled?: boolean } = {}): Promise<Stand> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'thimble-snapshots-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const store = options.store ?? new MemoryStore();
  const catalog = Catalog.load(store);
  const files = new SnapshotFiles(folder, 'default');
  const versionFiles = new TierFiles({ dataFolder: folder, canonical: canonicalJson });
  await versionFiles.of('default').prepare();
  const built: string[] = [];
  const logger = createLogger({ name: 'test', destination: { write: () => {} } });
  const snapshots: Snapshots = new Snapshots({
    store, catalog, files: () => files, programs: snapshotPrograms(options.enabled ?? true), logger,
    make: (programs, job, bundle, signal) => {
      built.push(`${job.function}@${job.version}`);
      return make(programs, job, bundle, signal);
    },
  });
  onTestFinished(() => snapshots.close());
  const ledger = new Ledger({ store, catalog, onCommit: (_, __, names) => snapshots.changed(names) });
  const functions = new Functions({ catalog, ledger, tiers: new Tiers({ keys: new Map([['default', TIER_KEY]]), catalog, files: versionFiles, logger }) });
  const builds = { build: (_: string, sources: Readonly<Record<string, string>>) => Promise.resolve({ bundle: sources['main.ts'] ?? '', map: '', buildMs: 1 }) };
  const versions = new Versions({ store, catalog, ledger, builds: builds as never, files: versionFiles });
  return {
    store, snapshots, files, built,
    put: async (name, put) => void (await functions.put(ME, name, put)),
    traffic: new TrafficControl(catalog, ledger),
    deploy: async (name, source = `${name} source`, activate = true) => {
      if (catalog.get(name) === undefined) await functions.put(ME, name, {});
      const { result } = await versions.deploy(ME, name, { code: { files: { 'main.ts': source }, main: 'main.ts' }, message: null, activate });
      snapshots.wanted(name, result.record.version);
      return result.record;
    },
    view: async (name, version = 1) => snapshots.view(name, version, catalog.digests(name).get(version) ?? ''),
  };
}

const settled = async (at: Stand, name: string, version = 1): Promise<ReturnType<Snapshots['view']>> => {
  await until(() => at.snapshots.waiting === 0);
  return at.view(name, version);
};

describe('a deploy', () => {
  it('is pending until its build has ended, then ready with its size', async () => {
    const gate = Promise.withResolvers<Made>();
    const at = await stand(() => gate.promise);
    at.snapshots.setPlatform('/x/p1');
    const { digest } = await at.deploy('card');
    expect(await at.view('card')).toEqual({ state: 'pending' });
    gate.resolve(made(null));
    expect(await settled(at, 'card')).toEqual({ state: 'ready', bytes: 4 });
    expect(await at.files.has(digest, 'card', 1)).toBe(true);
    expect(at.built).toEqual(['card@1']);
  });

  it('waits for the platform that the supervisor builds', async () => {
    const at = await stand(() => Promise.resolve(made(null)));
    await at.deploy('card');
    expect(await at.view('card')).toEqual({ state: 'pending' });
    expect(at.built).toEqual([]);
    at.snapshots.setPlatform('/x/p1');
    expect(await settled(at, 'card')).toEqual({ state: 'ready', bytes: 4 });
  });

  it('without a platform has none', async () => {
    const at = await stand(() => Promise.resolve(made(null)));
    at.snapshots.setPlatform(null);
    await at.deploy('card');
    expect(await at.view('card')).toEqual({ state: 'none', reason: 'no_platform' });
  });

  it('of a node whose switch is off has none, but its code cache is made', async () => {
    const withheld: unknown[] = [];
    const at = await stand((_, job) => (withheld.push(job.withheld), Promise.resolve(made('switched_off_node'))), { enabled: false });
    at.snapshots.setPlatform('/x/p1');
    await at.deploy('card');
    expect(await settled(at, 'card')).toEqual({ state: 'none', reason: 'switched_off_node' });
    expect(withheld).toEqual(['switched_off_node']);
  });
});

describe('builds', () => {
  it('are one at a time', async () => {
    let running = 0;
    let most = 0;
    const at = await stand(async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running -= 1;
      return made(null);
    });
    at.snapshots.setPlatform('/x/p1');
    await Promise.all(Array.from({ length: 8 }, (_, i) => at.deploy(`f${i}`)));
    await settled(at, 'f0');
    expect(most).toBe(1);
    expect(at.built.length).toBe(8);
  });

  it('of the same code are one, where the code alone is the reason', async () => {
    const at = await stand(() => Promise.resolve(made('not_earned')));
    at.snapshots.setPlatform('/x/p1');
    for (let i = 0; i < 50; i++) await at.deploy(`f${i}`, 'same');
    expect(await settled(at, 'f49')).toEqual({ state: 'none', reason: 'not_earned' });
    expect(at.built.length).toBe(1);
  });

  it('that were cut short by the machine are tried three times', async () => {
    const at = await stand(() => Promise.resolve({ ...made('build_aborted'), again: true }));
    at.snapshots.setPlatform('/x/p1');
    await at.deploy('card');
    await until(() => at.built.length === 3);
    expect(await settled(at, 'card')).toEqual({ state: 'none', reason: 'build_aborted' });
  });

  it('that can not be written leave the version without one', async () => {
    const at = await stand(() => Promise.reject(new Error('disk')));
    at.snapshots.setPlatform('/x/p1');
    await at.deploy('card');
    await until(() => at.built.length > 0);
    expect(await settled(at, 'card')).toEqual({ state: 'none', reason: 'storage_failed' });
  });
});

describe('a start', () => {
  it('takes up what an earlier process left, for live versions and the newest', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'thimble-snapshots-'));
    const store = new MemoryStore();
    const first = await stand((_, __, ___, signal) => new Promise<Made>((resolve) => signal.addEventListener('abort', () => resolve(made(null)))), { folder, store });
    first.snapshots.setPlatform('/x/p1');
    await first.deploy('card');
    await first.deploy('card', 'two', false);
    await first.deploy('card', 'three', false);
    // The process dies here: nothing of the build was kept.
    const second = await stand(() => Promise.resolve(made(null)), { folder, store });
    second.snapshots.setPlatform('/x/p1');
    expect(await settled(second, 'card')).toEqual({ state: 'ready', bytes: 4 });
    expect(await second.view('card', 3)).toEqual({ state: 'ready', bytes: 4 });
    expect(await second.view('card', 2)).toEqual({ state: 'none', reason: 'not_built' });
    expect(second.built).toEqual(['card@1', 'card@3']);
    await second.traffic.set(ME, 'card', { rules: [], split: [{ version: 2, weight: 100 }] });
    expect(await settled(second, 'card', 2)).toEqual({ state: 'ready', bytes: 4 });
  });

  it('builds nothing that is known, and everything anew after an upgrade', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'thimble-snapshots-'));
    const store = new MemoryStore();
    const first = await stand(() => Promise.resolve(made(null)), { folder, store });
    first.snapshots.setPlatform('/x/p1');
    await first.deploy('card');
    await settled(first, 'card');
    const same = await stand(() => Promise.resolve(made(null)), { folder, store });
    same.snapshots.setPlatform('/x/p1');
    expect(await settled(same, 'card')).toEqual({ state: 'ready', bytes: 4 });
    expect(same.built).toEqual([]);
    const upgraded = await stand(() => Promise.resolve(made(null, 'longer')), { folder, store });
    upgraded.snapshots.setPlatform('/x/p2');
    expect(await settled(upgraded, 'card')).toEqual({ state: 'ready', bytes: 6 });
    expect(upgraded.built).toEqual(['card@1']);
  });
});

describe('the switch of a version', () => {
  it('withdraws its snapshot, lasts, and has it built again', async () => {
    const at = await stand(() => Promise.resolve(made(null)));
    at.snapshots.setPlatform('/x/p1');
    const { digest } = await at.deploy('card');
    await settled(at, 'card');
    await at.store.commit([{ key: KEYS.snapshotSwitch('card', 1), value: { enabled: false } }]);
    await at.snapshots.switched('card', 1, digest, false);
    expect(await at.view('card')).toEqual({ state: 'none', reason: 'switched_off' });
    expect(await at.files.has(digest, 'card', 1)).toBe(false);
    const after = await stand(() => Promise.resolve(made(null)), { store: at.store });
    expect(await after.view('card')).toEqual({ state: 'none', reason: 'switched_off' });
    await at.snapshots.switched('card', 1, digest, true);
    expect(await settled(at, 'card')).toEqual({ state: 'ready', bytes: 4 });
    expect(await at.files.has(digest, 'card', 1)).toBe(true);
  });

  it('in the middle of a build keeps it from being published', async () => {
    const gate = Promise.withResolvers<Made>();
    const at = await stand(() => gate.promise);
    at.snapshots.setPlatform('/x/p1');
    const { digest } = await at.deploy('card');
    await until(() => at.built.length === 1);
    await at.snapshots.switched('card', 1, digest, false);
    gate.resolve(made(null));
    await until(() => at.snapshots.waiting === 0);
    expect(await at.view('card')).toEqual({ state: 'none', reason: 'switched_off' });
    expect(await at.files.has(digest, 'card', 1)).toBe(false);
  });
});

describe('what hosts say', () => {
  const ready = async (): Promise<Stand & { readonly digest: string; fall: (reason: string, sha256?: string) => void }> => {
    let n = 0;
    const at = await stand(() => Promise.resolve(made(null, `blob ${++n}`)));
    at.snapshots.setPlatform('/x/p1');
    const { digest } = await at.deploy('card');
    await settled(at, 'card');
    return { ...at, digest, fall: (reason, sha256 = sha256Hex('blob 1')) => at.snapshots.fallen([{ function: 'card', version: 1, digest, sha256, reason }]) };
  };

  it.each(['corrupt', 'missing', 'other_platform', 'other_version'])('%s has it built again, three times at the most', async (reason) => {
    const at = await ready();
    for (let i = 1; i < 9; i++) {
      at.fall(reason, sha256Hex(`blob ${i}`));
      await settled(at, 'card');
    }
    expect(at.built.length).toBe(4);
  });

  it.each(['hook_threw', 'touches_secret', 'restore_failed'])('%s takes it away', async (reason) => {
    const at = await ready();
    at.fall(reason);
    await until(() => at.store.get(KEYS.snapshot('card', 1)) !== undefined);
    expect(await at.view('card')).toEqual({ state: 'none', reason });
    await expect.poll(() => at.files.has(at.digest, 'card', 1)).toBe(false);
    expect(at.built.length).toBe(1);
  });

  it('of another blob, an unknown reason, or a version that is not there changes nothing', async () => {
    const at = await ready();
    at.fall('corrupt', sha256Hex('an older one'));
    at.fall('made_up');
    at.snapshots.fallen([{ function: 'nobody', version: 7, digest: 'x', sha256: '', reason: 'corrupt' }]);
    expect(await settled(at, 'card')).toEqual({ state: 'ready', bytes: 6 });
    expect(at.built.length).toBe(1);
  });

  it('a refusal over secrets is judged again when their names change', async () => {
    const at = await ready();
    at.fall('touches_secret');
    expect(await at.view('card')).toMatchObject({ reason: 'touches_secret' });
    await at.put('card', { secrets: { OTHER: 'x' } });
    await until(() => at.built.length === 2);
    expect(await settled(at, 'card')).toMatchObject({ state: 'ready' });
  });

  it('functions with WebAssembly give theirs back', async () => {
    const at = await stand((_, job) => Promise.resolve(made(job.withheld === 'wasm' ? 'wasm' : null)));
    at.snapshots.setPlatform('/x/p1');
    const { digest } = await at.deploy('card');
    await settled(at, 'card');
    const { limitsSchema } = await import('../../../core/schemas/index.ts');
    await at.put('card', { limits: limitsSchema.parse({ wasm: true }) });
    expect(await settled(at, 'card')).toEqual({ state: 'none', reason: 'wasm' });
    expect(await at.files.has(digest, 'card', 1)).toBe(false);
    await at.put('card', { limits: limitsSchema.parse({}) });
    expect(await settled(at, 'card')).toMatchObject({ state: 'ready' });
  });
});
