// Settings of the node and the boot messages of its processes.
export { HOST_GROUPS, groupOfHost, hostName } from './host-groups.ts';
export type { HostGroup } from './host-groups.ts';
export { environmentSchema, parseSettings } from './settings.ts';
export type { Settings } from './settings.ts';
export type { Boot, ControlBoot, FromChild, GatewayBoot, HostBoot, JournalRef, ProcessState, SidecarBoot, SocketPaths, ToChild } from './boot.ts';
