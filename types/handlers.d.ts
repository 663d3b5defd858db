// What handlers are given, of the fetch shape, of events and of business functions; and the names that the builder puts into a bundle.

/** The third argument of `fetch`, `scheduled` and `queue`. */
interface ExecutionContext {
  /** Keeps the invocation alive until the promise settles, at the longest 30 s past the end of the response. */
  waitUntil(work: unknown): void;
  /** There is no origin to pass through to: kept for functions that call it. */
  passThroughOnException(): void;
}

interface ScheduledController {
  readonly cron: string;
  /** Milliseconds since the epoch. */
  readonly scheduledTime: number;
  readonly type: 'scheduled';
  /** It is not repeated if it fails. */
  noRetry(): void;
}

type ScheduledEvent = ScheduledController;

interface QueueMessage<Body = unknown> {
  readonly id: string;
  readonly timestamp: Date;
  readonly body: Body;
  /** Deliveries, this one included. */
  readonly attempts: number;
  ack(): void;
  retry(options?: { delaySeconds?: number }): void;
}

interface MessageBatch<Body = unknown> {
  readonly queue: string;
  readonly messages: readonly QueueMessage<Body>[];
  ackAll(): void;
  retryAll(options?: { delaySeconds?: number }): void;
}

type FetchHandler<Env = Readonly<Record<string, string>>> = (request: Request, env: Env, ctx: ExecutionContext) => Response | Promise<Response>;

/** `export default { … } satisfies Handler<Env>` */
interface Handler<Env = Readonly<Record<string, string>>, Body = unknown> {
  fetch?(request: Request, env: Env, ctx: ExecutionContext): Response | Promise<Response>;
  scheduled?(controller: ScheduledController, env: Env, ctx: ExecutionContext): unknown;
  queue?(batch: MessageBatch<Body>, env: Env, ctx: ExecutionContext): unknown;
  /** Before the heap of the evaluated module is frozen; also as a named export. Not when the module is evaluated by each isolate. */
  onSnapshot?(): unknown;
  /** In each isolate that starts from the frozen heap, before its first request; also as a named export. */
  onRestore?(): unknown;
}

/** The name that Workers give it. */
type ExportedHandler<Env = Readonly<Record<string, string>>, Body = unknown> = Handler<Env, Body>;

/** The first argument of a business function: nothing of HTTP. */
type Context<Env extends object = Readonly<Record<string, string>>> = import('./context.d.ts').Context<Env>;
/** What a business function throws to answer with a status and a code of its own. */
type BusinessError = import('./context.d.ts').BusinessError;

// Names that the builder puts into a bundle; they are on no global object.

interface DenoServeInfo {
  readonly remoteAddr: { readonly transport: 'tcp'; readonly hostname: string; readonly port: number };
}

type DenoServeHandler = (request: Request, info: DenoServeInfo) => Response | Promise<Response>;

interface DenoServeOptions {
  port?: number;
  hostname?: string;
  signal?: AbortSignal;
  onListen?(address: { readonly hostname: string; readonly port: number }): void;
  onError?(error: unknown): Response | Promise<Response>;
}

declare namespace Deno {
  function serve(handler: DenoServeHandler): object;
  function serve(options: DenoServeOptions, handler: DenoServeHandler): object;
  function serve(options: DenoServeOptions & { handler: DenoServeHandler }): object;
  const env: { get(name: string): string | undefined; has(name: string): boolean; toObject(): Record<string, string> };
}

interface BunRequest extends Request {
  readonly params: Readonly<Record<string, string>>;
}

declare namespace Bun {
  function serve(options: {
    port?: number;
    hostname?: string;
    fetch?(request: Request): Response | Promise<Response>;
    routes?: Readonly<Record<string, Response | ((request: BunRequest) => Response | Promise<Response>) | Readonly<Partial<Record<'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS', Response | ((request: BunRequest) => Response | Promise<Response>)>>>>>;
    error?(error: unknown): Response | Promise<Response>;
  }): object;
  const env: Readonly<Record<string, string | undefined>>;
}

declare var process: { readonly env: Readonly<Record<string, string | undefined>> };

interface ImportMeta {
  readonly url: string;
  readonly env: Readonly<Record<string, string | boolean | undefined>>;
}
