// What the supervisor tells a child process at its start: the first message over the inherited IPC channel, never argv or environment.

import type { GroupKind, HostGroup } from './host-groups.ts';

/** Sockets of the node; the listener owns the file. */
export interface SocketPaths {
  readonly gateway: string;
  readonly control: string;
  readonly sidecar: string;
}

interface BootBase {
  readonly name: string;
  readonly logLevel: string;
  readonly dataFolder: string;
  readonly sockets: SocketPaths;
}

export interface GatewayBoot extends BootBase {
  readonly kind: 'gateway';
  readonly host: string;
  readonly port: number;
  readonly trustedProxies: readonly string[];
  /** Versions are started before traffic turns to them. */
  readonly preWarm: boolean;
  /** Hosts of a group that runs on demand are wanted no more when nothing has run on them for so long, milliseconds; by kind. */
  readonly idleMs: Readonly<Record<Exclude<GroupKind, 'default'>, number>>;
}

export interface HostBoot extends BootBase {
  readonly kind: 'host';
  readonly group: HostGroup;
  /** Trust tier of the functions that may run here, and its key (base64) for their sealed secrets. */
  readonly tier: string;
  readonly tierKey: string;
  /** Number of the host in its group, from 1; stays the same over restarts. */
  readonly index: number;
  /** Inherited descriptor of the in-flight journal and the heartbeat (core/protocol/journal.ts). */
  readonly journalFd: number;
  /** Resident memory at which the supervisor kills the process, bytes: it gives back what it can well before. */
  readonly memoryBytes: number;
  /** Folder of the platform snapshot that was built for this Node, V8 and runtime; null: evaluate the source. */
  readonly platformFolder: string | null;
  /** Whether version snapshots are used: the node-wide switch. */
  readonly snapshots: boolean;
}

export interface SidecarBoot extends BootBase {
  readonly kind: 'sidecar';
  readonly egressAllow: readonly string[];
  /** Memory of all functions' caches, MiB. */
  readonly cacheMb: number;
  /** The node's own ports: never reachable by fetch unless egressAllow names them. */
  readonly ownPorts: readonly number[];
}

export interface ControlBoot extends BootBase {
  readonly kind: 'control';
  readonly host: string;
  readonly port: number;
  readonly token: string;
  readonly tierKeys: Readonly<Record<string, string>>;
  readonly gatewayPort: number;
  readonly snapshots: SnapshotPrograms;
}

/** How the control plane has version snapshots made: by programs of another part, that know V8. */
export interface SnapshotPrograms {
  /** The node-wide switch; off: only code caches are made. */
  readonly enabled: boolean;
  /** Paths of the programs. */
  readonly build: string;
  readonly verify: string;
  /** Flags of Node: those of the hosts, since V8 takes back only what was made under the same. */
  readonly nodeFlags: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * What starts a program confined as the hosts of a tier are, by tier: a command line that the program's own is appended to. Empty where the node has
 * `THIMBLE_SANDBOX=off`, or the machine offers nothing.
 */
export type ConfinedPrograms = Readonly<Record<string, readonly string[]>>;

/** How the control plane starts hosts of its own, for tests at deploys: confined as those of the same tier are, and known to no gateway. */
export interface TestHosts {
  /** Whole command lines, by tier; `wasm` for functions with WebAssembly. */
  readonly tiers: Readonly<Record<string, { readonly default: readonly string[]; readonly wasm: readonly string[] }>>;
  readonly environment: Readonly<Record<string, string>>;
  readonly platformFolder: string | null;
  /** `HostBoot.memoryBytes`. */
  readonly memoryBytes: number;
}

export type Boot = GatewayBoot | HostBoot | SidecarBoot | ControlBoot;

/** What confines the hosts of this node: `auto` all that can be had, `require` the same or no start, `off` only limits. */
export type SandboxMode = 'auto' | 'off' | 'require';

/** The confinement that was reached, as a process started like a host showed it. */
export interface Isolation {
  readonly mode: SandboxMode;
  /** Node's own: files but a few, writing, child processes. */
  readonly permissionModel: boolean;
  readonly noNewPrivileges: boolean;
  /** Neither held nor to be gained. */
  readonly noCapabilities: boolean;
  /** `none`: a network namespace without an interface. */
  readonly network: 'none' | 'shared';
  /** Of hosts of the default tier, and whether it is theirs alone. */
  readonly uid: number;
  readonly ownUid: boolean;
  /** RLIMIT_DATA of a host of the default group, bytes; null: none. */
  readonly dataLimitBytes: number | null;
  /** Resident memory at which the supervisor kills such a host, bytes. */
  readonly residentLimitBytes: number;
  /** Which measures do not hold, and why. */
  readonly missing: readonly { readonly measure: string; readonly why: string }[];
}

/** Supervisor to child. */
export type ToChild =
  | { readonly type: 'boot'; readonly boot: Boot }
  /** Finish what runs, take nothing new, then exit 0; after `withinMs` the supervisor kills. */
  | { readonly type: 'drain'; readonly withinMs: number }
  /** To the gateway: a host process has died; which invocations it had entered, and which one was on its thread. */
  | { readonly type: 'host-died'; readonly host: string; readonly pid: number; readonly onThread: JournalRef | null; readonly entered: readonly JournalRef[]; readonly cause: DeathCause }
  /**
   * To the control plane: the state of every process, for health and readiness; and the folder of the platform that hosts run on, null: none could be
   * built, absent: it is not known yet; and how to start hosts for tests, once that is known.
   */
  | { readonly type: 'node-state'; readonly processes: readonly ProcessState[]; readonly isolation: Isolation | null; readonly platformFolder?: string | null; readonly testHosts?: TestHosts; readonly confined?: ConfinedPrograms };

/**
 * How a host came to its end: it `crashed` by itself; its entry was `stuck` after its isolate was disposed, its heartbeat fell `silent`, or its `memory`
 * grew too large, and the supervisor killed it; or it was killed from `outside`: by a signal of someone else's, or because the node wanted it to end.
 */
export type DeathCause = 'crashed' | 'stuck' | 'silent' | 'memory' | 'outside';

/** An invocation as the journal knows it: the gateway's epoch and its sequence number. */
export interface JournalRef {
  readonly epoch: number;
  readonly sequence: number;
}

export interface ProcessState {
  readonly name: string;
  readonly kind: Boot['kind'];
  readonly pid: number | null;
  readonly state: 'starting' | 'ready' | 'draining' | 'restarting' | 'failed';
  readonly restarts: number;
  /** It runs only while it is wanted: the node is ready without it. */
  readonly onDemand: boolean;
  /** Resident memory in bytes, 0 when unknown. */
  readonly residentBytes: number;
}

/** Child to supervisor. */
export type FromChild =
  | { readonly type: 'ready' }
  /** A child that can't start says why before it exits 1. */
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  /** From the gateway: whether hosts of this group are wanted. Said again while nothing comes of it. */
  | { readonly type: 'host-group'; readonly group: HostGroup; readonly wanted: boolean };
