// Sinks: streams that an isolate writes into, a response's body or an upload's.

export interface Sink {
  /** Takes over `bytes`. @returns whether to go on; else wait for `whenDrained` */
  write(bytes: Buffer): boolean;
  /** Calls back once, when it takes more or is closed. */
  whenDrained(callback: () => void): void;
  /** Nobody reads it any more. */
  readonly closed: boolean;
  end(): void;
  /** The isolate's stream failed. */
  fail(message: string, stack: string): void;
}
