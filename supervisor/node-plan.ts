// Which processes a node has, and what each is told at its start.
import { fileURLToPath } from 'node:url';
import type { Boot, Settings, SocketPaths, ToChild } from '../core/config/index.ts';
import { deriveTierKey } from '../core/crypto/index.ts';
import { childEnvironment } from './child-environment.ts';
import { JOURNAL_FD } from './child-life.ts';
import type { Command } from './child-life.ts';
import type { ProcessPlan } from './supervised-process.ts';

/** Trust tiers of this node. Each has its own key and its own hosts. */
const TIERS = ['default'] as const;

/** `.ts` in a checkout, `.js` in the packed build: the same as this module's own. */
const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf('.'));

const QUIET = '--disable-warning=ExperimentalWarning';

/** libuv looks names up on half of its pool: with the default of four threads, two slow names of one tenant would hold up everybody's. */
const NAME_LOOKUPS = { UV_THREADPOOL_SIZE: '16' };

/** isolated-vm must not share Node's own startup snapshot (its README, Node 20 and later). */
export const ISOLATE_FLAGS = ['--no-node-snapshot', QUIET] as const;

/** Path of a program of the node, from the root of checkout or build, without its extension. */
export function programPath(path: string): string {
  return fileURLToPath(new URL(`../${path}${EXTENSION}`, import.meta.url));
}

export interface NodeFacts {
  readonly settings: Settings;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly sockets: SocketPaths;
  readonly runFolder: string;
  readonly token: string;
  readonly nodeKey: string;
  /** `host:port` that the node itself opens to functions: the upstreams of the examples. */
  readonly exampleEgress: readonly string[];
}

/** A plan with the kind that health reports; hosts are in the order of their index. */
export interface NodePlan {
  readonly control: ProcessPlan;
  readonly sidecar: ProcessPlan;
  readonly gateway: ProcessPlan;
  /** @param platformFolder  null: hosts evaluate the runtime's source */
  hosts(platformFolder: string | null): readonly ProcessPlan[];
}

export function planNode(facts: NodeFacts): NodePlan {
  const { settings, sockets } = facts;
  const environment = childEnvironment(facts.environment);
  const tierKeys = Object.fromEntries(TIERS.map((tier) => [tier, deriveTierKey(facts.nodeKey, tier).toString('base64')]));
  const base = (name: string): { name: string; logLevel: string; dataFolder: string; sockets: SocketPaths } => ({ name, logLevel: settings.logLevel, dataFolder: settings.dataFolder, sockets });
  const command = (part: string, nodeFlags: readonly string[] = [QUIET], more: Readonly<Record<string, string>> = {}): Command => ({
    nodeFlags, entry: programPath(`${part}/main`), args: [], environment: { ...environment, ...more },
  });
  const plan = (boot: Boot, from: Command): ProcessPlan => ({ name: boot.name, command: from, bootMessage: (): ToChild => ({ type: 'boot', boot }) });
  return {
    control: plan({ ...base('control'), kind: 'control', host: settings.host, port: settings.controlPort, token: facts.token, tierKeys, gatewayPort: settings.port }, command('control')),
    sidecar: plan({ ...base('sidecar'), kind: 'sidecar', egressAllow: [...settings.egressAllow, ...facts.exampleEgress], ownPorts: [settings.port, settings.controlPort] }, command('sidecar', [QUIET], NAME_LOOKUPS)),
    gateway: plan({ ...base('gateway'), kind: 'gateway', host: settings.host, port: settings.port, trustedProxies: settings.trustedProxies }, command('gateway')),
    hosts: (platformFolder) =>
      TIERS.flatMap((tier) =>
        Array.from({ length: settings.hosts }, (_, at): ProcessPlan => {
          const boot: Boot = { ...base(`host-${at + 1}`), kind: 'host', tier, tierKey: tierKeys[tier] ?? '', index: at + 1, journalFd: JOURNAL_FD, platformFolder };
          return { ...plan(boot, command('isolates', ISOLATE_FLAGS)), journalFolder: facts.runFolder };
        }),
      ),
  };
}
