// A function's log as server-sent events (WHATWG HTML section 9.2): the rows that are kept, then each new one as it comes.
import { PlatformError } from '../../core/errors/index.ts';
import type { LogLine, LogStore } from '../logs/index.ts';

const MAX_FOLLOWERS = 20;
/** Characters that wait for a slow reader; above it rows are dropped, counted and told. */
const MAX_WAITING = 1_048_576;
/** A comment this often, so that proxies keep the connection and a lost client is noticed. */
const BEAT_MS = 15_000;

/**
 * Events: `log` with a row, `dropped` with `{"rows": n}`, `end` when there will be no more. Ids are log cursors.
 *
 * @param after  rows after this cursor
 * @param limit  at most so many kept rows, the newest
 * @throws overloaded  the function has as many followers as it may have
 */
export function logStream(logs: LogStore, name: string, after: number, limit: number): Response {
  if (logs.followers(name) >= MAX_FOLLOWERS) throw new PlatformError('overloaded', { what: `followers of the log of ${name}` });
  const encoder = new TextEncoder();
  let stop: (() => void) | undefined;
  let beat: NodeJS.Timeout | undefined;
  let dropped = 0;
  const over = (): void => {
    stop?.();
    clearInterval(beat);
  };
  const stream = new ReadableStream<Uint8Array>(
    {
      start(controller): void {
        const send = (text: string): void => controller.enqueue(encoder.encode(text));
        const full = (): boolean => (controller.desiredSize ?? 0) <= 0;
        const tell = (): void => {
          if (dropped === 0) return;
          send(`event: dropped\ndata: {"rows":${dropped}}\n\n`);
          dropped = 0;
        };
        const row = (sequence: number, line: LogLine): void => {
          if (full()) {
            dropped += 1;
            return;
          }
          tell();
          send(`id: ${sequence}\nevent: log\ndata: ${JSON.stringify(line)}\n\n`);
        };
        send(': follows\n\n');
        for (const { sequence, line } of logs.list(name, after, Number.MAX_SAFE_INTEGER).items.slice(-limit)) row(sequence, line);
        stop = logs.follow(name, {
          row,
          dropped: (rows) => {
            dropped += rows;
            if (!full()) tell();
          },
          end: () => {
            over();
            send('event: end\ndata: {}\n\n');
            controller.close();
          },
        });
        beat = setInterval(() => {
          if (!full()) tell();
          send(': beat\n\n');
        }, BEAT_MS);
        beat.unref();
      },
      cancel: over,
    },
    new ByteLengthQueuingStrategy({ highWaterMark: MAX_WAITING }),
  );
  return new Response(stream, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' } });
}
