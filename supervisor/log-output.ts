// Standard output of the node: lines of all processes, written without ever blocking the supervisor.
import { write } from 'node:fs';

/** Bytes that wait for a reader who has stalled; more are dropped and counted. */
const MAX_QUEUED_BYTES = 4 * 1_048_576;

/**
 * Writes lines to a descriptor from a bounded queue. `process.stdout` blocks on pipes: a pager that nobody scrolls would stop the
 * supervisor, then the children's log pipes, then the node.
 */
export class LogOutput {
  readonly #fd: number;
  #queue: string[] = [];
  #queuedBytes = 0;
  #dropped = 0;
  #writing = false;
  #broken = false;
  #whenEmpty: (() => void)[] = [];

  constructor(fd = 1) {
    this.#fd = fd;
  }

  /** Takes text that ends with a line feed. */
  write(text: string): void {
    if (this.#broken) return;
    if (this.#queuedBytes + text.length > MAX_QUEUED_BYTES) {
      this.#dropped += 1;
      return;
    }
    this.#queue.push(text);
    this.#queuedBytes += text.length;
    if (!this.#writing) this.#pump();
  }

  /** Resolves when all is written, at the latest after `withinMs`. */
  async flush(withinMs: number): Promise<void> {
    if (!this.#writing) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, withinMs);
      this.#whenEmpty.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #pump(): void {
    if (this.#dropped > 0) {
      this.#queue.push(`${JSON.stringify({ level: 'warn', time: new Date().toISOString(), name: 'supervisor', dropped: this.#dropped, msg: 'log lines were dropped: nobody reads standard output' })}\n`);
      this.#dropped = 0;
    }
    if (this.#queue.length === 0) {
      this.#writing = false;
      for (const resolve of this.#whenEmpty.splice(0)) resolve();
      return;
    }
    const bytes = Buffer.from(this.#queue.join(''));
    this.#queue = [];
    this.#writing = true;
    this.#writeAll(bytes, 0);
  }

  #writeAll(bytes: Buffer, from: number): void {
    write(this.#fd, bytes, from, bytes.length - from, null, (error, written) => {
      if (error !== null) {
        if (error.code === 'EAGAIN') {
          // The descriptor is shared with a process that made it non-blocking.
          setTimeout(() => this.#writeAll(bytes, from), 10);
          return;
        }
        // The reader is gone (EPIPE): the node goes on without a log.
        this.#broken = true;
        this.#queue = [];
        this.#queuedBytes = 0;
        this.#pump();
        return;
      }
      if (from + written < bytes.length) {
        this.#writeAll(bytes, from + written);
        return;
      }
      this.#queuedBytes = this.#queue.reduce((sum, text) => sum + text.length, 0);
      this.#pump();
    });
  }
}
