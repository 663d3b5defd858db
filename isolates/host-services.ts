// What the isolates of one host share.
import type { Logger } from '../core/log/index.ts';
import type { Accounts } from './accounts.ts';
import type { Invocation } from './invocation.ts';
import type { IsolateLife } from './life/isolate-life.ts';
import type { LogSink } from './log-sink.ts';
import type { RunQueue } from './run-queue.ts';
import type { SidecarClient } from './sidecar-client.ts';
import type { StackMapper } from './stacks/stack-mapper.ts';
import type { SnapshotShelf } from './snapshots/shelf.ts';
import type { SpareVms } from './spare-vms.ts';
import type { EndReason, TenantIsolate } from './tenant-isolate.ts';
import type { Turns } from './turns.ts';
import type { EntryWatch } from './watch/entry-watch.ts';

export interface HostServices {
  readonly spares: SpareVms;
  readonly shelf: SnapshotShelf;
  readonly watch: EntryWatch;
  readonly life: IsolateLife;
  readonly turns: Turns;
  readonly queue: RunQueue;
  readonly accounts: Accounts;
  readonly logs: LogSink;
  readonly stacks: StackMapper;
  readonly sidecar: SidecarClient;
  readonly logger: Logger;
  /** How long work may go on after the response, or after the client went away, milliseconds. */
  readonly lingerMs: number;
  /** The invocation's final frame has been sent. */
  ended(invocation: Invocation): void;
  /** Fails an invocation that never got into an isolate. */
  refuse(invocation: Invocation, code: string, params: Readonly<Record<string, unknown>> | null): void;
  /** The isolate takes nothing any more; `culprit` is the invocation that was on the thread, if any. */
  isolateEnded(isolate: TenantIsolate, reason: EndReason, culprit: Invocation | null): void;
}
