// Streams as asynchronous iterables, both ways.
import { chunksOf, rejected, report, streamOf, thrown } from './lib/report.ts';

export default {
  fetch: async (): Promise<Response> =>
    report({
      'for await': async () => {
        const seen: unknown[] = [];
        for await (const chunk of streamOf(1, 2)) seen.push(chunk);
        return seen;
      },
      'break cancels': async () => {
        let reason: unknown = 'not cancelled';
        const stream = new ReadableStream({ pull: (controller) => controller.enqueue(1), cancel: (why) => { reason = why; } });
        for await (const _ of stream) break;
        return [reason, stream.locked];
      },
      'preventCancel': async () => {
        let cancelled = false;
        const stream = new ReadableStream({ pull: (controller) => controller.enqueue(1), cancel: () => { cancelled = true; } });
        for await (const _ of stream.values({ preventCancel: true })) break;
        return [cancelled, stream.locked];
      },
      'errors': async () => rejected(async () => { for await (const _ of new ReadableStream({ start: (controller) => controller.error(new RangeError('x')) })); }),
      'from array': async () => chunksOf(ReadableStream.from([1, 2])),
      'from generator': async () => chunksOf(ReadableStream.from((function* () { yield 'a'; yield 'b'; })())),
      'from async generator': async () => chunksOf(ReadableStream.from((async function* () { yield 'a'; await Promise.resolve(); yield 'b'; })())),
      'from promises': async () => chunksOf(ReadableStream.from([Promise.resolve(1), 2] as never)),
      'from a stream': async () => chunksOf(ReadableStream.from(streamOf(1))),
      'from text': async () => chunksOf(ReadableStream.from('ab' as never)).catch((error: unknown) => [error]),
      'from nothing iterable': () => [thrown(() => ReadableStream.from(1 as never)), thrown(() => ReadableStream.from({} as never)), thrown(() => ReadableStream.from(null as never))],
      'from: cancel returns': async () => {
        let returned = false;
        const stream = ReadableStream.from((function* () { try { yield 1; yield 2; } finally { returned = true; } })());
        const reader = stream.getReader();
        await reader.read();
        await reader.cancel();
        return returned;
      },
      'from: errors': async () => rejected(async () => chunksOf(ReadableStream.from((function* () { yield 1; throw new RangeError('x'); })()))),
      'values is the iterator': () => ReadableStream.prototype.values === ReadableStream.prototype[Symbol.asyncIterator],
      'Array.fromAsync': async () => Array.fromAsync(streamOf(1, 2)),
      'two nexts at once': async () => {
        const iterator = streamOf(1, 2).values();
        return Promise.all([iterator.next(), iterator.next(), iterator.next()]);
      },
    }),
};
