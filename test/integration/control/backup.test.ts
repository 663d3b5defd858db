// Backups of a control plane at work, and what a restore takes and refuses.
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { stageRestore } from '../../../control/offline/index.ts';
import { KEYS, allOf, canonicalJson, storeRecordSchema, verifyTrail } from '../../../control/model/index.ts';
import { functionRecordSchema } from '../../../control/model/records.ts';
import { openLmdbStore } from '../../../control/store/index.ts';
import { sha256Hex } from '../../../core/crypto/index.ts';
import { BUNDLE_FILE, versionFolder } from '../../../core/versions/index.ts';
import { brokenAuditRow, filesBelow, isWholeOnDisk, modeOf } from '../../support/control-disk.ts';
import { HELLO, useControl } from '../../support/control-plane.ts';
import type { ControlUnderTest } from '../../support/control-plane.ts';
import { useTempFolder } from '../../support/control-temp.ts';

async function backedUp(control: ControlUnderTest, body: unknown = {}): Promise<{ readonly folder: string; readonly made: Readonly<Record<string, unknown>> }> {
  const reply = await control.call('POST', '/v1/backups', body);
  expect(reply.status).toBe(201);
  return { folder: join(control.data, String(reply.body['path'])), made: reply.body };
}

/** Changes the manifest as somebody would who knows its form. */
function rewrite(folder: string, change: (manifest: Record<string, unknown>) => void): void {
  const path = join(folder, 'backup.json');
  const { sha256: _, ...content } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  change(content);
  writeFileSync(path, JSON.stringify({ ...content, sha256: sha256Hex(canonicalJson(content)) }));
}

const why = (backup: string): Promise<string> =>
  stageRestore(backup, join(useTempFolder(), 'staging')).then(() => 'restored', (thrown: unknown) => `${(thrown as { readonly code: string }).code}: ${(thrown as Error).message}`);

describe('a backup', () => {
  it('has store, versions and keys, closed to others, and says what it has', async () => {
    const control = await useControl();
    const { call, deploy, data } = control;
    writeFileSync(join(data, 'secret.key'), 'k'.repeat(64));
    await call('PUT', '/v1/functions/card', { secrets: { KEY: 'sesame' } });
    const digests = [String((await deploy('card', HELLO)).body['digest']), String((await deploy('card', HELLO.replace('hello', 'bye'))).body['digest'])];
    const { folder, made } = await backedUp(control);
    expect(made).toMatchObject({ functions: 1, versions: 2, keys: ['secret.key'], missing: [], store: { format: 2 } });
    for (const digest of digests) expect(isWholeOnDisk(join(folder, 'data'), digest)).toBe(true);
    expect(readdirSync(join(data, 'backups'))).toEqual([made['id']]);
    expect([modeOf(join(data, 'backups')), modeOf(folder)]).toEqual([0o700, 0o700]);
    expect(filesBelow(folder).filter((path) => (modeOf(path) & 0o007) !== 0)).toEqual([]);
    // Sealed here as there.
    for (const path of filesBelow(folder)) expect(readFileSync(path).includes('sesame')).toBe(false);
    expect((await call('GET', '/v1/backups')).body).toEqual({ items: [made], next: null });
    expect((await call('GET', '/v1/audit?limit=1000')).body.items?.at(-1)).toMatchObject({ action: 'backup.create', target: made['id'], after: { keys: true } });
    expect(await brokenAuditRow(join(folder, 'data'))).toBeNull();
    const { folder: without } = await backedUp(control, { keys: false });
    expect(existsSync(join(without, 'data', 'secret.key'))).toBe(false);
    expect((await call('DELETE', `/v1/backups/${String(made['id'])}`)).status).toBe(200);
    expect((await call('GET', '/v1/backups')).body.items).toHaveLength(1);
    for (const id of ['2026-01-01T00-00-00-000Z', '..', '%2E%2E%2Fcontrol', 'x']) expect((await call('DELETE', `/v1/backups/${id}`)).status).toBeGreaterThanOrEqual(404);
    expect((await call('POST', '/v1/backups', { path: '/tmp/x' })).status).toBe(422);
  });

  it('is of one moment although writes and purges go on, and restores to just that', async () => {
    const control = await useControl();
    await control.deploy('card', HELLO);
    let on = true;
    const work = (async () => {
      for (let i = 0; on; i++) {
        await control.deploy('card', HELLO.replace('hello', `n${i}`), '?activate=true');
        if (i % 3 === 0) await control.call('POST', '/v1/functions/card/purge', { keep: 1 });
      }
    })();
    const folders: string[] = [];
    for (let i = 0; i < 3; i++) folders.push((await backedUp(control)).folder);
    on = false;
    await work;
    for (const backup of folders) {
      const staging = join(useTempFolder(), 'staging');
      const content = await stageRestore(backup, staging);
      const store = openLmdbStore(join(staging, 'control'));
      const versions = [...allOf(store, KEYS.allVersions)];
      expect(versions.length).toBe(content.versions);
      for (const { value } of versions) expect(isWholeOnDisk(staging, (value as { readonly digest: string }).digest)).toBe(true);
      // Every version that the function names is there.
      const { traffic } = functionRecordSchema.parse(store.get(KEYS.function('card'))?.value);
      expect(store.get(KEYS.version('card', traffic?.split[0]?.version ?? 0))).toBeDefined();
      // One commit on top: a new life of the store, told in its trail.
      expect(store.revision).toBe(content.store.revision + 1);
      expect(storeRecordSchema.parse(store.get(KEYS.store)?.value).epoch).not.toBe(content.store.epoch);
      expect(store.get(KEYS.auditRow(content.audit.sequence + 1))?.value).toMatchObject({ actor: 'restore', action: 'store.restore', before: { revision: content.store.revision } });
      expect(verifyTrail(store)).toBeNull();
      await store.close();
    }
  });

  it('is made one at a time, and leaves nothing when it cannot be made', async () => {
    const control = await useControl();
    await control.deploy('card', HELLO);
    const replies = await Promise.all([control.call('POST', '/v1/backups'), control.call('POST', '/v1/backups')]);
    expect(replies.map((reply) => reply.status).toSorted((a, b) => a - b)).toEqual([201, 409]);
    // A broken trail is not copied for good.
    await control.stop();
    const store = openLmdbStore(join(control.data, 'control'));
    const row = store.get(KEYS.auditRow(1))?.value as Record<string, unknown>;
    await store.commit([{ key: KEYS.auditRow(1), value: { ...row, actor: 'nobody' } }]);
    await store.close();
    mkdirSync(join(control.data, 'backups', '.new-left-by-a-crash'));
    const again = await useControl(control.data);
    expect((await again.call('POST', '/v1/backups')).body.code).toBe('backup_invalid');
    expect(readdirSync(join(control.data, 'backups'))).toHaveLength(1);
  });

  it('names versions whose files are damaged already, and is made without them', async () => {
    const control = await useControl();
    const broken = String((await control.deploy('card', HELLO)).body['digest']);
    const sound = String((await control.deploy('card', HELLO.replace('hello', 'bye'))).body['digest']);
    appendFileSync(join(versionFolder(control.data, 'default', broken), BUNDLE_FILE), '//');
    const { folder, made } = await backedUp(control);
    expect(made['missing']).toEqual([`default/${broken}`]);
    const staging = join(useTempFolder(), 'staging');
    await stageRestore(folder, staging);
    expect([isWholeOnDisk(staging, sound), existsSync(versionFolder(staging, 'default', broken))]).toEqual([true, false]);
  });
});

