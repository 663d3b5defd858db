// Entry of a host process.
import { runChild } from '../core/process/index.ts';
import type { HostBoot } from '../core/config/index.ts';
import type { Logger } from '../core/log/index.ts';
import { Host } from './host.ts';
import { makePlatform, platformKeyOf, readPlatform } from './platform/load.ts';
import type { Platform } from './platform/load.ts';
import { externalBytes } from './vm.ts';

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
    return { drain: (withinMs) => host.drain(withinMs) };
  },
  // process.exit with live isolates may crash; by then everything has been sent.
  { exit: () => process.kill(process.pid, 'SIGKILL'), titleBefore: 'thimble standby' },
);
