// What memory each host may take: a bound on what V8 does not count.
import { totalmem } from 'node:os';

const MIB = 1_048_576;
/** A host is resident with up to 140 MiB before its first isolate (measured); less than this leaves no room for functions. */
const MIN_BYTES = 768 * MIB;
const MAX_GROUP_BYTES = 4_096 * MIB;
/** RLIMIT_DATA counts what is writable, not what is resident (setrlimit(2)): thread stacks, and heap pages that were never touched. */
const UNTOUCHED_BYTES = 256 * MIB;
/** 1,500 idle isolates were resident with 1.43 MB each, and had 2.65 MB of data each: the limit must not end a host that is within its budget. */
const DATA_PER_RESIDENT = 2;

/** What a host process may take. */
export interface HostMemory {
  /** Resident memory, bytes: more, and the supervisor kills the process. */
  readonly residentBytes: number;
  /** RLIMIT_DATA, bytes: an allocation beyond it fails inside of the process, at once. */
  readonly dataBytes: number;
}

function machineBytes(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 && constrained < totalmem() ? constrained : totalmem();
}

/** Budget of one host of the default groups: three quarters of the machine's memory are shared out among all `hosts` of them. */
export function hostMemoryBytes(hosts: number, machine = machineBytes()): number {
  return Math.max(MIN_BYTES, Math.floor((machine * 3) / 4 / hosts));
}

/** Budget of one host of an on-demand group: the `hosts` of it share out half of the machine's memory, 4 GiB at the most. */
export function groupMemoryBytes(hosts: number, machine = machineBytes()): number {
  return Math.max(MIN_BYTES, Math.floor(Math.min(machine / 2, MAX_GROUP_BYTES) / hosts));
}

/**
 * Both bounds of a host with this budget, bytes.
 *
 * @param wasm  its functions may have WebAssembly, whose memories grow by gigabytes between two looks: there the limit comes close, at the price of fewer isolates
 */
export function hostMemory(budget: number, wasm: boolean): HostMemory {
  return { residentBytes: budget, dataBytes: (wasm ? budget : budget * DATA_PER_RESIDENT) + UNTOUCHED_BYTES };
}
