// The gateway process: wiring only.
import pino from 'pino';
import { createLogger } from '../core/log/index.ts';
import { runChild } from '../core/process/index.ts';
import { Gateway } from './gateway.ts';

/** Access lines are gathered to this many bytes, or written after this time: they are many, and none is worth a system call. */
const LOG_BYTES = 8 * 1_024;
const LOG_MS = 500;

await runChild('gateway', async (boot, logger, say) => {
  const destination = pino.destination({ fd: 1, sync: false, minLength: LOG_BYTES, periodicFlush: LOG_MS });
  const gateway = new Gateway({
    host: boot.host,
    port: boot.port,
    trustedProxies: boot.trustedProxies,
    preWarm: boot.preWarm,
    dataFolder: boot.dataFolder,
    gatewaySocket: boot.sockets.gateway,
    controlSocket: boot.sockets.control,
    logger,
    idleMs: boot.idleMs,
    onDemand: (group, wanted) => say({ type: 'host-group', group, wanted }),
    accessLogger: createLogger({ name: boot.name, level: boot.logLevel, destination }),
  });
  await gateway.start();
  return {
    async drain(withinMs) {
      await gateway.drain(withinMs);
      // Not flushSync: it repeats for ever once the reader of standard output is gone.
      await new Promise<void>((resolve) => destination.flush(() => resolve()));
    },
    onMessage(message) {
      if (message.type === 'host-died') gateway.hostDied(message);
    },
  };
});
