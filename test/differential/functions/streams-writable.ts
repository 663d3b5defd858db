// WritableStream and its writer.
import { rejected, report, thrown } from './lib/report.ts';

export default {
  fetch: async (): Promise<Response> =>
    report({
      'writes in order': async () => {
        const log: unknown[] = [];
        const writer = new WritableStream({ start: () => void log.push('start'), write: async (chunk) => { await Promise.resolve(); log.push(chunk); }, close: () => void log.push('close') }).getWriter();
        void writer.write(1);
        void writer.write(2);
        await writer.close();
        return log;
      },
      'desired size and ready': async () => {
        const writer = new WritableStream({}, { highWaterMark: 2 }).getWriter();
        const sizes = [writer.desiredSize];
        const first = writer.write('a');
        sizes.push(writer.desiredSize);
        const second = writer.write('b');
        sizes.push(writer.desiredSize);
        await Promise.all([first, second, writer.ready]);
        return [...sizes, writer.desiredSize];
      },
      'abort': async () => {
        const log: unknown[] = [];
        const writer = new WritableStream({ abort: (reason) => void log.push(reason) }).getWriter();
        await writer.abort('why');
        return [log, await rejected(async () => writer.write(1)), await rejected(async () => writer.closed)];
      },
      'abort signal of the controller': async () => {
        let signal: AbortSignal | undefined;
        const stream = new WritableStream({ start: (controller) => { signal = controller.signal; } });
        const before = signal?.aborted;
        await stream.abort('why');
        return [before, signal?.aborted, signal?.reason];
      },
      'controller.error': async () => {
        const writer = new WritableStream({ start: (controller) => controller.error(new RangeError('x')) }).getWriter();
        return [await rejected(async () => writer.closed), await rejected(async () => writer.ready), await rejected(async () => writer.write(1)), thrown(() => writer.desiredSize)];
      },
      'write that fails': async () => {
        const writer = new WritableStream({ write: async () => { throw new RangeError('x'); } }).getWriter();
        return [await rejected(async () => writer.write(1)), await rejected(async () => writer.close())];
      },
      'close twice': async () => {
        const stream = new WritableStream();
        await stream.close();
        return rejected(async () => stream.close());
      },
      'locked': async () => {
        const stream = new WritableStream();
        const writer = stream.getWriter();
        return [stream.locked, thrown(() => stream.getWriter()), await rejected(async () => stream.close()), await rejected(async () => stream.abort()), (writer.releaseLock(), stream.locked)];
      },
      'after release': async () => {
        const writer = new WritableStream().getWriter();
        writer.releaseLock();
        return [await rejected(async () => writer.write(1)), thrown(() => writer.desiredSize), await rejected(async () => writer.closed)];
      },
      'size': async () => {
        const writer = new WritableStream<string>({}, { highWaterMark: 10, size: (chunk) => chunk.length }).getWriter();
        void writer.write('abc');
        return writer.desiredSize;
      },
      'refuses type': () => thrown(() => new WritableStream({ type: 'x' as never })),
      'strategies': () => [new CountQueuingStrategy({ highWaterMark: 3 }).highWaterMark, new CountQueuingStrategy({ highWaterMark: 3 }).size(), new ByteLengthQueuingStrategy({ highWaterMark: 9 }).size(new Uint8Array(4)), thrown(() => new CountQueuingStrategy({} as QueuingStrategyInit))],
      'strategy sizes are shared': () => new CountQueuingStrategy({ highWaterMark: 1 }).size === new CountQueuingStrategy({ highWaterMark: 2 }).size,
      'illegal constructor': () => thrown(() => new (WritableStreamDefaultController as unknown as new () => object)()),
    }),
};
