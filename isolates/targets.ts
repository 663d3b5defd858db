// Targets: what the gateway may ask this host to run, their isolates, and the cold starts under way.
import type { Target } from '../core/protocol/index.ts';
import { EntryWindow } from './accounts.ts';
import type { VersionAccount } from './accounts.ts';
import type { Invocation } from './invocation.ts';
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
  loading: boolean;
  isolate: TenantIsolate | null;
  /** Invocations that wait for the isolate. */
  readonly waiting: Invocation[];
  coldStarts: number;
  /** Its function's place among others. */
  readonly flow: FunctionFlow;
  readonly account: VersionAccount;
  readonly window: EntryWindow;
}

export function newTargetState(target: Target, key: string, flow: FunctionFlow, account: VersionAccount): TargetState {
  return { target, key, names: 0, version: null, loading: false, isolate: null, waiting: [], coldStarts: 0, flow, account, window: new EntryWindow() };
}
