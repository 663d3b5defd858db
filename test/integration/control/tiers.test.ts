// Trust tiers of functions: what a change of tier moves, what it leaves behind, and that it is never seen half done.
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TierFiles } from '../../../control/builder/index.ts';
import { Catalog, Functions, KEYS, Ledger, Tiers, canonicalJson, verifyTrail } from '../../../control/model/index.ts';
import { deriveTierKey, unseal } from '../../../core/crypto/index.ts';
import { createLogger } from '../../../core/log/index.ts';
import type { StoredRecord } from '../../../core/ports/index.ts';
import { BUNDLE_FILE, versionFolder } from '../../../core/versions/index.ts';
import { isWholeOnDisk } from '../../support/control-disk.ts';
import { MemoryStore } from '../../support/control-memory-store.ts';
import { HELLO, LAB_KEY, TIER_KEY, useControl } from '../../support/control-plane.ts';
import { useGateway } from '../../support/control-peers.ts';
import { useTempFolder } from '../../support/control-temp.ts';

const ME = { name: 'me', from: '' };

const digestOf = (reply: { readonly body: Readonly<Record<string, unknown>> }): string => String(reply.body['digest']);

describe('the tier of a function', () => {
  it('is the default one unless it says otherwise, and must be one of the node\'s', async () => {
    const { call } = await useControl();
    expect((await call('PUT', '/v1/functions/card')).body).toMatchObject({ tier: 'default' });
    for (const tier of ['partner', 'Lab', '', '../lab', 7]) {
      const reply = await call('PUT', '/v1/functions/card', { tier });
      expect([reply.status, reply.body.code, reply.body.errors?.[0]?.['path']]).toEqual([422, 'invalid', 'tier']);
    }
    expect((await call('PUT', '/v1/functions/risky', { tier: 'lab' })).body).toMatchObject({ tier: 'lab' });
    expect((await call('GET', '/v1/functions/risky')).body).toMatchObject({ tier: 'lab' });
    // A change that does not name it leaves it.
    expect((await call('PUT', '/v1/functions/risky', { debug: true })).body).toMatchObject({ tier: 'lab' });
  });

  it('says where its versions are, and which key opens its secrets', async () => {
    const { call, deploy, data, socket } = await useControl();
    const gateway = await useGateway(socket);
    await call('PUT', '/v1/functions/risky', { tier: 'lab', secrets: { KEY: 'of-lab' } });
    const digest = digestOf(await deploy('risky', HELLO));
    expect([isWholeOnDisk(data, digest, 'lab'), existsSync(versionFolder(data, 'default', digest))]).toEqual([true, false]);
    const route = gateway.functions.get('risky');
    expect(route?.tier).toBe('lab');
    expect(JSON.parse(unseal(LAB_KEY, 'secrets/risky', route?.secrets ?? ''))).toEqual({ KEY: 'of-lab' });
    expect(() => unseal(TIER_KEY, 'secrets/risky', route?.secrets ?? '')).toThrow(/authenticate/);
  });
});

describe('a change of tier', () => {
  it('moves files, secrets and route in one revision, and is audited without values', async () => {
    const { call, deploy, data, socket } = await useControl();
    const gateway = await useGateway(socket);
    await call('PUT', '/v1/functions/card', { secrets: { KEY: 'sesame', OTHER: 'x' } });
    const digests = [digestOf(await deploy('card', HELLO)), digestOf(await deploy('card', HELLO.replace('hello', 'bye')))];
    const before = gateway.deltas.length;
    const reply = await call('PUT', '/v1/functions/card', { tier: 'lab', secrets: { OTHER: null } });
    expect([reply.status, reply.body['tier'], reply.body['secrets']]).toEqual([200, 'lab', { KEY: { set: true } }]);
    expect(gateway.deltas.length).toBe(before + 1);
    const route = gateway.functions.get('card');
    expect(route?.tier).toBe('lab');
    expect(JSON.parse(unseal(LAB_KEY, 'secrets/card', route?.secrets ?? ''))).toEqual({ KEY: 'sesame' });
    for (const digest of digests) expect(isWholeOnDisk(data, digest, 'lab')).toBe(true);
    const row = (await call('GET', '/v1/audit?limit=1000')).body.items?.at(-1);
    expect(row).toMatchObject({ action: 'function.change', target: 'card', before: { tier: 'default' }, after: { tier: 'lab', secretsChanged: ['OTHER'] } });
    expect(JSON.stringify(row)).not.toContain('sesame');
    // A rollback to a version that was made in the other tier finds its files.
    expect((await call('PUT', '/v1/functions/card/traffic', { rules: [], split: [{ version: 2, weight: 100 }] })).status).toBe(200);
  });

  it('leaves nothing in the other tier after the next start, and takes nothing from functions that stay', async () => {
    const control = await useControl();
    const { call, deploy, data } = control;
    const shared = digestOf(await deploy('stays', HELLO));
    expect(digestOf(await deploy('moves', HELLO))).toBe(shared);
    const own = digestOf(await deploy('moves', HELLO.replace('hello', 'own')));
    await call('PUT', '/v1/functions/moves', { tier: 'lab' });
    await control.restart();
    const there = (tier: string, digest: string): boolean => existsSync(versionFolder(data, tier, digest));
    expect([there('default', shared), there('default', own), there('lab', shared), there('lab', own)]).toEqual([true, false, true, true]);
  });

  it('is refused whole when something else of it is: nothing has moved', async () => {
    const { call, deploy, data } = await useControl();
    await call('PUT', '/v1/functions/other', { triggers: [{ type: 'http', path: '/taken' }] });
    const digest = digestOf(await deploy('card', HELLO));
    const reply = await call('PUT', '/v1/functions/card', { tier: 'lab', triggers: [{ type: 'http', path: '/taken' }] });
    expect(reply.body.code).toBe('conflict');
    expect((await call('GET', '/v1/functions/card')).body).toMatchObject({ tier: 'default', triggers: [] });
    await expect.poll(() => existsSync(versionFolder(data, 'lab', digest))).toBe(false);
    expect(isWholeOnDisk(data, digest)).toBe(true);
  });

  it('is not held up by a version whose files are damaged', async () => {
    const { call, deploy, data, log } = await useControl();
    const broken = digestOf(await deploy('card', HELLO));
    const sound = digestOf(await deploy('card', HELLO.replace('hello', 'sound')));
    writeFileSync(join(versionFolder(data, 'default', broken), BUNDLE_FILE), 'x');
    expect((await call('PUT', '/v1/functions/card', { tier: 'lab' })).status).toBe(200);
    expect([isWholeOnDisk(data, broken, 'lab'), isWholeOnDisk(data, sound, 'lab')]).toEqual([false, true]);
    expect(log()).toContain('missing or damaged');
  });

  it('beside deploys and other changes of tier: in the end every version is whole where the function is', async () => {
    const { call, deploy, data } = await useControl();
    await call('PUT', '/v1/functions/card', { secrets: { KEY: 'k' } });
    const digests: string[] = [];
    await Promise.all([
      ...Array.from({ length: 10 }, async (_, i) => digests.push(digestOf(await deploy('card', HELLO.replace('hello', `number ${i}`))))),
      ...Array.from({ length: 9 }, async (_, i) => expect((await call('PUT', '/v1/functions/card', { tier: i % 2 === 0 ? 'lab' : 'default' })).status).toBe(200)),
    ]);
    const tier = String((await call('GET', '/v1/functions/card')).body['tier']);
    expect(digests).toHaveLength(10);
    for (const digest of digests) expect(isWholeOnDisk(data, digest, tier)).toBe(true);
  });
});

