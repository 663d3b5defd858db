// Groups of hosts: each runs another kind of function, and the name of a host says which.

export const HOST_GROUPS = ['default', 'wasm'] as const;

/** `wasm`: functions with `limits.wasm`, whose memory V8's limit does not count. Started when one is called, ended when none has been for a while. */
export type HostGroup = (typeof HOST_GROUPS)[number];

const PREFIX = { default: 'host-', wasm: 'wasm-' } as const satisfies Record<HostGroup, string>;

/** @param index  number in the group, from 1 */
export function hostName(group: HostGroup, index: number): string {
  return `${PREFIX[group]}${index}`;
}

export function groupOfHost(name: string): HostGroup {
  return name.startsWith(PREFIX.wasm) ? 'wasm' : 'default';
}
