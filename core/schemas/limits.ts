// Limits of a function: names, units, ranges and defaults.
import { z } from 'zod';

const int = (min: number, max: number): z.ZodInt => z.int().min(min).max(max);

const DAY_MS = 86_400_000;
const MIB = 1_048_576;

/** Every limit has a default, so `{}` parses to the complete set. Units end the names. */
export const limitsSchema = z.strictObject({
  /** CPU time of one invocation over all its entries, milliseconds. */
  cpuMs: int(1, 300_000).default(50),
  /** From accept to response head, milliseconds. */
  wallMs: int(1, 300_000).default(10_000),
  /** After the head: longest silence of the response body, milliseconds. */
  idleMs: int(1, DAY_MS).default(30_000),
  /** After the head: longest whole response body, milliseconds. */
  streamMs: int(1, DAY_MS).default(300_000),
  /** Heap and buffers of one isolate, MB. */
  memoryMb: int(8, 1_024).default(64),
  /** Invocations at once per node. */
  concurrency: int(1, 10_000).default(100),
  /** Requests per second per node; 0: no limit. */
  rps: int(0, 1_000_000).default(0),
  /** Request body, bytes. */
  bodyBytes: int(0, 1_024 * MIB).default(10 * MIB),
  /** Outgoing calls of one invocation in all; six of them at once. */
  subrequests: int(0, 10_000).default(50),
  /** WebAssembly, on a host group of its own. */
  wasm: z.boolean().default(false),
});

export type Limits = z.infer<typeof limitsSchema>;

/** Outgoing calls of one invocation at the same time; more wait. */
export const SUBREQUESTS_AT_ONCE = 6;
