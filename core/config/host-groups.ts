// Groups of hosts: one of each kind for every trust tier. The name of a host says which it belongs to.

/** Trust tier of functions that name none. */
export const DEFAULT_TIER = 'default';

export const TIER_NAME = /^[a-z](?:[a-z0-9]{0,30})$/;

/**
 * `default` always runs. The others run on demand: `slow` for functions whose entries are long, `wasm` for those with `limits.wasm`, whose memory
 * V8's limit does not count, `penalty` for those that have killed a host, `shadow` for versions that repeat requests of
 * others (gateway/shadow): what they do to their process hurts nobody who is waited for.
 */
export const GROUP_KINDS = ['default', 'slow', 'wasm', 'penalty', 'shadow'] as const;

export type GroupKind = (typeof GROUP_KINDS)[number];

/** Identifier of a group: its kind for the default tier, else `TIER.KIND`. */
export type HostGroup = string;

const PREFIX = { default: 'host', slow: 'slow', wasm: 'wasm', penalty: 'penalty', shadow: 'shadow' } as const satisfies Record<GroupKind, string>;

export function hostGroup(tier: string, kind: GroupKind): HostGroup {
  return tier === DEFAULT_TIER ? kind : `${tier}.${kind}`;
}

export function kindOfGroup(group: HostGroup): GroupKind {
  return group.slice(group.indexOf('.') + 1) as GroupKind;
}

export function tierOfGroup(group: HostGroup): string {
  const dot = group.indexOf('.');
  return dot < 0 ? DEFAULT_TIER : group.slice(0, dot);
}

/** @param index  number in the group, from 1 */
export function hostName(group: HostGroup, index: number): string {
  const tier = tierOfGroup(group);
  return `${tier === DEFAULT_TIER ? '' : `${tier}.`}${PREFIX[kindOfGroup(group)]}-${index}`;
}

/** A name that is none of ours counts as one of the default group of its tier. */
export function groupOfHost(name: string): HostGroup {
  const dot = name.indexOf('.');
  const prefix = name.slice(dot + 1, name.lastIndexOf('-'));
  const kind = GROUP_KINDS.find((one) => PREFIX[one] === prefix) ?? 'default';
  return hostGroup(dot < 0 ? DEFAULT_TIER : name.slice(0, dot), kind);
}

/** What figures and people call a group: its kind, but `fast` for the default one. */
export const LANES = ['fast', 'slow', 'wasm', 'penalty', 'shadow'] as const;
export type LaneName = (typeof LANES)[number];

export function laneOfGroup(group: HostGroup): LaneName {
  const kind = kindOfGroup(group);
  return kind === 'default' ? 'fast' : kind;
}
