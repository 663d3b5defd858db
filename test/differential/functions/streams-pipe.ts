// pipeTo and pipeThrough: closing, errors, options, signals.
import { chunksOf, rejected, report, streamOf, thrown } from './lib/report.ts';

function sink(log: unknown[]): WritableStream {
  return new WritableStream({ write: (chunk) => void log.push(chunk), close: () => void log.push('closed'), abort: (reason) => void log.push(['aborted', String(reason)]) });
}

const broken = (): ReadableStream => new ReadableStream({ start: (controller) => controller.error(new RangeError('source')) });
const full = (): WritableStream => new WritableStream({ write: () => { throw new RangeError('sink'); } });

export default {
  fetch: async (): Promise<Response> =>
    report({
      'all chunks, then closed': async () => {
        const log: unknown[] = [];
        await streamOf(1, 2).pipeTo(sink(log));
        return log;
      },
      'preventClose': async () => {
        const log: unknown[] = [];
        const target = sink(log);
        await streamOf(1).pipeTo(target, { preventClose: true });
        return [log, target.locked];
      },
      'source error aborts': async () => {
        const log: unknown[] = [];
        return [await rejected(async () => broken().pipeTo(sink(log))), log];
      },
      'preventAbort': async () => {
        const log: unknown[] = [];
        return [await rejected(async () => broken().pipeTo(sink(log), { preventAbort: true })), log];
      },
      'sink error cancels': async () => {
        let reason: unknown;
        const source = new ReadableStream({ pull: (controller) => controller.enqueue(1), cancel: (why) => { reason = why; } });
        return [await rejected(async () => source.pipeTo(full())), reason];
      },
      'preventCancel': async () => {
        let cancelled = false;
        const source = new ReadableStream({ pull: (controller) => controller.enqueue(1), cancel: () => { cancelled = true; } });
        return [await rejected(async () => source.pipeTo(full(), { preventCancel: true })), cancelled, source.locked];
      },
      'signal': async () => {
        const log: unknown[] = [];
        const controller = new AbortController();
        const pipe = new ReadableStream().pipeTo(sink(log), { signal: controller.signal });
        controller.abort(new RangeError('stop'));
        return [await rejected(async () => pipe), log];
      },
      'aborted signal': async () => {
        const log: unknown[] = [];
        return [await rejected(async () => streamOf(1).pipeTo(sink(log), { signal: AbortSignal.abort() })), log.length];
      },
      'locks both': () => {
        const source = new ReadableStream();
        const target = new WritableStream();
        void source.pipeTo(target).catch(() => {});
        return [source.locked, target.locked];
      },
      'locked source': async () => {
        const source = streamOf(1);
        source.getReader();
        return rejected(async () => source.pipeTo(new WritableStream()));
      },
      'not a sink': async () => rejected(async () => streamOf(1).pipeTo({} as WritableStream)),
      'pipeThrough': async () => chunksOf(streamOf(1, 2, 3).pipeThrough(new TransformStream<number, number>({ transform: (chunk, controller) => controller.enqueue(chunk * 2) }))),
      'pipeThrough any pair': async () => {
        const { readable, writable } = new TransformStream();
        return chunksOf(streamOf('a').pipeThrough({ readable, writable }));
      },
      'pipeThrough refuses': () => [thrown(() => streamOf(1).pipeThrough({} as never)), thrown(() => streamOf(1).pipeThrough({ readable: new ReadableStream() } as never))],
      'waits for the sink': async () => {
        const log: string[] = [];
        let next = 0;
        const source = new ReadableStream({ pull: (controller) => { log.push(`pull ${next}`); if (next === 3) controller.close(); else controller.enqueue(next++); } }, { highWaterMark: 0 });
        await source.pipeTo(new WritableStream({ write: async (chunk) => { await new Promise((resolve) => setTimeout(resolve, 2)); log.push(`wrote ${chunk}`); } }));
        return log;
      },
    }),
};
