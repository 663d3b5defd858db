// Settings of the node and the boot messages of its processes.
export { DEFAULT_TIER, GROUP_KINDS, TIER_NAME, groupOfHost, hostGroup, hostName, kindOfGroup, tierOfGroup } from './host-groups.ts';
export type { GroupKind, HostGroup } from './host-groups.ts';
export { environmentSchema, parseSettings } from './settings.ts';
export type { Settings } from './settings.ts';
export type { Boot, ControlBoot, FromChild, GatewayBoot, HostBoot, JournalRef, ProcessState, SidecarBoot, SnapshotPrograms, SocketPaths, ToChild } from './boot.ts';
