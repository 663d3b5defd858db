// TransformStream: transform, flush, cancel, terminate, errors, back-pressure.
import { chunksOf, rejected, report, streamOf, thrown } from './lib/report.ts';

export default {
  fetch: async (): Promise<Response> =>
    report({
      'identity': async () => chunksOf(streamOf(1, 2).pipeThrough(new TransformStream())),
      'one to many': async () => chunksOf(streamOf('ab', 'c').pipeThrough(new TransformStream<string, string>({ transform: (chunk, controller) => { for (const one of chunk) controller.enqueue(one); } }))),
      'start and flush': async () => chunksOf(streamOf(2).pipeThrough(new TransformStream<number, number>({ start: (controller) => controller.enqueue(1), flush: (controller) => controller.enqueue(3) }))),
      'order of asynchronous work': async () =>
        chunksOf(streamOf(3, 1, 2).pipeThrough(new TransformStream<number, number>({ async transform(chunk, controller) { await new Promise((resolve) => setTimeout(resolve, chunk)); controller.enqueue(chunk); } }))),
      'terminate': async () => {
        const stream = new TransformStream<number, number>({ transform: (chunk, controller) => { controller.enqueue(chunk); if (chunk === 2) controller.terminate(); } });
        return [await rejected(async () => streamOf(1, 2, 3).pipeTo(stream.writable, { preventCancel: true }).catch((error: unknown) => { throw error; })).catch(String), typeof stream.readable];
      },
      'terminated readable ends': async () => {
        const stream = new TransformStream<number, number>({ transform: (chunk, controller) => { controller.enqueue(chunk); if (chunk === 2) controller.terminate(); } });
        void streamOf(1, 2, 3).pipeTo(stream.writable).catch(() => {});
        return chunksOf(stream.readable);
      },
      'error in transform': async () => {
        const stream = new TransformStream({ transform: () => { throw new RangeError('no'); } });
        const writer = stream.writable.getWriter();
        const written = rejected(async () => writer.write(1));
        return [await rejected(async () => stream.readable.getReader().read()), await written, await rejected(async () => writer.closed)];
      },
      'error in flush': async () => rejected(async () => chunksOf(streamOf(1).pipeThrough(new TransformStream({ flush: () => { throw new RangeError('no'); } })))),
      'controller.error': async () => {
        const stream = new TransformStream({ start: (controller) => controller.error(new RangeError('x')) });
        return [await rejected(async () => stream.readable.getReader().read()), await rejected(async () => stream.writable.getWriter().closed)];
      },
      'back-pressure': async () => {
        const { readable, writable } = new TransformStream();
        const writer = writable.getWriter();
        const sizes: unknown[] = [writer.desiredSize];
        void writer.write('a');
        sizes.push(writer.desiredSize);
        await readable.getReader().read();
        await writer.ready;
        return [...sizes, writer.desiredSize];
      },
      'abort reaches the reader': async () => {
        const { readable, writable } = new TransformStream();
        const read = rejected(async () => readable.getReader().read());
        await writable.abort(new RangeError('stop'));
        return read;
      },
      'cancel reaches the writer': async () => {
        const { readable, writable } = new TransformStream();
        const writer = writable.getWriter();
        await readable.cancel(new RangeError('stop'));
        return rejected(async () => writer.write(1));
      },
      'cancel callback': async () => {
        let reason: unknown;
        const { readable } = new TransformStream({ cancel: (why: unknown) => { reason = why; } } as Transformer);
        await readable.cancel('why');
        return reason;
      },
      'strategies': () => {
        const { writable } = new TransformStream({}, { highWaterMark: 5 }, { highWaterMark: 3 });
        return writable.getWriter().desiredSize;
      },
      'refuses types': () => [thrown(() => new TransformStream({ readableType: 'bytes' as never })), thrown(() => new TransformStream({ writableType: 'x' as never }))],
      'this of the transformer': async () => {
        const transformer: Transformer<number, boolean> = {
          transform(this: unknown, _chunk, controller) {
            controller.enqueue(this === transformer);
          },
        };
        return chunksOf(streamOf(1).pipeThrough(new TransformStream(transformer)));
      },
      'illegal constructor': () => thrown(() => new (TransformStreamDefaultController as unknown as new () => object)()),
    }),
};
