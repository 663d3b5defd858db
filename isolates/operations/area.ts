// An area of operations: what the host does for one group of APIs, with the state that it keeps for one isolate.
import type { HostServices } from '../host-services.ts';
import type { Invocation } from '../invocation.ts';

/** Operation codes of one area; the area is `code >>> AREA_SHIFT`, and area 0 is the isolate's own (`OP` of runtime/abi.ts). */
export const AREA_SHIFT = 5;

/** What an area may do with its isolate. */
export interface AreaIsolate {
  readonly dead: boolean;
  readonly services: HostServices;
  /** An operation of `owner` goes on beyond this entry: exactly one `resolve` or `reject` must follow, in a later turn of the loop. */
  begin(owner: Invocation): void;
  /** Settles operation `id` with up to two values (primitives; the first may be an ArrayBuffer, which is given up). */
  resolve(owner: Invocation, id: number, a: unknown, b?: unknown): void;
  /** Rejects it with a TypeError that has this `code`. */
  reject(owner: Invocation, id: number, code: string, message: string): void;
  /** CPU time that was spent for `owner` outside of an entry, microseconds. */
  charge(owner: Invocation, cpuUs: number): void;
  /** An invocation of this isolate by the id that the runtime has for it. */
  invocation(id: unknown): Invocation | undefined;
  /** `performance.now()` at which the running entry began: all the time that the tenant may see of it. */
  readonly entryStartedMs: number;
  /** `performance.now()` at which the isolate became the function's. */
  readonly madeMs: number;
}

/** One per isolate, made when its first operation is asked for. */
export interface OperationArea {
  /**
   * Called by the runtime during an entry of `owner`. Arguments are hostile: whatever fits no operation throws a TypeError. A returned
   * ArrayBuffer or Uint8Array is copied whole, so it must not be part of a larger buffer.
   */
  run(code: number, owner: Invocation, a: unknown, b: unknown, c: unknown, d: unknown, e: unknown, f: unknown): unknown;
  /** The invocation is over: what it owned goes. */
  release?(owner: Invocation): void;
  /** The isolate is gone. */
  close?(): void;
}
