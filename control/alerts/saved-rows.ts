// JSON rows that are written behind: what the disk refuses stays due, and is tried again with the next write.
import type { z } from 'zod';
import { toPlatformError } from '../../core/errors/index.ts';
import type { Logger } from '../../core/log/index.ts';
import type { OrderedRows } from '../../core/ports/index.ts';

const READ_ROWS = 1_000;

export class SavedRows {
  readonly #open: () => OrderedRows;
  readonly #logger: Logger;
  readonly #due = new Map<string, Uint8Array | null>();
  #failing = false;
  failed = 0;

  /** @param open  called whenever rows are needed; may throw */
  constructor(open: () => OrderedRows, logger: Logger) {
    this.#open = open;
    this.#logger = logger;
  }

  /** Every row under a prefix that ends in '/', in order. Rows of another form are left out, and named in the log. */
  read<T>(prefix: string, schema: z.ZodType<T>): T[] {
    const found: T[] = [];
    try {
      const rows = this.#open();
      const end = `${prefix.slice(0, -1)}0`;
      let from = prefix;
      for (;;) {
        const page = rows.range(from, end, READ_ROWS);
        for (const { key, bytes } of page) {
          const parsed = schema.safeParse(parse(bytes));
          if (parsed.success) found.push(parsed.data);
          else this.#logger.warn({ key }, 'a row of alerts has an unknown form');
        }
        const last = page.at(-1);
        if (last === undefined || page.length < READ_ROWS) return found;
        from = `${last.key} `;
      }
    } catch (thrown) {
      this.#refused(thrown);
      return found;
    }
  }

  put(key: string, value: unknown): void {
    this.#due.set(key, Buffer.from(JSON.stringify(value)));
  }

  remove(key: string): void {
    this.#due.set(key, null);
  }

  /** Writes all that is due, in one transaction. Never throws. */
  flush(): void {
    if (this.#due.size === 0) return;
    try {
      this.#open().write([...this.#due]);
      this.#due.clear();
      this.#failing = false;
    } catch (thrown) {
      this.#refused(thrown);
    }
  }

  #refused(thrown: unknown): void {
    this.failed += 1;
    if (this.#failing) return;
    this.#failing = true;
    const error = toPlatformError(thrown);
    this.#logger.error({ code: error.code, err: error, due: this.#due.size }, 'states of alerts cannot be written: a restart now would repeat or forget notifications');
  }
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString());
  } catch {
    return undefined;
  }
}
