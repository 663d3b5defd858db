// Users of their own for hosts, one for each tier, and the folders that they share with the node's.
import { chmodSync, chownSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PlatformError } from '../../core/errors/index.ts';

const SETTING = 'THIMBLE_HOST_UID';
const MAX_ID = 2 ** 31 - 1;
const SET_GROUP_ID = 0o2000;

export interface HostUser {
  readonly uid: number;
  readonly gid: number;
}

export interface HostUsers {
  /** By tier. */
  readonly tiers: Readonly<Record<string, HostUser>>;
  /** Group of the hosts of all tiers: sockets and platform are its. With one tier that tier's own. */
  readonly sharedGid: number;
}

/**
 * A number N gives the first tier user and group N, the next N + 1, and so on; with several tiers the number after the last is the group that they share.
 * A name gives its user and that one's group: a single tier.
 *
 * @param tiers  the default one first
 * @param passwd  text of /etc/passwd
 * @throws settings_invalid
 */
export function hostUsers(setting: string, tiers: readonly string[], passwd = readFileSync('/etc/passwd', 'utf8')): HostUsers {
  if (process.getuid?.() !== 0) throw wrong('needs a node that is started as root');
  const users = passwd.split('\n').map((line) => line.split(':')).filter((fields) => fields.length >= 4).map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }));
  const number = /^\d+$/.test(setting) ? Number(setting) : undefined;
  if (number === undefined) {
    const user = users.find(({ name }) => name === setting);
    if (user === undefined) throw wrong(`there is no user ${setting}`);
    if (user.uid === 0) throw wrong('must not be root');
    if (tiers.length > 1) throw wrong('must be a number where THIMBLE_TIERS names tiers: each has a user of its own');
    return { tiers: Object.fromEntries(tiers.map((tier) => [tier, { uid: user.uid, gid: user.gid }])), sharedGid: user.gid };
  }
  if (number < 1 || number + tiers.length > MAX_ID) throw wrong(`must be 1 to ${MAX_ID - tiers.length}`);
  const taken = tiers.length > 1 ? users.find(({ uid }) => uid > number && uid < number + tiers.length) : undefined;
  if (taken !== undefined) throw wrong(`tiers take the ${tiers.length - 1} users after it, and ${taken.uid} is ${taken.name}`);
  return {
    tiers: Object.fromEntries(tiers.map((tier, at) => [tier, { uid: number + at, gid: number + at }])),
    sharedGid: tiers.length > 1 ? number + tiers.length : number,
  };
}

/** Of the data folder, what hosts get to see; the rest keeps its owner and is closed to others. */
const SHARED = ['versions', 'platform', 'run'];

/**
 * Lets hosts pass through the data folder, read what is theirs, and reach the sockets. Files made later inherit the group from their folder.
 *
 * @param socketFolder  where the node's sockets lie
 */
export function shareFolders(users: HostUsers, dataFolder: string, socketFolder: string): void {
  give(dataFolder, users.sharedGid, 0o710);
  for (const entry of readdirSync(dataFolder)) if (!SHARED.includes(entry)) closeToOthers(join(dataFolder, entry));
  give(socketFolder, users.sharedGid, 0o710 | SET_GROUP_ID);
  const versions = join(dataFolder, 'versions');
  mkdirSync(versions, { recursive: true });
  give(versions, users.sharedGid, 0o710);
  for (const [tier, { gid }] of Object.entries(users.tiers)) shareTree(join(versions, tier), gid);
  shareTree(join(dataFolder, 'platform'), users.sharedGid);
}

/** Makes the folder and all below it readable for the group. Its own group, set last, says that all has been done. */
export function shareTree(folder: string, gid: number): void {
  mkdirSync(folder, { recursive: true });
  if (statSync(folder).gid !== gid) {
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isDirectory()) give(path, gid, 0o750 | SET_GROUP_ID);
      else if (entry.isFile()) give(path, gid, 0o640);
    }
  }
  give(folder, gid, 0o750 | SET_GROUP_ID);
}

function give(path: string, gid: number, mode: number): void {
  chownSync(path, statSync(path).uid, gid);
  // After it: a change of owner may clear the bit.
  chmodSync(path, mode);
}

function closeToOthers(path: string): void {
  const { mode } = statSync(path, { throwIfNoEntry: false }) ?? {};
  if (mode !== undefined && (mode & 0o007) !== 0) chmodSync(path, mode & 0o770);
}

function wrong(message: string): PlatformError {
  return new PlatformError('settings_invalid', { errors: [{ path: SETTING, message }] });
}
