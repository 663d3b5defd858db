// Which processes a node has, and what each is told at its start.
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFAULT_TIER, GROUP_KINDS, hostGroup, hostName } from '../core/config/index.ts';
import type { Boot, GroupKind, HostGroup, Settings, SnapshotPrograms, SocketPaths, ToChild } from '../core/config/index.ts';
import { deriveTierKey } from '../core/crypto/index.ts';
import { versionFolder } from '../core/versions/index.ts';
import { childEnvironment, hostEnvironment } from './child-environment.ts';
import { JOURNAL_FD } from './child-life.ts';
import type { Command } from './child-life.ts';
import { groupMemoryBytes, hostMemory, hostMemoryBytes } from './memory-limit.ts';
import type { HostMemory } from './memory-limit.ts';
import type { Readable } from './sandbox/permission-flags.ts';
import type { Sandbox } from './sandbox/sandbox.ts';
import type { ProcessPlan } from './supervised-process.ts';

/** Hosts of a group `penalty` end when nothing has run on them for so long, milliseconds. */
const PENALTY_IDLE_MS = 60_000;
/** ... and of a group `shadow`. */
const SHADOW_IDLE_MS = 60_000;

/** `.ts` in a checkout, `.js` in the packed build: the same as this module's own. */
const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf('.'));

const QUIET = '--disable-warning=ExperimentalWarning';

/** libuv looks names up on half of its pool: with the default of four threads, two slow names of one tenant would hold up everybody's. */
const NAME_LOOKUPS = { UV_THREADPOOL_SIZE: '16' };

/** isolated-vm must not share Node's own startup snapshot (its README, Node 20 and later). */
export const ISOLATE_FLAGS = ['--no-node-snapshot', QUIET] as const;

/**
 * What bounds WebAssembly in V8, for hosts of its group: one memory has 1,024 pages (64 MiB), one table 131,072 entries, one module 8 MiB, all
 * machine code of the process 512 MiB. Memories of 64-bit addresses are off. Only the baseline compiler runs: the optimizing one works on
 * threads that nobody is charged for, and takes minutes for one function of a few megabytes (measured).
 */
export const WASM_FLAGS = [
  '--wasm-max-mem-pages=1024', '--wasm-max-table-size=131072', '--wasm-max-module-size=8388608', '--wasm-max-committed-code-mb=512', '--wasm-num-compilation-tasks=1', '--liftoff-only',
  '--no-experimental-wasm-memory64',
] as const;

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
  /** The default one first. */
  readonly tiers: readonly string[];
  /** Of each host of a default group. */
  readonly hostMemory: HostMemory;
  /** Hosts of the default groups, by tier. Those of one tier have the same command. */
  hosts(ground: HostGround): ReadonlyMap<string, readonly ProcessPlan[]>;
  /** The groups that run on demand, and the hosts of each. Those of kind `slow` have the command of their tier's default hosts. */
  onDemandHosts(ground: HostGround): ReadonlyMap<HostGroup, readonly ProcessPlan[]>;
}

/** What hosts stand on; known when the node has looked around. */
export interface HostGround {
  /** null: hosts evaluate the runtime's source. */
  readonly platformFolder: string | null;
  readonly sandbox: Sandbox;
}

/** Penalty and shadow hosts take functions of any kind. */
function hasWasm(kind: GroupKind): boolean {
  return kind !== 'default' && kind !== 'slow';
}

/** What a host of this tier reads; null without a platform snapshot. */
export function hostReads(dataFolder: string, tier: string, platformFolder: string | null): Readable | null {
  return platformFolder === null ? null : { entry: programPath('isolates/main'), platformFolder, versionsFolder: dirname(versionFolder(dataFolder, tier, 'x')) };
}

