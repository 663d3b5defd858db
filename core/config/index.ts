// Settings of the node and the boot messages of its processes.
export { DEFAULT_TIER, GROUP_KINDS, LANES, TIER_NAME, groupOfHost, hostGroup, hostName, kindOfGroup, laneOfGroup, tierOfGroup } from './host-groups.ts';
export type { GroupKind, HostGroup, LaneName } from './host-groups.ts';
export { environmentSchema, parseSettings } from './settings.ts';
export type { Settings } from './settings.ts';
export type { Boot, ControlBoot, DeathCause, FromChild, GatewayBoot, HostBoot, Isolation, JournalRef, ProcessState, SandboxMode, SidecarBoot, SnapshotPrograms, SocketPaths, ConfinedPrograms, TestHosts, ToChild } from './boot.ts';
