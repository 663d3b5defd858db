// Runs named checks one after the other and answers one line for each: what two runtimes must have alike, byte for byte.

/** Longest wait for one check, milliseconds: a runtime that never settles it answers `hangs`, and the others still show. */
const CHECK_MS = 1_500;

export type Checks = Readonly<Record<string, () => unknown>>;

/** Answers `name = value` lines in the order of `checks`. A check that throws or rejects answers what it threw. */
export async function report(checks: Checks): Promise<Response> {
  const lines: string[] = [];
  for (const [name, check] of Object.entries(checks)) lines.push(`${name} = ${await outcome(check)}`);
  return new Response(lines.join('\n'), { headers: { 'content-type': 'text/plain; charset=utf-8' } });
}

async function outcome(check: () => unknown): Promise<string> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve('hangs'), CHECK_MS);
  });
  const run = async (): Promise<string> => {
    try {
      return show(await check());
    } catch (thrown) {
      return `throws ${describe(thrown)}`;
    }
  };
  const result = await Promise.race([run(), late]);
  clearTimeout(timer);
  return result;
}

/** Of an error only what standards fix: its name, its kind, and a DOMException's code. Messages are each runtime's own. */
export function describe(thrown: unknown): string {
  if (thrown instanceof DOMException) return `DOMException ${thrown.name} ${thrown.code}`;
  if (thrown instanceof Error) return thrown.name;
  return show(thrown);
}

/** What `run` throws, or `no error`. */
export function thrown(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return describe(error);
  }
  return 'no error';
}

/** What the promise of `run` rejects with, or `no error`. */
export async function rejected(run: () => unknown): Promise<string> {
  try {
    await run();
  } catch (error) {
    return describe(error);
  }
  return 'no error';
}

/** JSON with bytes as hexadecimal digits and with what JSON leaves out. */
export function show(value: unknown): string {
  return JSON.stringify(plain(value)) ?? 'undefined';
}

function plain(value: unknown): unknown {
  if (value === undefined) return '(undefined)';
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'symbol' || typeof value === 'function') return `(${typeof value})`;
  if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) return Object.is(value, -0) ? '(-0)' : `(${value})`;
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof ArrayBuffer) return `hex:${hex(new Uint8Array(value))}`;
  if (ArrayBuffer.isView(value)) return `hex:${hex(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))}`;
  if (Array.isArray(value)) return Array.from(value, plain);
  if (value instanceof Error || value instanceof DOMException) return `(${describe(value)})`;
  // No standard orders the members of a dictionary.
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, plain(member)]));
}

export function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}

/** @param digits  two for each byte; white space is ignored */
export function bytes(digits: string): Uint8Array<ArrayBuffer> {
  const packed = digits.replaceAll(/\s/g, '');
  return Uint8Array.from({ length: packed.length / 2 }, (_, i) => Number.parseInt(packed.slice(2 * i, 2 * i + 2), 16));
}

/** Every chunk of a stream, in order. */
export async function chunksOf<T>(stream: ReadableStream<T>): Promise<T[]> {
  const reader = stream.getReader();
  const chunks: T[] = [];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return chunks;
    chunks.push(value);
  }
}

/** A stream of these chunks, each given when it is pulled. */
export function streamOf<T>(...chunks: readonly T[]): ReadableStream<T> {
  let next = 0;
  return new ReadableStream<T>({
    pull(controller) {
      if (next === chunks.length) controller.close();
      else controller.enqueue(chunks[next++] as T);
    },
  });
}
