// Tee: both branches get all, cancel waits for both.
import { chunksOf, rejected, report, streamOf } from './lib/report.ts';

export default {
  fetch: async (): Promise<Response> =>
    report({
      'both get all': async () => Promise.all(streamOf(1, 2, 3).tee().map(chunksOf)),
      'one after the other': async () => {
        const [a, b] = streamOf('x', 'y').tee();
        return [await chunksOf(a), await chunksOf(b)];
      },
      'the source is locked': () => {
        const stream = streamOf(1);
        stream.tee();
        return stream.locked;
      },
      'chunks are the same objects': async () => {
        const [a, b] = streamOf({}).tee();
        return (await a.getReader().read()).value === (await b.getReader().read()).value;
      },
      'cancel needs both': async () => {
        let reason: unknown = 'not yet';
        const [a, b] = new ReadableStream({ cancel: (why) => { reason = why; } }).tee();
        const first = a.cancel('one');
        const between = reason;
        await Promise.all([first, b.cancel('two')]);
        return [between, reason];
      },
      'errors reach both': async () => {
        const [a, b] = new ReadableStream({ pull: (controller) => controller.error(new RangeError('x')) }).tee();
        return [await rejected(async () => a.getReader().read()), await rejected(async () => b.getReader().read())];
      },
      'bytes are copied': async () => {
        const [a, b] = new Response('ab').body?.tee() as [ReadableStream<Uint8Array>, ReadableStream<Uint8Array>];
        const one = (await a.getReader().read()).value as Uint8Array;
        one[0] = 0;
        return (await b.getReader().read()).value;
      },
      'of a tee': async () => Promise.all(streamOf(1).tee()[0].tee().map(chunksOf)),
    }),
};
