// How the control plane starts what runs a tenant's code beside the node's hosts: hosts for tests, and programs that make snapshots, confined as hosts are.
import type { ConfinedPrograms, Settings, TestHosts } from '../core/config/index.ts';
import { hostEnvironment } from './child-environment.ts';
import { ISOLATE_FLAGS, WASM_FLAGS, hostReads, programPath } from './node-plan.ts';
import type { HostGround } from './node-plan.ts';

const MIB = 1_048_576;
/** An isolate of the largest `limits.memoryMb`, and what a host takes before its first one. */
const MEMORY_BYTES = 1_280 * MIB;
/** Mappings of V8's that are writable, and never touched. */
const UNTOUCHED_BYTES = 512 * MIB;
/** RLIMIT_CPU, seconds: behind the bounds of the gate itself, should a host hang in native code. */
const CPU_SECONDS = 150;

/** RLIMIT_DATA of a program that makes a snapshot: what a loaded Node takes, and a heap of a few hundred megabytes. */
const PROGRAM_BYTES = 1_024 * MIB;

export function planPrograms(settings: Settings, tiers: readonly string[], { platformFolder, sandbox }: HostGround): ConfinedPrograms {
  return Object.fromEntries(tiers.map((tier) => [tier, sandbox.confine(tier, PROGRAM_BYTES, hostReads(settings.dataFolder, tier, platformFolder)).prefix]));
}

export function planTestHosts(settings: Settings, environment: Readonly<Record<string, string | undefined>>, tiers: readonly string[], { platformFolder, sandbox }: HostGround): TestHosts {
  const { limits } = sandbox.measures;
  const cpu = limits === undefined ? [] : [...limits, `--cpu=${CPU_SECONDS}:${CPU_SECONDS + 5}`, '--'];
  const command = (tier: string, flags: readonly string[]): readonly string[] => {
    const { prefix, nodeFlags } = sandbox.confine(tier, MEMORY_BYTES + UNTOUCHED_BYTES, hostReads(settings.dataFolder, tier, platformFolder));
    return [...prefix, ...cpu, process.execPath, ...flags, ...nodeFlags, programPath('isolates/main')];
  };
  return {
    tiers: Object.fromEntries(tiers.map((tier) => [tier, { default: command(tier, ISOLATE_FLAGS), wasm: command(tier, [...ISOLATE_FLAGS, ...WASM_FLAGS]) }])),
    environment: hostEnvironment(environment), platformFolder, memoryBytes: MEMORY_BYTES,
  };
}
