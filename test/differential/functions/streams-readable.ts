// ReadableStream and its default reader.
import { chunksOf, describe, rejected, report, streamOf, thrown } from './lib/report.ts';

export default {
  fetch: async (): Promise<Response> =>
    report({
      'chunks in order': async () => chunksOf(streamOf<unknown>(1, 'two', { three: 3 })),
      'start, pull, cancel are called in order': async () => {
        const seen: string[] = [];
        const stream = new ReadableStream({ start: () => void seen.push('start'), pull: (controller) => { seen.push('pull'); controller.enqueue(1); }, cancel: (reason) => void seen.push(`cancel ${reason}`) }, { highWaterMark: 0 });
        const reader = stream.getReader();
        seen.push('reader');
        await reader.read();
        await reader.cancel('why');
        return seen;
      },
      'desired size': () => {
        const sizes: unknown[] = [];
        const stream = new ReadableStream({
          start(controller) {
            sizes.push(controller.desiredSize);
            controller.enqueue('a');
            sizes.push(controller.desiredSize);
            controller.close();
            sizes.push(controller.desiredSize);
          },
        }, { highWaterMark: 3 });
        return [sizes, stream.locked];
      },
      'pull is called up to the mark': async () => {
        let pulls = 0;
        const stream = new ReadableStream({ pull: (controller) => { pulls += 1; controller.enqueue(pulls); } }, { highWaterMark: 4 });
        await new Promise((resolve) => setTimeout(resolve, 5));
        return [pulls, stream.locked];
      },
      'locked': () => {
        const stream = streamOf(1);
        const reader = stream.getReader();
        const states = [stream.locked, thrown(() => stream.getReader())];
        reader.releaseLock();
        return [...states, stream.locked];
      },
      'cancel while locked': async () => {
        const stream = streamOf(1);
        stream.getReader();
        return rejected(async () => stream.cancel());
      },
      'read after release': async () => {
        const reader = streamOf(1).getReader();
        reader.releaseLock();
        return [await rejected(async () => reader.read()), await rejected(async () => reader.closed), await rejected(async () => reader.cancel())];
      },
      'pending read on release': async () => {
        const reader = new ReadableStream().getReader();
        const read = rejected(async () => reader.read());
        reader.releaseLock();
        return read;
      },
      'closed': async () => {
        const reader = streamOf(1).getReader();
        await reader.read();
        await reader.read();
        return reader.closed;
      },
      'error': async () => {
        const reader = new ReadableStream({ start: (controller) => controller.error(new RangeError('broken')) }).getReader();
        return [await rejected(async () => reader.read()), await rejected(async () => reader.closed)];
      },
      'error drops the queue': async () => {
        const reader = new ReadableStream({ start: (controller) => { controller.enqueue(1); controller.error('gone'); } }).getReader();
        return rejected(async () => reader.read());
      },
      'error from start': async () => thrown(() => new ReadableStream({ start: () => { throw new RangeError('no'); } })),
      'error from pull': async () => rejected(async () => new ReadableStream({ pull: async () => { throw new RangeError('no'); } }).getReader().read()),
      'after close': () => {
        const seen: string[] = [];
        void new ReadableStream({
          start(controller) {
            controller.close();
            seen.push(thrown(() => controller.close()), thrown(() => controller.enqueue(1)), thrown(() => controller.error('fine')));
          },
        });
        return seen;
      },
      'chunks before close are read': async () => chunksOf(new ReadableStream({ start: (controller) => { controller.enqueue(1); controller.enqueue(2); controller.close(); } })),
      'cancel a closed one': async () => {
        const stream = new ReadableStream({ start: (controller) => controller.close(), cancel: () => { throw new Error('never'); } });
        return stream.cancel();
      },
      'cancel that fails': async () => rejected(async () => new ReadableStream({ cancel: async () => { throw new RangeError('no'); } }).cancel()),
      'reads in parallel': async () => {
        const reader = streamOf('a', 'b').getReader();
        return Promise.all([reader.read(), reader.read(), reader.read()]);
      },
      'bad arguments': () => [thrown(() => new ReadableStream(null as never)), thrown(() => new ReadableStream({ type: 'x' as 'bytes' })), thrown(() => new ReadableStream({}, { highWaterMark: -1 })), thrown(() => streamOf(1).getReader({ mode: 'x' as 'byob' }))],
      'illegal constructor': () => [thrown(() => new (ReadableStreamDefaultController as unknown as new () => object)()), thrown(() => new ReadableStreamDefaultReader({} as ReadableStream))],
      'reader by constructor': async () => new ReadableStreamDefaultReader(streamOf(1)).read(),
      'size that throws': async () => {
        let error = '';
        const stream = new ReadableStream({ start: (controller) => { try { controller.enqueue(1); } catch (caught) { error = describe(caught); } } }, { size: () => { throw new RangeError('size'); } });
        return [error, await rejected(async () => stream.getReader().read())];
      },
    }),
};