export function planNode(facts: NodeFacts): NodePlan {
  const { settings, sockets } = facts;
  const environment = childEnvironment(facts.environment);
  const tiers = { [DEFAULT_TIER]: settings.hosts, ...settings.tiers };
  // Each tier has its own key and its own hosts.
  const tierKeys = Object.fromEntries(Object.keys(tiers).map((tier) => [tier, deriveTierKey(facts.nodeKey, tier).toString('base64')]));
  const base = (name: string): { name: string; logLevel: string; dataFolder: string; sockets: SocketPaths } => ({ name, logLevel: settings.logLevel, dataFolder: settings.dataFolder, sockets });
  const command = (part: string, nodeFlags: readonly string[] = [QUIET], more: Readonly<Record<string, string>> = {}): Command => ({
    nodeFlags, entry: programPath(`${part}/main`), args: [], environment: { ...environment, ...more },
  });
  const plan = (boot: Boot, from: Command): ProcessPlan => ({ name: boot.name, command: from, bootMessage: (): ToChild => ({ type: 'boot', boot }) });
  const counts = { default: Object.values(tiers).reduce((sum, count) => sum + count, 0), slow: settings.slowHosts, wasm: settings.wasmHosts, penalty: 1, shadow: 1 } as const satisfies Record<GroupKind, number>;
  const given = settings.hostMemoryMb === undefined ? undefined : settings.hostMemoryMb * 1_048_576;
  const ofDefault = given ?? hostMemoryBytes(counts.default);
  const budgets = {
    // A slow host is like a default one in all but its name: a standby can become one.
    default: ofDefault, slow: ofDefault, wasm: given ?? groupMemoryBytes(counts.wasm), penalty: given ?? groupMemoryBytes(1), shadow: given ?? groupMemoryBytes(1),
  } as const satisfies Record<GroupKind, number>;
  const hosts = (tier: string, kind: GroupKind, count: number, { platformFolder, sandbox }: HostGround, flags: readonly string[]): ProcessPlan[] => {
    const group = hostGroup(tier, kind);
    const memoryBytes = budgets[kind];
    const { residentBytes, dataBytes } = hostMemory(memoryBytes, hasWasm(kind));
    const { prefix, nodeFlags } = sandbox.confine(tier, dataBytes, hostReads(settings.dataFolder, tier, platformFolder));
    return Array.from({ length: count }, (_, at): ProcessPlan => {
      const boot: Boot = { ...base(hostName(group, at + 1)), kind: 'host', group, tier, tierKey: tierKeys[tier] ?? '', index: at + 1, journalFd: JOURNAL_FD, memoryBytes, platformFolder, snapshots: settings.snapshots };
      return { ...plan(boot, { ...command('isolates', [...flags, ...nodeFlags]), environment: hostEnvironment(facts.environment), prefix }), journalFolder: facts.runFolder, residentBytes };
    });
  };
  const snapshotPrograms: SnapshotPrograms = {
    enabled: settings.snapshots, build: programPath('isolates/snapshots/build'), verify: programPath('isolates/snapshots/verify'), nodeFlags: ISOLATE_FLAGS, environment,
  };
  return {
    tiers: Object.keys(tiers),
    hostMemory: hostMemory(budgets.default, false),
    control: plan({ ...base('control'), kind: 'control', host: settings.host, port: settings.controlPort, token: facts.token, tierKeys, gatewayPort: settings.port, snapshots: snapshotPrograms }, command('control')),
    sidecar: plan({ ...base('sidecar'), kind: 'sidecar', cacheMb: settings.cacheMb, egressAllow: [...settings.egressAllow, ...facts.exampleEgress], ownPorts: [settings.port, settings.controlPort] }, command('sidecar', [QUIET], NAME_LOOKUPS)),
    gateway: plan({ ...base('gateway'), kind: 'gateway', host: settings.host, port: settings.port, trustedProxies: settings.trustedProxies, preWarm: settings.preWarm, idleMs: { slow: settings.slowIdleMs, penalty: PENALTY_IDLE_MS, shadow: SHADOW_IDLE_MS, wasm: settings.wasmIdleMs } }, command('gateway')),
    hosts: (ground) => new Map(Object.entries(tiers).map(([tier, count]) => [tier, hosts(tier, 'default', count, ground, ISOLATE_FLAGS)])),
    onDemandHosts: (ground) => {
      const groups = new Map<HostGroup, readonly ProcessPlan[]>();
      for (const tier of Object.keys(tiers)) {
        for (const kind of GROUP_KINDS) {
          if (kind === 'default') continue;
          const flags = hasWasm(kind) ? [...ISOLATE_FLAGS, ...WASM_FLAGS] : ISOLATE_FLAGS;
          groups.set(hostGroup(tier, kind), hosts(tier, kind, counts[kind], ground, flags).map((host) => ({ ...host, onDemand: true })));
        }
      }
      return groups;
    },
  };
}
