// The gateway's public face: what an embedding application and tests start.
export { Gateway } from './gateway.ts';
export type { GatewayOptions } from './gateway.ts';
export type { HostDied } from './lost-hosts.ts';
