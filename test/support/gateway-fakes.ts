// Fakes around a gateway that speak the real frames over real sockets: a control plane with a route table, and hosts with scripted functions.
import type { Server, Socket } from 'node:net';
import { newEpoch } from '../../core/ids/index.ts';
import { BODY, FRAME, ReceiveWindow, ReconnectingPeer, SendWindow, listenPeers } from '../../core/protocol/index.ts';
import type { ColdPhases, Frame, FrameConnection, GatewayFigures, InvokeFrame, LogRow, ShadowRow, Target } from '../../core/protocol/index.ts';
import type { RouteDelta, RouteFunction, RouteTable } from '../../core/routing/index.ts';
import { routeFunctionSchema } from '../../core/routing/index.ts';

/** A function with defaults; version 1 gets everything unless `traffic` says otherwise. */
export function routeFunction(name: string, settings: Readonly<Record<string, unknown>> = {}): RouteFunction {
  const { limits, ...rest } = settings;
  return routeFunctionSchema.parse({
    name, tenant: 'default', tier: 'default', public: true, debug: false, shape: 'auto', user: null, triggers: [], secrets: '',
    traffic: { rules: [], split: [{ version: 1, weight: 100 }] }, versions: { 1: `sha256-${name}-1` }, limits: limits ?? {}, ...rest,
  });
}

export class FakeControl {
  readonly epoch = newEpoch();
  readonly applied: number[] = [];
  readonly subscriptions: { epoch: number; revision: number }[] = [];
  readonly figures: GatewayFigures[] = [];
  readonly logs: LogRow[] = [];
  readonly shadows: ShadowRow[] = [];
  table: RouteTable;
  #server: Server | undefined;
  readonly #connections = new Set<FrameConnection>();
  readonly #sockets = new Set<Socket>();

  constructor(functions: readonly RouteFunction[], revision = 1) {
    this.table = { epoch: this.epoch, revision, functions: [...functions] };
  }