describe('a restore', () => {
  it('refuses what is no backup, is damaged, was changed or wants to write elsewhere, and leaves nothing', async () => {
    const control = await useControl();
    const digest = String((await control.deploy('card', HELLO)).body['digest']);
    const { folder } = await backedUp(control);
    const damaged = (damage: (copy: string) => void): Promise<string> => {
      const copy = join(useTempFolder(), 'backup');
      cpSync(folder, copy, { recursive: true });
      damage(copy);
      return why(copy);
    };
    const bundle = join('versions', 'default', digest, BUNDLE_FILE);
    const files = (manifest: Record<string, unknown>): Record<string, unknown>[] => manifest['files'] as Record<string, unknown>[];
    expect(await damaged(() => {})).toBe('restored');
    expect(await why(useTempFolder())).toContain('no readable backup.json');
    expect(await why('/nonexistent')).toContain('backup_invalid');
    expect(await damaged((copy) => writeFileSync(join(copy, 'backup.json'), '{'))).toContain('no readable backup.json');
    expect(await damaged((copy) => writeFileSync(join(copy, 'backup.json'), '{"kind":"another backup"}'))).toContain('no form that this release knows');
    expect(await damaged((copy) => writeFileSync(join(copy, 'backup.json'), readFileSync(join(copy, 'backup.json'), 'utf8').replace('"functions":1', '"functions":2')))).toContain('was changed or damaged');
    expect(await damaged((copy) => appendFileSync(join(copy, 'data', bundle), ' '))).toContain(`its file ${bundle} was changed or damaged`);
    expect(await damaged((copy) => truncateSync(join(copy, 'data', 'control', 'data.mdb'), 8_192))).toContain('control/data.mdb was changed');
    expect(await damaged((copy) => rmSync(join(copy, 'data', bundle)))).toContain('cannot be read');
    expect(await damaged((copy) => {
      rmSync(join(copy, 'data', bundle));
      symlinkSync('/etc/hostname', join(copy, 'data', bundle));
    })).toContain('cannot be read');
    // With a manifest that fits what it says, too.
    expect(await damaged((copy) => {
      const changed = join(copy, 'data', bundle);
      appendFileSync(changed, '//');
      rewrite(copy, (manifest) => Object.assign(files(manifest).find(({ path }) => path === bundle) ?? {}, { bytes: statSync(changed).size, sha256: sha256Hex(readFileSync(changed)) }));
    })).toContain(`version default/${digest} are missing or damaged`);
    expect(await damaged((copy) => rewrite(copy, (manifest) => (manifest['files'] = files(manifest).filter(({ path }) => path !== bundle))))).toContain('missing or damaged');
    expect(await damaged((copy) => rewrite(copy, (manifest) => (manifest['files'] = files(manifest).filter(({ path }) => !String(path).startsWith('control')))))).toContain('it has no store');
    expect(await damaged((copy) => rewrite(copy, (manifest) => Object.assign(manifest['store'] as object, { revision: 1 })))).toContain('not the one that it names');
    expect(await damaged((copy) => rewrite(copy, (manifest) => Object.assign(manifest['store'] as object, { format: 99 })))).toBe('store_too_new: the store has format 99, and this release knows formats up to 2');
    for (const path of ['../outside', 'control/../../outside', '/etc/outside', 'run/x', 'gateway/routes.msgpack', 'lock', 'versions/..', 'a\\b', '']) {
      expect(await damaged((copy) => rewrite(copy, (manifest) => files(manifest).push({ path, bytes: 0, sha256: sha256Hex('') })))).toContain('no form that this release knows');
    }
    const root = useTempFolder();
    const broken = join(root, 'broken');
    cpSync(folder, broken, { recursive: true });
    appendFileSync(join(broken, 'data', bundle), ' ');
    await expect(stageRestore(broken, join(root, 'staging'))).rejects.toMatchObject({ code: 'backup_invalid' });
    expect(readdirSync(root)).toEqual(['broken']);
  });
});
