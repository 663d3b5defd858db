// Before hosts start: their users, the folders that they reach, and what confines them.
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Settings, SocketPaths } from '../../core/config/index.ts';
import type { Logger } from '../../core/log/index.ts';
import { detectSandbox } from './detect.ts';
import type { DetectOptions, Detected } from './detect.ts';
import { hostUsers, shareFolders } from './host-users.ts';
import type { HostUsers } from './host-users.ts';
import type { Tools } from './tools.ts';

/** Files of the node's processes are closed to all but owner and group; the group is that of the folder (host-users.ts). */
const SHARED_UMASK = 0o027;

/**
 * Opens to the hosts' users what they need and closes the rest; nothing to do when hosts run as the node's user.
 *
 * @throws settings_invalid
 */
export function prepareUsers(settings: Settings, tiers: readonly string[], sockets: SocketPaths): HostUsers | undefined {
  for (const tier of tiers) mkdirSync(join(settings.dataFolder, 'versions', tier), { recursive: true, mode: 0o700 });
  if (settings.hostUid === undefined) return undefined;
  const users = hostUsers(settings.hostUid, tiers);
  process.umask(SHARED_UMASK);
  shareFolders(users, settings.dataFolder, dirname(sockets.gateway));
  return users;
}

/**
 * Finds out what confines hosts, and says so in one line.
 *
 * @throws settings_invalid  what is required cannot be had
 */
export async function prepareSandbox(options: DetectOptions, tools: Promise<Tools>, logger: Logger): Promise<Detected> {
  const startedAt = performance.now();
  const detected = await detectSandbox(options, tools);
  const { missing, ...reached } = detected.isolation;
  const what = missing.length === 0 ? 'hosts are confined by every measure' : `hosts are confined, but for ${missing.map(({ measure }) => measure).join(', ')}`;
  logger.info({ ...reached, missing, detectMs: Math.round(performance.now() - startedAt) }, reached.mode === 'off' ? 'hosts are not confined: THIMBLE_SANDBOX=off' : what);
  return detected;
}
