// The fallback of one function, made ready once for each change of its settings.
import type { Fallback, FallbackCause } from '../../core/schemas/index.ts';

/** An answer as it is written: fields as names and values in turn, parted by line feeds. */
export interface ReadyAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: Buffer | string | null;
}

export class FallbackPlan {
  readonly static: ReadyAnswer | null;
  /** 0: last good answers are not wanted. */
  readonly ttlMs: number;
  readonly #on: ReadonlySet<FallbackCause>;

  constructor(fallback: Fallback) {
    this.#on = new Set(fallback.on);
    this.ttlMs = fallback.lastGood?.ttlMs ?? 0;
    const { static: given } = fallback;
    if (given === undefined) {
      this.static = null;
      return;
    }
    const headers = new Map(Object.entries(given.headers).map(([name, value]) => [name.toLowerCase(), value.replaceAll(/^[\t ]+|[\t ]+$/g, '')]));
    // As new Response("…") has it; a page without a type would be guessed at.
    if (given.body !== '' && !headers.has('content-type')) headers.set('content-type', 'text/plain;charset=UTF-8');
    // A cache on the way must not go on giving it out when the function is well again.
    if (!headers.has('cache-control')) headers.set('cache-control', 'no-store');
    this.static = { status: given.status, head: [...headers].map(([name, value]) => `${name}\n${value}`).join('\n'), body: given.body };
  }

  answers(cause: FallbackCause): boolean {
    return this.#on.has(cause);
  }
}
