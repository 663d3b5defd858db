// Targets: what the gateway may ask this host to run, their isolates, and the cold starts under way.
import type { Target } from '../core/protocol/index.ts';
import { EntryWindow } from './accounts.ts';
import type { VersionAccount } from './accounts.ts';
import type { Invocation } from './invocation.ts';
import type { RetireReason } from './life/isolate-life.ts';
import type { FunctionFlow } from './run-queue.ts';
import type { TenantIsolate } from './tenant-isolate.ts';
import type { LoadedVersion } from './version-files.ts';

/** One function version under one set of settings. Its isolate comes and goes. */
export interface TargetState {
  readonly target: Target;
  /** Equal for equal targets: isolates outlive a reconnect of the gateway, whose numbers start anew. */
  readonly key: string;
  /** Numbers by which gateways name it now. */
  names: number;
  version: LoadedVersion | null;
  /** Where its start is: not asked for, with its files being read or in the line behind others, or in the line that callers wait in. */
  start: 'none' | 'background' | 'urgent';
  /** Takes new invocations. Retired ones of the same version may still drain. */
  isolate: TenantIsolate | null;
  /** Why the present isolate is to be replaced, if it is. */
  replace: RetireReason | null;
  /** Invocations that wait for the isolate. */
  readonly waiting: Invocation[];
  /** Gateways' wishes to keep an isolate alive. */
  holds: number;
  /** To be told when there is an isolate, or when there will be none. */
  readonly onStart: ((alive: boolean) => void)[];
  /** Starts that failed in a row although no caller waited, and `performance.now()` before which none is tried again. */
  failedStarts: number;
  notBeforeMs: number;
  coldStarts: number;
  /** Isolates whose place another took, by reason, and those of them that still run something. */
  retired: Record<string, number>;
  retiring: number;
  /** `performance.now()` until which it counts as one that leaks (life/soft-limit.ts). */
  leaksUntilMs: number;
  /** Its function's place among others. */
  readonly flow: FunctionFlow;
  readonly account: VersionAccount;
  readonly window: EntryWindow;
}

export function newTargetState(target: Target, key: string, flow: FunctionFlow, account: VersionAccount): TargetState {
  return {
    target, key, names: 0, version: null, start: 'none', isolate: null, replace: null, waiting: [], holds: 0, onStart: [], failedStarts: 0, notBeforeMs: 0, coldStarts: 0, retired: {}, retiring: 0, leaksUntilMs: 0,
    flow, account, window: new EntryWindow(),
  };
}
