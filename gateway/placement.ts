// Which group of hosts an invocation runs in: the one place that decides it.
import { hostGroup } from '../core/config/index.ts';
import type { GroupKind, HostGroup } from '../core/config/index.ts';
import type { Exchange } from './exchange.ts';
import type { FunctionGate } from './function-gate.ts';
import type { VersionPlace } from './version-place.ts';

/** The groups of one trust tier. */
export type TierGroups = Readonly<Record<GroupKind, HostGroup>>;

const groupsOf = new Map<string, TierGroups>();

/** The same object for the same tier: nothing is put together per request. */
export function tierGroups(tier: string): TierGroups {
  let groups = groupsOf.get(tier);
  if (groups === undefined) {
    groups = { default: hostGroup(tier, 'default'), slow: hostGroup(tier, 'slow'), wasm: hostGroup(tier, 'wasm'), penalty: hostGroup(tier, 'penalty'), shadow: hostGroup(tier, 'shadow') };
    groupsOf.set(tier, groups);
  }
  return groups;
}

const shadowGroupsOf = new Map<string, TierGroups>();

/** For what repeats requests: every way leads to the hosts of shadows. */
export function shadowGroups(tier: string): TierGroups {
  let groups = shadowGroupsOf.get(tier);
  if (groups === undefined) {
    const { shadow } = tierGroups(tier);
    groups = { default: shadow, slow: shadow, wasm: shadow, penalty: shadow, shadow };
    shadowGroupsOf.set(tier, groups);
  }
  return groups;
}

/** What is known of the groups that run on demand. */
export interface GroupState {
  /** Hosts of the group that take invocations. */
  openIn(group: HostGroup): number;
  /** A host of the group is wanted, though nobody waits for it. */
  wish(group: HostGroup): void;
}

/**
 * A function that has killed a host runs on penalty hosts, which take functions of any kind. WebAssembly needs hosts that are bounded for it, whatever
 * else is known of the function. A version whose entries are long runs on the slow lane, but never waits for it: until a host is there it runs where it ran before.
 */
export function groupFor(exchange: Exchange, state: GroupState): HostGroup {
  const { frame, groups, place } = exchange.target;
  const group = presentGroup(groups, frame.wasm, exchange.route.gate, place, state);
  if (place.lane.slow && group === groups.default) state.wish(groups.slow);
  return group;
}

/**
 * The same, with nothing wished for.
 *
 * @param gate  undefined: of a function that nobody has called; `place` is the same of a version
 */
export function presentGroup(groups: TierGroups, wasm: boolean, gate: FunctionGate | undefined, place: VersionPlace | undefined, state: Pick<GroupState, 'openIn'>): HostGroup {
  if (gate?.standing?.penalised === true) return groups.penalty;
  if (wasm) return groups.wasm;
  return place?.lane.slow === true && state.openIn(groups.slow) > 0 ? groups.slow : groups.default;
}
