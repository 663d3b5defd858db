// An answer that goes on for a while: cut off when its caller's token is revoked or expires, or covers no more what is shown.

export interface StreamWatch {
  /** Throws when the caller may not read this (any more); asked before each chunk. */
  readonly allowed: () => void;
  /** Calls back when the caller's token holds no more; returns what stops that. */
  readonly watch: (end: () => void) => () => void;
  /** Ends the connection without a final chunk: a reader must not take what was cut off for the whole. It cancels the stream. */
  readonly cut: () => void;
}

export function watchedStream(source: ReadableStream<Uint8Array>, { allowed, watch, cut }: StreamWatch): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  let stop: () => void = () => {};
  return new ReadableStream<Uint8Array>(
    {
      start(): void {
        stop = watch(cut);
      },
      async pull(controller): Promise<void> {
        const { done, value } = await reader.read();
        if (done) {
          stop();
          controller.close();
          return;
        }
        try {
          allowed();
        } catch {
          cut();
          return;
        }
        controller.enqueue(value);
      },
      async cancel(reason): Promise<void> {
        stop();
        await reader.cancel(reason);
      },
    },
    // The source has its own measure of what may wait.
    { highWaterMark: 0 },
  );
}