describe('a tier that the node has no more', () => {
  const keys = (names: readonly string[]): Map<string, Buffer> => new Map(names.map((name) => [name, deriveTierKey('node', name)]));
  function model(store: MemoryStore, data: string, names: readonly string[], leaveMs = 0): { readonly functions: Functions; readonly catalog: Catalog; readonly files: TierFiles } {
    const catalog = Catalog.load(store);
    const ledger = new Ledger({ store, catalog, onCommit: () => {} });
    const files = new TierFiles({ dataFolder: data, canonical: canonicalJson });
    const tiers = new Tiers({ keys: keys(names), catalog, files, leaveMs, logger: createLogger({ name: 'control', level: 'silent' }) });
    return { functions: new Functions({ catalog, ledger, tiers }), catalog, files };
  }

  it('lets a function out that has no secrets there, and one that has none to open', async () => {
    const store = new MemoryStore();
    const data = useTempFolder();
    const first = model(store, data, ['default', 'lab']);
    await first.functions.put(ME, 'plain', { tier: 'lab' });
    await first.functions.put(ME, 'sealed', { tier: 'lab', secrets: { KEY: 'x' } });
    const { functions, catalog } = model(store, data, ['default']);
    await expect(functions.put(ME, 'plain', { debug: true })).rejects.toMatchObject({ code: 'conflict' });
    await functions.put(ME, 'plain', { tier: 'default' });
    expect(catalog.require('plain').record.tier).toBe('default');
    await expect(functions.put(ME, 'sealed', { tier: 'default' })).rejects.toMatchObject({ code: 'conflict' });
    await expect(functions.put(ME, 'plain', { tier: 'lab' })).rejects.toMatchObject({ code: 'invalid' });
    // Put back into THIMBLE_TIERS, it opens again.
    await model(store, data, ['default', 'lab']).functions.put(ME, 'sealed', { tier: 'default' });
    expect(verifyTrail(store)).toBeNull();
  });

  it('records that were written before there were tiers are of the default one', async () => {
    const store = new MemoryStore();
    const { functions } = model(store, useTempFolder(), ['default']);
    await functions.put(ME, 'old', {});
    const { tier, ...without } = (store.get(KEYS.function('old')) as StoredRecord).value as Record<string, unknown>;
    expect(tier).toBe('default');
    await store.commit([{ key: KEYS.function('old'), value: without }]);
    expect(Catalog.load(store).route('old')?.tier).toBe('default');
  });

  it('the folders of the former tier go a while after the move, unless something needs them again', async () => {
    const data = useTempFolder();
    const { files } = model(new MemoryStore(), data, ['default']);
    const content = { bundle: 'b', map: 'm', env: {}, bindings: {} };
    const digest = files.of('default').digest(content);
    await files.of('default').prepare();
    await files.of('lab').prepare();
    await files.of('default').write(digest, content);
    expect(await files.of('lab').copy(digest, 'default')).toBe(true);
    const release = files.of('default').hold(digest);
    await files.of('default').remove(digest, () => false);
    expect(isWholeOnDisk(data, digest)).toBe(true);
    release();
    await files.of('default').remove(digest, () => true);
    expect(isWholeOnDisk(data, digest)).toBe(true);
    await files.of('default').remove(digest, () => false);
    expect([isWholeOnDisk(data, digest), isWholeOnDisk(data, digest, 'lab')]).toEqual([false, true]);
    rmSync(versionFolder(data, 'lab', digest), { recursive: true });
    expect(await files.of('lab').copy(digest, 'default')).toBe(false);
  });
});
