// Keeps the route table equal to the control plane's: subscribes, applies, acknowledges, and asks anew after a gap.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import type { PlatformError } from '../core/errors/index.ts';
import type { Logger } from '../core/log/index.ts';
import { FRAME, ReconnectingPeer } from '../core/protocol/index.ts';
import type { Frame, FrameConnection, Identity } from '../core/protocol/index.ts';
import { routeDeltaSchema, routeFunctionSchema } from '../core/routing/index.ts';
import type { RouteDelta, RouteFunction } from '../core/routing/index.ts';
import type { RouteTable } from './route-table.ts';

export interface RouteFeedOptions {
  readonly socketPath: string;
  readonly self: Identity;
  readonly table: RouteTable;
  readonly logger: Logger;
  /** Before a change is applied: what is waited for, if anything. Must resolve. */
  readonly beforeDelta: (delta: RouteDelta) => Promise<void> | undefined;
  /** After every change of the table; undefined: all of it. */
  readonly onApplied: (delta: RouteDelta | undefined) => void;
}

/** Functions checked per loop turn. */
const PER_TURN = 50;

const tableHeadSchema = z.object({ epoch: z.number(), revision: z.number(), functions: z.array(z.unknown()) });

export class RouteFeed {
  readonly #options: RouteFeedOptions;
  readonly #peer: ReconnectingPeer;
  /** A `subscribe` from nothing is under way: deltas before its table mean nothing. */
  #awaitsTable = false;
  /** Changes that came while a table was being read, or a change was waiting, in order; undefined when neither is. */
  #behind: unknown[] | undefined;
  /** How many of them an operator's switch is in: those do not wait for versions to get warm, nor does what stands before them. */
  #urgent = 0;
  #endWait: () => void = () => {};
  /** Grows with each table that begins to be read, and each change that begins to wait: an older one stops. */
  #reading = 0;

  constructor(options: RouteFeedOptions) {
    this.#options = options;
    this.#peer = new ReconnectingPeer(
      options.socketPath,
      { self: options.self, accepts: ['control'] },
      {
        onOpen: (connection) => this.#subscribe(connection, options.table.epoch, options.table.revision),
        onFrame: (frame, connection) => this.#onFrame(frame, connection),
        onClose: (_connection, error) => this.#onClose(error),
      },
    );
  }

  /** Undefined while the control plane is away. */
  get connection(): FrameConnection | undefined {
    return this.#peer.connection;
  }

  close(): void {
    this.#peer.close();
  }

  #subscribe(connection: FrameConnection, epoch: number, revision: number): void {
    this.#awaitsTable = epoch === 0;
    this.#behind = undefined;
    this.#urgent = 0;
    this.#reading += 1;
    connection.send([FRAME.subscribe, 0, epoch, revision]);
  }

  #onFrame(frame: Frame, connection: FrameConnection): void {
    switch (frame[0]) {
      case FRAME.table:
        void this.#takeTable(frame[2], connection);
        return;
      case FRAME.delta:
        this.#onDelta(frame[2], connection);
        return;
      default:
        return;
    }
  }

  /** Reads a whole table in slices, beside requests: checking 10,000 functions at once would stop them for most of a second. */
  async #takeTable(data: unknown, connection: FrameConnection): Promise<void> {
    const reading = (this.#reading += 1);
    this.#behind = [];
    this.#urgent = 0;
    const head = tableHeadSchema.safeParse(data);
    let error: z.ZodError | undefined = head.error;
    const functions: RouteFunction[] = [];
    for (const [i, entry] of (head.data?.functions ?? []).entries()) {
      if (i % PER_TURN === PER_TURN - 1) await nextTurn();
      if (reading !== this.#reading) return;
      const parsed = routeFunctionSchema.safeParse(entry);
      if (parsed.success) functions.push(parsed.data);
      else error ??= parsed.error;
    }
    const behind = this.#behind;
    this.#behind = undefined;
    if (head.data === undefined || error !== undefined) {
      // The table that serves stays: it is better than none. Asking again would bring the same.
      this.#refused('table', error);
      return;
    }
    this.#awaitsTable = false;
    this.#options.table.replace({ epoch: head.data.epoch, revision: head.data.revision, functions });
    this.#acknowledge(connection, head.data.revision, undefined);
    this.#takeBehind(behind, connection);
  }

  /** In the order in which they came. */
  #onDelta(data: unknown, connection: FrameConnection): void {
    if (this.#behind !== undefined) {
      this.#behind.push(data);
      if (!isSwitch(data)) return;
      this.#urgent += 1;
      this.#endWait();
    } else if (!this.#awaitsTable) {
      this.#takeDelta(data, connection);
    }
  }

  #takeBehind(behind: readonly unknown[], connection: FrameConnection): void {
    for (const data of behind) {
      if (isSwitch(data) && this.#urgent > 0) this.#urgent -= 1;
      this.#onDelta(data, connection);
    }
  }

  #takeDelta(data: unknown, connection: FrameConnection): void {
    const parsed = routeDeltaSchema.safeParse(data);
    if (!parsed.success) {
      this.#refused('delta', parsed.error);
      this.#subscribe(connection, 0, 0);
      return;
    }
    const { table, beforeDelta } = this.#options;
    const ready = this.#urgent === 0 && table.follows(parsed.data) ? beforeDelta(parsed.data) : undefined;
    if (ready === undefined) this.#apply(parsed.data, connection);
    else void this.#applyWhen(ready, parsed.data, connection);
  }

  async #applyWhen(ready: Promise<void>, delta: RouteDelta, connection: FrameConnection): Promise<void> {
    const reading = (this.#reading += 1);
    const behind = (this.#behind = []);
    await Promise.race([ready, new Promise<void>((resolve) => { this.#endWait = resolve; })]);
    if (reading !== this.#reading) return;
    this.#behind = undefined;
    this.#apply(delta, connection);
    this.#takeBehind(behind, connection);
  }

  #apply(delta: RouteDelta, connection: FrameConnection): void {
    const { table } = this.#options;
    if (table.apply(delta)) this.#acknowledge(connection, delta.revision, delta);
    // Known already: sent before our `subscribe` was read.
    else if (delta.epoch === table.epoch && delta.revision <= table.revision) connection.send([FRAME.applied, 0, table.revision]);
    else this.#subscribe(connection, 0, 0);
  }

  #refused(what: 'table' | 'delta', error: z.ZodError | undefined): void {
    this.#options.logger.error({ code: 'protocol_violation', issues: error?.issues.slice(0, 5) }, `a route ${what} was refused`);
  }

  #acknowledge(connection: FrameConnection, revision: number, delta: RouteDelta | undefined): void {
    connection.send([FRAME.applied, 0, revision]);
    this.#options.onApplied(delta);
  }

  #onClose(error: PlatformError | undefined): void {
    this.#options.logger.warn({ code: error?.code ?? 'unavailable', err: error }, 'the control plane is away; the last route table goes on serving');
  }
}

/** Whether an operator's switch is in the change: a function that is killed or forced. Looked at before the change is checked. */
function isSwitch(delta: unknown): boolean {
  const { upsert } = (delta ?? {}) as { readonly upsert?: unknown };
  return Array.isArray(upsert) && upsert.some((fn: RouteFunction | null | undefined) => fn?.killed === true || fn?.forced !== undefined);
}
