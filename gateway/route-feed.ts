// Keeps the route table equal to the control plane's: subscribes, applies, acknowledges, and asks anew after a gap.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import type { PlatformError } from '../core/errors/index.ts';
import type { Logger } from '../core/log/index.ts';
import { FRAME, ReconnectingPeer } from '../core/protocol/index.ts';
import type { FrameConnection, Identity } from '../core/protocol/index.ts';
import { routeDeltaSchema, routeFunctionSchema } from '../core/routing/index.ts';
import type { RouteDelta, RouteFunction, RouteTable as TableData } from '../core/routing/index.ts';
import type { RouteTable } from './route-table.ts';

export interface RouteFeedOptions {
  readonly socketPath: string;
  readonly self: Identity;
  readonly table: RouteTable;
  readonly logger: Logger;
  /** How long ago the table of the file was written, milliseconds. */
  readonly fileAgeMs: number;
  /** Before a change is applied: what is waited for, if anything. Must resolve. */
  readonly beforeDelta: (delta: RouteDelta) => Promise<void> | undefined;
  /** After every change of the table; undefined: all of it. */
  readonly onApplied: (delta: RouteDelta | undefined) => void;
}

/** Functions checked per loop turn. */
const PER_TURN = 50;

const tableHeadSchema = z.object({ epoch: z.number(), origin: z.number().optional(), revision: z.number(), functions: z.array(z.unknown()) });
const deltaHeadSchema = routeDeltaSchema.extend({ upsert: z.array(z.unknown()) });

type Kind = 'table' | 'delta';

export class RouteFeed {
  readonly #options: RouteFeedOptions;
  readonly #peer: ReconnectingPeer;
  /** A `subscribe` from nothing is under way: deltas before its table mean nothing. */
  #awaitsTable = false;
  /** The beginning of a table that comes in pieces: the one that serves stays until it is whole. */
  #pieces: { readonly origin: number | undefined; readonly functions: RouteFunction[] } | undefined;
  /** What came while something was being read, or waited for, in order; undefined when nothing is. */
  #behind: { readonly kind: Kind; readonly data: unknown }[] | undefined;
  /** How many of them an operator's switch is in: those do not wait for versions to get warm, nor does what stands before them. */
  #urgent = 0;
  #endWait: () => void = () => {};
  /** Grows with each `subscribe`: what was being read for an earlier one is dropped. */
  #subscription = 0;
  /** The control plane has given all that it has since the last `subscribe`. */
  #synced = false;
  /** When the connection was lost on which the table was current, on the clock of performance.now(). */
  #currentAtMs: number;

