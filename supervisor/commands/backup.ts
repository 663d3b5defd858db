// `thimble backup` and `thimble restore`: a copy of the data folder, and its way back.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { cp, rename } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { openLmdbStore, readManifest, stageRestore, writeBackup } from '../../control/offline/index.ts';
import type { BackupContent } from '../../control/offline/index.ts';
import { parseSettings } from '../../core/config/index.ts';
import type { Settings } from '../../core/config/index.ts';
import { PlatformError } from '../../core/errors/index.ts';
import { randomToken } from '../../core/ids/index.ts';
import { lockData } from '../data-lock.ts';
import type { DataLock } from '../data-lock.ts';
import { endLeftovers } from '../leftovers.ts';
import { reachable } from '../node.ts';
import { STAGING_PREFIX, commitRestore, finishRestore } from '../pending-restore.ts';
import { refuse } from '../run.ts';
import { USAGE } from './command.ts';
import type { Command, CommandIo } from './command.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Say = (line: string) => void;

const madeSchema = z.looseObject({ id: z.string(), path: z.string() });
/** A large node's backup takes minutes. */
const BACKUP_MS = 3_600_000;

export const backup: Command = {
  usage: ['thimble backup DIR [--no-keys]'],
  run: async (args, io) => await runWith(backup, args, ['--no-keys'], io, async (folder, flags) => backUp(io.environment, folder, !flags.includes('--no-keys'), io.out)),
};

export const restore: Command = {
  usage: ['thimble restore DIR'],
  run: async (args, io) => await runWith(restore, args, [], io, async (folder) => restoreFrom(io.environment, folder, io.out)),
};

async function runWith({ usage }: Command, args: readonly string[], known: readonly string[], io: CommandIo, task: (folder: string, flags: readonly string[]) => Promise<void>): Promise<number> {
  const flags = args.filter((word) => word.startsWith('-'));
  const [folder, ...more] = args.filter((word) => !word.startsWith('-'));
  if (folder === undefined || more.length > 0 || !flags.every((flag) => known.includes(flag))) {
    for (const line of usage) io.error(`usage: ${line}`);
    return USAGE;
  }
  try {
    await task(folder, flags);
    return 0;
  } catch (thrown) {
    return refuse(thrown);
  }
}

/**
 * Writes a backup of the data folder to `destination`: through the control API while a node runs on the folder, else by itself.
 *
 * @throws backup_invalid, data_locked, settings_invalid, storage_failed, unavailable
 */
async function backUp(environment: Environment, destination: string, keys: boolean, say: Say): Promise<void> {
  const settings = parseSettings(environment);
  const target = resolve(destination);
  if (existsSync(target) && readdirSync(target).length > 0) throw wrong('DIR', `${target} is there and not empty`);
  if (!existsSync(join(settings.dataFolder, 'control'))) throw wrong('THIMBLE_DATA', `${settings.dataFolder} is no data folder of a node`);
  const beside = `${target}.${randomToken(4)}.new`;
  mkdirSync(dirname(target), { recursive: true });
  try {
    const content = (await atRest(settings, beside, keys)) ?? (await ofRunningNode(settings, beside, keys));
    rmSync(target, { recursive: true, force: true });
    await rename(beside, target);
    describe(content, say, `backup of ${settings.dataFolder} in ${target}`);
    if (content.missing.length > 0) say(`  ${content.missing.length} versions have no sound files in the data folder either: deploy them again (${content.missing.slice(0, 3).join(', ')} …)`);
  } finally {
    rmSync(beside, { recursive: true, force: true });
  }
}

/** @returns undefined when a node runs on the folder */
async function atRest({ dataFolder }: Settings, target: string, keys: boolean): Promise<BackupContent | undefined> {
  const lock = await lockData(dataFolder).catch((thrown: unknown) => {
    if (thrown instanceof PlatformError && thrown.code === 'data_locked') return undefined;
    throw thrown;
  });
  if (lock === undefined) return undefined;
  try {
    await prepare(dataFolder, lock);
    const store = openLmdbStore(join(dataFolder, 'control'));
    try {
      return await writeBackup({ store, dataFolder, keys }, target);
    } finally {
      await store.close();
    }
  } finally {
    lock.release();
  }
}

async function ofRunningNode(settings: Settings, target: string, keys: boolean): Promise<BackupContent> {
  const token = settings.token ?? readFileSync(join(settings.dataFolder, 'admin.token'), 'utf8').trim();
  const base = `http://${reachable(settings.host)}:${settings.controlPort}/v1/backups`;
  const call = async (method: string, url: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(url, {
      method, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, ...(body === undefined ? {} : { body: JSON.stringify(body) }), signal: AbortSignal.timeout(BACKUP_MS),
    }).catch((cause: unknown) => {
      throw new PlatformError('unavailable', { part: `the control API at ${base}` }, { cause });
    });
    const text = await response.text();
    if (!response.ok) throw new PlatformError('unavailable', { part: 'the control API' }, { cause: new Error(`it answered ${response.status}: ${text.slice(0, 500)}`) });
    return JSON.parse(text) as unknown;
  };
  const { id, path } = madeSchema.parse(await call('POST', base, { keys }));
  const made = join(settings.dataFolder, path);
  // The same file system, most often: then nothing is copied.
  await rename(made, target).catch(async () => cp(made, target, { recursive: true, errorOnExist: true }));
  if (existsSync(made)) await call('DELETE', `${base}/${id}`);
  return await readManifest(target);
}

/**
 * Puts what `folder` holds in the place of the data folder's own parts; nothing is changed unless all of it is sound.
 *
 * @throws backup_invalid, data_locked, settings_invalid, storage_failed, store_too_new
 */
async function restoreFrom(environment: Environment, folder: string, say: Say): Promise<void> {
  const { dataFolder, secretKey } = parseSettings(environment);
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const lock = await lockData(dataFolder);
  try {
    await prepare(dataFolder, lock);
    const name = randomToken(4);
    const staging = `${STAGING_PREFIX}${name}`;
    const content = await stageRestore(resolve(folder), join(dataFolder, staging));
    const replaced = `replaced-${name}`;
    commitRestore(dataFolder, { staging, replaced });
    describe(content, say, `restored into ${dataFolder}`);
    if (readdirSync(join(dataFolder, replaced)).length === 0) rmSync(join(dataFolder, replaced), { recursive: true });
    else say(`  what was there before is in ${join(dataFolder, replaced)}: remove it when all is well`);
    if (!content.keys.includes('secret.key') && secretKey === undefined) say('  the backup has no secret.key: secrets open only with the key of the node that it is of, in secret.key or THIMBLE_SECRET_KEY');
  } finally {
    lock.release();
  }
}

/** Processes of a node that was killed may still have the store open; and a restore may wait for its end. */
async function prepare(dataFolder: string, { abandoned }: DataLock): Promise<void> {
  if (abandoned) await endLeftovers(join(dataFolder, 'run', 'processes.json'));
  finishRestore(dataFolder);
}

function describe({ createdAt, functions, versions, store, audit, keys }: BackupContent, say: Say, what: string): void {
  say(`${what}: ${functions} functions, ${versions} versions, revision ${store.revision}, ${audit.sequence} audit rows checked, of ${createdAt}, ${keys.length === 0 ? 'without keys' : `with ${keys.join(' and ')}`}`);
}

function wrong(path: string, message: string): PlatformError {
  return new PlatformError('settings_invalid', { errors: [{ path, message }] });
}
