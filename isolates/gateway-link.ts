// The host's side of the invocation protocol: one gateway connection, its targets by number, its invocations by id.
import { PlatformError } from '../core/errors/index.ts';
import type { EntriesRow, Frame, FrameConnection } from '../core/protocol/index.ts';
import { BODY, FRAME, RECALL } from '../core/protocol/index.ts';
import type { EntryNews } from './accounts.ts';
import { IncomingBody } from './bodies/incoming-body.ts';
import { Invocation } from './invocation.ts';
import type { IsolatePool } from './isolate-pool.ts';
import type { TargetState } from './targets.ts';

export class GatewayLink {
  readonly #connection: FrameConnection;
  readonly #pool: IsolatePool;
  /** Trust tier of this host: targets of another are refused. */
  readonly #tier: string;
  /** Whether functions here have WebAssembly: targets of the other kind are refused. null: both may run. */
  readonly #wasm: boolean | null;
  /** Whether functions here repeat requests: targets of the other kind are refused. */
  readonly #shadow: boolean;
  readonly #targets = new Map<number, TargetState>();
  /** Targets that the gateway wants to be kept warm. */
  readonly #held = new Set<number>();
  readonly #invocations = new Map<number, Invocation>();
  readonly #room: () => number;

  /**
   * @param wasm  whether functions here have WebAssembly; null: some do
   * @param shadow  whether they repeat requests
   * @param room  how many more invocations the host takes
   */
  constructor(connection: FrameConnection, pool: IsolatePool, tier: string, wasm: boolean | null, shadow: boolean, room: () => number) {
    this.#connection = connection;
    this.#room = room;
    this.#pool = pool;
    this.#tier = tier;
    this.#wasm = wasm;
    this.#shadow = shadow;
  }

  get running(): number {
    return this.#invocations.size;
  }

  /** Sends the rows of targets that this gateway has named. */
  tellEntries(news: EntryNews): void {
    const rows: EntriesRow[] = [];
    for (const [number, state] of this.#targets) {
      const row = news.get(state);
      if (row !== undefined) rows.push([number, ...row]);
    }
    if (rows.length > 0) this.#connection.send([FRAME.entries, 0, rows]);
  }

  onFrame(frame: Frame): void {
    switch (frame[0]) {
      case FRAME.invoke: {
        const [, id, target, head, mode, body, wallMs] = frame;
        this.#invoke(id, target, head, mode, body, wallMs);
        return;
      }
      case FRAME.data: {
        const body = this.#invocations.get(frame[1])?.requestBody;
        if (body?.push(frame[2]) === false) throw new PlatformError('protocol_violation', { why: 'more data than credit' });
        return;
      }
      case FRAME.end:
        this.#invocations.get(frame[1])?.requestBody?.end();
        return;
      case FRAME.credit:
        this.#invocations.get(frame[1])?.response?.grant(frame[2]);
        return;
      case FRAME.cancel:
        this.#cancel(frame[1], frame[2]);
        return;
      case FRAME.target: {
        const [, number, target] = frame;
        if (target.tier !== this.#tier) throw new PlatformError('protocol_violation', { why: 'a target of another tier' });
        if ((this.#wasm !== null && target.wasm !== this.#wasm) || target.shadow !== this.#shadow) throw new PlatformError('protocol_violation', { why: 'a target of another group' });
        if (this.#targets.has(number)) throw new PlatformError('protocol_violation', { why: 'a target is named twice' });
        this.#targets.set(number, this.#pool.acquire(target));
        return;
      }
      case FRAME.forget: {
        const state = this.#targets.get(frame[1]);
        if (state === undefined) return;
        this.#targets.delete(frame[1]);
        this.#letGo(frame[1], state);
        this.#pool.release(state);
        return;
      }
      case FRAME.warm:
        this.#warm(frame[1], frame[2]);
        return;
      case FRAME.tenants:
        this.#pool.setQuotas(frame[2]);
        return;
      case FRAME.goaway:
        return;
      default:
        throw new PlatformError('protocol_violation', { why: `frame ${frame[0]} from a gateway` });
    }
  }

  #invoke(id: number, target: number, head: string, mode: number, body: Uint8Array | string | null, wallMs: number): void {
    const state = this.#targets.get(target);
    if (state === undefined || this.#invocations.has(id)) throw new PlatformError('protocol_violation', { why: 'an unknown target or an id in use' });
    let requestBody: IncomingBody | null = null;
    if (mode !== BODY.none) {
      const connection = this.#connection;
      // The gateway stops by itself when the final frame comes: nothing to say when nobody reads the rest.
      requestBody = new IncomingBody(mode === BODY.inline ? body : null, { grant: (bytes) => connection.send([FRAME.credit, id, bytes]), abandon: () => {} });
    }
    if (this.#room() <= 0) {
      this.#connection.send([FRAME.fail, id, 'overloaded', { what: 'invocations of one host' }, 0, null, null]);
      return;
    }
    const invocation = new Invocation(id, this.#connection, state, head, requestBody, performance.now() + wallMs);
    this.#invocations.set(id, invocation);
    this.#pool.dispatch(state, invocation);
  }

  /** One isolate is what a host keeps of a version, however many are asked for. */
  #warm(number: number, isolates: number): void {
    const state = this.#targets.get(number);
    if (state === undefined) throw new PlatformError('protocol_violation', { why: 'an unknown target' });
    if (isolates === 0) {
      this.#letGo(number, state);
      return;
    }
    if (!this.#held.has(number)) {
      this.#held.add(number);
      this.#pool.hold(state);
    }
    this.#pool.whenStarted(state, (alive) => this.#connection.send([FRAME.warm, number, alive ? 1 : 0]));
  }

  #letGo(number: number, state: TargetState): void {
    if (this.#held.delete(number)) this.#pool.letGo(state);
  }

  #cancel(id: number, code: string): void {
    const invocation = this.#invocations.get(id);
    if (invocation === undefined) return;
    const { isolate } = invocation;
    if (isolate !== null && invocation.slot !== 0) {
      if (code !== RECALL) isolate.cancel(invocation);
      return;
    }
    this.#connection.send(code === RECALL ? [FRAME.fail, id, 'isolate_lost', { entered: false }, 0, null, null] : [FRAME.done, id, 0]);
    this.#pool.withdraw(invocation);
  }

  /** The final frame has been sent. */
  ended(invocation: Invocation): void {
    this.#invocations.delete(invocation.id);
  }

  /** The gateway is gone: nobody waits for any of these. */
  close(): void {
    for (const invocation of Array.from(this.#invocations.values())) {
      const { isolate } = invocation;
      invocation.finalSent = true;
      if (isolate !== null && invocation.slot !== 0) isolate.cancel(invocation);
      else this.#pool.withdraw(invocation);
    }
    for (const [number, state] of this.#targets) {
      this.#letGo(number, state);
      this.#pool.orphan(state);
    }
    this.#targets.clear();
  }
}