  constructor(options: RouteFeedOptions) {
    this.#options = options;
    this.#currentAtMs = performance.now() - options.fileAgeMs;
    this.#peer = new ReconnectingPeer(
      options.socketPath,
      { self: options.self, accepts: ['control'] },
      {
        onOpen: (connection) => this.#subscribe(connection, options.table.epoch, options.table.revision),
        onFrame: (frame, connection) => {
          if (frame[0] === FRAME.table) this.#take('table', frame[2], connection);
          else if (frame[0] === FRAME.delta) this.#take('delta', frame[2], connection);
        },
        onClose: (_connection, error) => this.#onClose(error),
      },
    );
  }

  /** Undefined while the control plane is away. */
  get connection(): FrameConnection | undefined {
    return this.#peer.connection;
  }

  /** Time since the table was known to be the control plane's present one, milliseconds; 0 while it is. */
  get ageMs(): number {
    return this.#synced ? 0 : performance.now() - this.#currentAtMs;
  }

  close(): void {
    this.#peer.close();
  }

  #subscribe(connection: FrameConnection, epoch: number, revision: number): void {
    this.#awaitsTable = epoch === 0;
    this.#synced = false;
    this.#behind = this.#pieces = undefined;
    this.#urgent = 0;
    this.#subscription += 1;
    connection.send([FRAME.subscribe, 0, epoch, revision]);
  }

  /** One after the other, in the order in which they came. */
  #take(kind: Kind, data: unknown, connection: FrameConnection): void {
    if (this.#behind !== undefined) {
      this.#behind.push({ kind, data });
      if (!isSwitch(data)) return;
      this.#urgent += 1;
      this.#endWait();
      return;
    }
    const work = kind === 'table' ? this.#takeTable(data, connection) : this.#awaitsTable ? undefined : this.#takeDelta(data, connection);
    if (work !== undefined) void this.#goOnAfter(work, connection);
  }

  async #goOnAfter(work: Promise<void>, connection: FrameConnection): Promise<void> {
    const subscription = this.#subscription;
    const behind: { readonly kind: Kind; readonly data: unknown }[] = [];
    this.#behind = behind;
    await work;
    if (subscription !== this.#subscription) return;
    this.#behind = undefined;
    for (const { kind, data } of behind) {
      if (isSwitch(data) && this.#urgent > 0) this.#urgent -= 1;
      this.#take(kind, data, connection);
    }
  }

  async #takeTable(data: unknown, connection: FrameConnection): Promise<void> {
    const subscription = this.#subscription;
    const head = tableHeadSchema.safeParse(data);
    if (head.success && this.#isForeign(head.data.origin)) {
      this.#options.logger.error(
        { code: 'conflict', functions: this.#options.table.size, offered: head.data.functions.length },
        'the control plane has another store than the one that the routes come from: they go on serving. Restore its backup, or remove the route file and restart the gateway to take the new store',
      );
      return;
    }
    const functions = head.success ? await this.#read(head.data.functions) : head.error;
    if (subscription !== this.#subscription) return;
    if (!head.success || functions instanceof z.ZodError) {
      // The table that serves stays: it is better than none. Asking again would bring the same.
      this.#refused('table', functions instanceof z.ZodError ? functions : undefined);
      return;
    }
    const { epoch, origin, revision } = head.data;
    this.#awaitsTable = false;
    // Revision 0: deltas on it bring the rest (control/push/route-push.ts).
    if (revision === 0) this.#pieces = { origin, functions };
    else this.#replace({ epoch, origin, revision, functions }, connection);
  }

  /** @returns undefined when it was done at once, as for nearly all of them */
  #takeDelta(data: unknown, connection: FrameConnection): Promise<void> | undefined {
    const head = deltaHeadSchema.safeParse(data);
    if (head.success && (head.data.upsert.length > PER_TURN || this.#pieces !== undefined)) return this.#takeLargeDelta(head.data, connection);
    const parsed = routeDeltaSchema.safeParse(data);
    if (parsed.success) return this.#applyDelta(parsed.data, connection);
    this.#refused('delta', parsed.error);
    this.#subscribe(connection, 0, 0);
    return undefined;
  }

  async #takeLargeDelta(delta: z.infer<typeof deltaHeadSchema>, connection: FrameConnection): Promise<void> {
    const subscription = this.#subscription;
    const upsert = await this.#read(delta.upsert);
    if (subscription !== this.#subscription) return;
    if (upsert instanceof z.ZodError) {
      this.#refused('delta', upsert);
      this.#subscribe(connection, 0, 0);
    } else if (this.#pieces === undefined) {
      await this.#applyDelta({ ...delta, upsert }, connection);
    } else if (delta.previous === 0) {
      for (const fn of upsert) this.#pieces.functions.push(fn);
      if (delta.revision > 0) this.#replace({ ...this.#pieces, epoch: delta.epoch, revision: delta.revision }, connection);
    } else {
      this.#subscribe(connection, 0, 0);
    }
  }

  /**
   * Whether a table comes from another store than the one that serves. A control plane whose disk was lost begins with an empty store: taking
   * its table would end every function of the node, which no failure of the control plane may do.
   */
  #isForeign(origin: number | undefined): boolean {
    const { table } = this.#options;
    return table.size > 0 && origin !== undefined && table.origin !== undefined && origin !== table.origin;
  }

  /** Checks functions in slices, beside requests: 10,000 at once would stop them for most of a second. */
  async #read(entries: readonly unknown[]): Promise<RouteFunction[] | z.ZodError> {
    const functions: RouteFunction[] = [];
    for (const [i, entry] of entries.entries()) {
      if (i % PER_TURN === PER_TURN - 1) await nextTurn();
      const parsed = routeFunctionSchema.safeParse(entry);
      if (!parsed.success) return parsed.error;
      functions.push(parsed.data);
    }
    return functions;
  }

  #applyDelta(delta: RouteDelta, connection: FrameConnection): Promise<void> | undefined {
    const { table, beforeDelta } = this.#options;
    const subscription = this.#subscription;
    const ready = this.#urgent === 0 && table.follows(delta) ? beforeDelta(delta) : undefined;
    if (ready !== undefined) {
      const ended = new Promise<void>((resolve) => { this.#endWait = resolve; });
      return Promise.race([ready, ended]).then(() => (subscription === this.#subscription ? this.#apply(delta, connection) : undefined));
    }
    this.#apply(delta, connection);
    return undefined;
  }

  #apply(delta: RouteDelta, connection: FrameConnection): void {
    const { table } = this.#options;
    if (table.apply(delta)) this.#acknowledge(connection, delta.revision, delta);
    // Known already: sent before our `subscribe` was read.
    else if (delta.epoch === table.epoch && delta.revision <= table.revision) this.#acknowledge(connection, table.revision);
    else this.#subscribe(connection, 0, 0);
  }

  #replace(table: TableData, connection: FrameConnection): void {
    this.#pieces = undefined;
    this.#options.table.replace(table);
    this.#acknowledge(connection, table.revision, null);
  }

  #refused(what: Kind, error: z.ZodError | undefined): void {
    this.#options.logger.error({ code: 'protocol_violation', issues: error?.issues.slice(0, 5) }, `a route ${what} was refused`);
  }

  /** @param change  what has changed; null: all of it; undefined: nothing */
  #acknowledge(connection: FrameConnection, revision: number, change?: RouteDelta | null): void {
    this.#synced = true;
    connection.send([FRAME.applied, 0, revision]);
    if (change !== undefined) this.#options.onApplied(change ?? undefined);
  }

  #onClose(error: PlatformError | undefined): void {
    if (this.#synced) this.#currentAtMs = performance.now();
    this.#synced = false;
    this.#options.logger.warn({ code: error?.code ?? 'unavailable', err: error }, 'the control plane is away; the last route table goes on serving');
  }
}

/** Whether an operator's switch is in the change: a function that is killed or forced. Looked at before the change is checked. */
function isSwitch(delta: unknown): boolean {
  const { upsert } = (delta ?? {}) as { readonly upsert?: unknown };
  return Array.isArray(upsert) && upsert.some((fn: RouteFunction | null | undefined) => fn?.killed === true || fn?.forced !== undefined);
}
