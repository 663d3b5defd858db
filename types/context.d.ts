// The business shape of a function: `export async function name(ctx: Context, ...args)`. What a function gets as `ctx`.

/** JSON, which is what arguments and results are. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One line of the function's log, under the id of this invocation. `fields` are kept as JSON, 8,192 characters at the most. */
export type LogMethod = (message: unknown, fields?: Readonly<Record<string, unknown>>) => void;

/**
 * What a business function knows of its call: who, in which trace, how long. Nothing of HTTP.
 *
 * @typeParam Env  the function's environment, as its settings have it
 */
export interface Context<Env extends object = Readonly<Record<string, string>>> {
  /**
   * The user's id, from where the function's `user` setting says (a header, a cookie, a claim of a token), or null. A token is read, not
   * verified: what stands in front of the node has to do that.
   */
  readonly user: string | null;
  /** https://www.w3.org/TR/trace-context/; the same trace goes on in every outgoing fetch. */
  readonly trace: {
    /** 32 hexadecimal digits. */
    readonly traceId: string;
    /** 16 hexadecimal digits. */
    readonly spanId: string;
    readonly traceparent: string;
  };
  readonly logger: { readonly debug: LogMethod; readonly info: LogMethod; readonly warn: LogMethod; readonly error: LogMethod };
  /** When the wall limit strikes. */
  readonly deadline: {
    /** Milliseconds since the epoch. */
    readonly epochMs: number;
    /** Milliseconds that are left, 0 when it has struck. The clock stands still between two awaits. */
    remainingMs(): number;
  };
  /** Aborts when the caller has gone away or the wall limit has struck. */
  readonly signal: AbortSignal;
  readonly env: Env;
  /** Keeps the invocation alive for work that the answer does not wait for, at the longest 30 s. */
  waitUntil(promise: Promise<unknown>): void;
}

/**
 * An error with these members is an answer: status and code are kept, the message is its `detail`. Whatever else a function throws is
 * `function_threw`, without its message.
 */
export interface BusinessError extends Error {
  /** 400 to 599. */
  readonly status: number;
  /** 1 to 128 characters. */
  readonly code: string;
}
