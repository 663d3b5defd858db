// Entry of a host process.
import { setPriority } from 'node:os';
import { kindOfGroup } from '../core/config/index.ts';
import { runChild } from '../core/process/index.ts';
import type { HostBoot } from '../core/config/index.ts';
import type { Logger } from '../core/log/index.ts';
import { Host } from './host.ts';
import { makePlatform, platformKeyOf, readPlatform } from './platform/load.ts';
import type { Platform } from './platform/load.ts';
import { externalBytes } from './vm.ts';

/**
 * Niceness of the thread that runs shadows (sched(7)): a tenth of what another thread gets, where cores are short. Linux keeps it per thread, so the meter
 * and the watchdog, which are there by then, stay as prompt as on any host.
 */
const SHADOW_NICE = 10;

async function platformOf(boot: HostBoot, logger: Logger): Promise<Platform> {
  const files = boot.platformFolder === null ? undefined : readPlatform(boot.platformFolder);
  if (files !== undefined && boot.platformFolder !== null) return makePlatform(files, externalBytes, platformKeyOf(boot.platformFolder));
  // Slower starts, but the node serves: the runtime is bundled here and evaluated in each isolate.
  logger.warn({ folder: boot.platformFolder }, 'no sound platform snapshot: isolates evaluate the source');
  const { bundlePlatform } = await import('./platform/build.ts');
  return makePlatform(await bundlePlatform(), externalBytes);
}

await runChild(
  'host',
  async (boot, logger) => {
    const host = await Host.start(boot, logger, await platformOf(boot, logger));
    if (kindOfGroup(boot.group) === 'shadow') setPriority(SHADOW_NICE);
    return { drain: (withinMs) => host.drain(withinMs) };
  },
  // process.exit with live isolates may crash; by then everything has been sent.
  { exit: () => process.kill(process.pid, 'SIGKILL'), titleBefore: 'thimble standby' },
);