  async listen(path: string): Promise<void> {
    this.#server = await listenPeers(path, { self: { role: 'control', name: 'control', epoch: this.epoch }, accepts: ['gateway'] }, {
      onOpen: (connection) => this.#connections.add(connection),
      onFrame: (frame, connection) => {
        if (frame[0] === FRAME.subscribe) {
          this.subscriptions.push({ epoch: frame[2], revision: frame[3] });
          if (frame[2] !== this.table.epoch || frame[3] !== this.table.revision) connection.send([FRAME.table, 0, this.table]);
        } else if (frame[0] === FRAME.applied) {
          this.applied.push(frame[2]);
        } else if (frame[0] === FRAME.figures) {
          this.figures.push(frame[2] as GatewayFigures);
        } else if (frame[0] === FRAME.shadow) {
          this.shadows.push(...(frame[2] as { rows: ShadowRow[] }).rows);
        } else if (frame[0] === FRAME.logs) {
          this.logs.push(...frame[2]);
        }
      },
      onClose: (connection) => this.#connections.delete(connection),
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  /** Changes the table and pushes the delta. */
  push(upsert: readonly RouteFunction[], remove: readonly string[] = []): RouteDelta {
    const names = new Set([...upsert.map((fn) => fn.name), ...remove]);
    const delta = { epoch: this.epoch, previous: this.table.revision, revision: this.table.revision + 1, upsert: [...upsert], remove: [...remove] };
    this.table = { epoch: this.epoch, revision: delta.revision, functions: [...this.table.functions.filter((fn) => !names.has(fn.name)), ...upsert] };
    this.send([FRAME.delta, 0, delta]);
    return delta;
  }

  send(frame: Frame): void {
    for (const connection of this.#connections) connection.send(frame);
  }

  /** Sum of a version's figures so far. */
  count(fn: string, version: number): { statuses: Record<string, number>; codes: Record<string, number>; coldStarts: number } {
    const sum = { statuses: {} as Record<string, number>, codes: {} as Record<string, number>, coldStarts: 0 };
    for (const row of this.figures.flatMap((f) => f.versions).filter((v) => v.function === fn && v.version === version)) {
      for (const [status, n] of Object.entries(row.statuses)) sum.statuses[status] = (sum.statuses[status] ?? 0) + n;
      for (const [code, n] of Object.entries(row.codes)) sum.codes[code] = (sum.codes[code] ?? 0) + n;
      sum.coldStarts += row.coldStarts;
    }
    return sum;
  }

  /** As they are, in place of a frame. */
  sendBytes(bytes: Buffer): void {
    for (const socket of this.#sockets) socket.write(bytes);
  }

  close(): void {
    for (const connection of this.#connections) connection.destroy();
    this.#server?.close();
  }
}

/** One invocation as a fake host sees it. */
export class FakeInvocation {
  readonly host: FakeHost;
  readonly id: number;
  readonly target: Target;
  readonly targetNumber: number;
  readonly method: string;
  readonly url: string;
  /** In the order in which they came. */
  readonly headers: readonly (readonly [string, string])[];
  readonly mode: number;
  readonly inline: Uint8Array | string | null;
  readonly wallMs: number;
  readonly #connection: FrameConnection;
  /** Received body bytes of a stream. */
  receivedBytes = 0;
  ended = false;
  cancelled: string | undefined;
  /** Consume the body as it comes; false: hold it, and give no credit. */
  reading = true;
  onBody: ((bytes: Uint8Array) => void) | undefined;
  onEnd: (() => void) | undefined;
  onCancel: ((code: string) => void) | undefined;
  readonly #receive = new ReceiveWindow();
  readonly #send = new SendWindow();
  readonly #outgoing: Uint8Array[] = [];
  #endDue: (() => void) | undefined;
  #drained: (() => void) | undefined;
  #heldBytes = 0;

  constructor(host: FakeHost, connection: FrameConnection, frame: InvokeFrame, target: Target) {
    this.host = host;
    this.#connection = connection;
    this.id = frame[1];
    this.targetNumber = frame[2];
    this.target = target;
    const parts = frame[3].split('\n');
    this.method = parts[0] ?? '';
    this.url = parts[1] ?? '';
    const headers: [string, string][] = [];
    for (let i = 2; i < parts.length; i += 2) headers.push([parts[i] ?? '', parts[i + 1] ?? '']);
    this.headers = headers;
    this.mode = frame[4];
    this.inline = frame[5];
    this.wallMs = frame[6];
  }

  get path(): string {
    return new URL(this.url).pathname;
  }

  header(name: string): string | undefined {
    return this.headers.find(([n]) => n === name)?.[1];
  }

  get text(): string {
    return this.inline === null ? '' : Buffer.from(this.inline as Uint8Array).toString();
  }

  respond(status: number, headers: readonly (readonly [string, string])[], body: Uint8Array | string | null, options: { final?: boolean; cold?: ColdPhases; cpuUs?: number } = {}): void {
    const head = headers.flatMap((pair) => [...pair]).join('\n');
    this.raw([FRAME.respond, this.id, status, head, body === null ? BODY.none : BODY.inline, body, options.final ?? true, options.cpuUs ?? 100, options.cold ?? null]);
  }

  /** Begins a streamed response. */
  stream(status: number, headers: readonly (readonly [string, string])[] = []): void {
    this.raw([FRAME.respond, this.id, status, headers.flatMap((pair) => [...pair]).join('\n'), BODY.stream, null, false, 100, null]);
  }

  /** Sends under credits. Resolves when the chunk has left. */
  async chunk(bytes: Uint8Array): Promise<void> {
    this.#outgoing.push(bytes);
    this.#pump();
    if (this.#outgoing.length > 0) await new Promise<void>((resolve) => { this.#drained = resolve; });
  }

  /** Ends a streamed response, and with it the invocation. */
  end(): void {
    this.#endDue = () => {
      this.raw([FRAME.end, this.id]);
      this.raw([FRAME.done, this.id, 100]);
    };
    this.#pump();
  }

  done(): void {
    this.raw([FRAME.done, this.id, 100]);
  }

  fail(code: string, params: Readonly<Record<string, unknown>> | null = null, detail: string | null = null, cold: ColdPhases | null = null): void {
    this.raw([FRAME.fail, this.id, code, params, 100, cold, detail]);
  }

  raw(frame: Frame): void {
    this.#connection.send(frame);
  }

  /** Consumes what was held, and everything that comes. */
  resumeReading(): void {
    this.reading = true;
    this.#credit(this.#heldBytes);
    this.#heldBytes = 0;
  }

  takeData(bytes: Uint8Array): void {
    this.receivedBytes += bytes.length;
    this.#receive.received(bytes.length);
    if (this.#receive.overrun) this.host.overruns += 1;
    this.onBody?.(bytes);
    if (this.reading) this.#credit(bytes.length);
    else this.#heldBytes += bytes.length;
  }

  takeCredit(bytes: number): void {
    if (this.#send.grant(bytes)) this.#pump();
  }

  #credit(bytes: number): void {
    const due = this.#receive.consumed(bytes);
    if (due > 0) this.raw([FRAME.credit, this.id, due]);
  }

  #pump(): void {
    while (this.#send.open) {
      const bytes = this.#outgoing.shift();
      if (bytes === undefined) break;
      this.#send.spend(bytes.length);
      this.raw([FRAME.data, this.id, bytes]);
    }
    if (this.#outgoing.length > 0) return;
    this.#drained?.();
    this.#drained = undefined;
    this.#endDue?.();
    this.#endDue = undefined;
  }
}

export type Script = (invocation: FakeInvocation) => void;

/** Answers with what it got: method, URL, headers and body as JSON. */
export const reflect: Script = (i) => {
  const answer = (): void =>
    i.respond(200, [['content-type', 'application/json']], JSON.stringify({
      host: i.host.name, method: i.method, url: i.url, headers: i.headers, body: i.text, bytes: i.receivedBytes, version: i.target.version, function: i.target.function,
    }));
  if (i.mode === BODY.stream) i.onEnd = answer;
  else answer();
};

export class FakeHost {
  readonly name: string;
  readonly epoch = newEpoch();
  readonly targets = new Map<number, Target>();
  readonly forgotten: Target[] = [];
  readonly invocations: FakeInvocation[] = [];
  /** Under way, by id. */
  readonly running = new Map<number, FakeInvocation>();
  script: Script;
  /** Targets that are to be kept warm, by number; and every such wish so far, as `name@version`. */
  readonly warm = new Set<number>();
  readonly warmed: string[] = [];
  /** Answers a wish; default: there is an isolate at once. */
  onWarm: (number: number, target: Target) => void = (number) => this.connection?.send([FRAME.warm, number, 1]);
  /** Bodies that came beyond their credit. */
  overruns = 0;
  /** Epoch of the gateway that it is connected to. */
  gatewayEpoch = 0;
  #peer: ReconnectingPeer | undefined;

  constructor(name: string, script: Script = reflect) {
    this.name = name;
    this.script = script;
  }

  async connect(path: string): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#peer = new ReconnectingPeer(path, { self: { role: 'host', name: this.name, epoch: this.epoch }, accepts: ['gateway'] }, {
        onOpen: (connection) => {
          this.gatewayEpoch = connection.peer?.epoch ?? 0;
          this.targets.clear();
          this.warm.clear();
          this.running.clear();
          // The other end takes this one in when its hello has been read: one turn later everything is in place.
          setTimeout(resolve, 10);
        },
        onFrame: (frame, connection) => this.#onFrame(frame, connection),
        onClose: () => {},
      });
    });
  }

