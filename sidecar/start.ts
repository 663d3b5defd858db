// Puts the sidecar together: its clients, the socket for hosts, the line to the control plane.
import type { SidecarBoot } from '../core/config/index.ts';
import { newEpoch } from '../core/ids/index.ts';
import type { Logger } from '../core/log/index.ts';
import type { ChildProgram } from '../core/process/index.ts';
import { CacheClient, cacheLimits } from './clients/cache/index.ts';
import { HttpClient } from './clients/http/index.ts';
import { ControlLink, SidecarServer } from './engine/index.ts';

/** Resolves when hosts may connect. */
export async function startSidecar(boot: SidecarBoot, logger: Logger): Promise<ChildProgram> {
  const self = { role: 'sidecar', name: boot.name, epoch: newEpoch() } as const;
  const clients = [new HttpClient({ egressAllow: boot.egressAllow, ownPorts: boot.ownPorts }), new CacheClient(cacheLimits(boot.cacheMb))];
  const server = await SidecarServer.listen({ path: boot.sockets.sidecar, self, clients, logger });
  const control = new ControlLink(boot.sockets.control, self, server);
  logger.debug({ clients: clients.map((client) => client.name), egressAllow: boot.egressAllow }, 'sidecar listens');
  return {
    async drain(withinMs) {
      await server.drain(withinMs);
      control.close();
    },
  };
}