  get connection(): FrameConnection | undefined {
    return this.#peer?.connection;
  }

  /** What it is to keep warm now: `name@version`, sorted. */
  get keeps(): string[] {
    return [...this.warm].map((number) => `${this.targets.get(number)?.function}@${this.targets.get(number)?.version}`).toSorted();
  }

  /** Goes away for good at once, as a dead process does. */
  die(): void {
    const connection = this.#peer?.connection;
    this.#peer?.close();
    connection?.destroy();
  }

  goaway(): void {
    this.connection?.send([FRAME.goaway, 0, 'draining']);
  }

  #onFrame(frame: Frame, connection: FrameConnection): void {
    switch (frame[0]) {
      case FRAME.target:
        this.targets.set(frame[1], frame[2]);
        return;
      case FRAME.forget: {
        const target = this.targets.get(frame[1]);
        if (target === undefined) throw new Error('a target is forgotten that was never named');
        this.forgotten.push(target);
        this.targets.delete(frame[1]);
        this.warm.delete(frame[1]);
        return;
      }
      case FRAME.warm: {
        const target = this.targets.get(frame[1]);
        if (target === undefined) throw new Error('an unknown target is to be kept warm');
        this.warm.add(frame[1]);
        this.warmed.push(`${target.function}@${target.version}`);
        this.onWarm(frame[1], target);
        return;
      }
      case FRAME.invoke: {
        const target = this.targets.get(frame[2]);
        if (target === undefined) throw new Error('an unknown target is invoked');
        const invocation = new FakeInvocation(this, connection, frame, target);
        this.invocations.push(invocation);
        this.running.set(invocation.id, invocation);
        this.script(invocation);
        return;
      }
      case FRAME.data:
        this.running.get(frame[1])?.takeData(frame[2]);
        return;
      case FRAME.end: {
        const invocation = this.running.get(frame[1]);
        if (invocation === undefined) return;
        invocation.ended = true;
        invocation.onEnd?.();
        return;
      }
      case FRAME.credit:
        this.running.get(frame[1])?.takeCredit(frame[2]);
        return;
      case FRAME.cancel: {
        const invocation = this.running.get(frame[1]);
        if (invocation === undefined) return;
        invocation.cancelled = frame[2];
        invocation.onCancel?.(frame[2]);
        return;
      }
      default:
    }
  }
}
