// Byte streams: BYOB reads, byobRequest, autoAllocateChunkSize, transfer of buffers.
import { chunksOf, rejected, report, thrown } from './lib/report.ts';

function bytesOf(...chunks: readonly number[][]): ReadableStream<Uint8Array<ArrayBuffer>> {
  let next = 0;
  return new ReadableStream({
    type: 'bytes',
    pull(controller) {
      const chunk = chunks[next++];
      if (chunk === undefined) {
        controller.close();
        controller.byobRequest?.respond(0);
      } else controller.enqueue(Uint8Array.from(chunk));
    },
  });
}

export default {
  fetch: async (): Promise<Response> =>
    report({
      'default reader': async () => chunksOf(bytesOf([1, 2], [3])),
      'fills views': async () => {
        const reader = bytesOf([1, 2, 3, 4, 5]).getReader({ mode: 'byob' });
        const one = await reader.read(new Uint8Array(2));
        const two = await reader.read(new Uint8Array(8));
        const three = await reader.read(new Uint8Array(4));
        return [one, two, three.done, three.value?.byteLength];
      },
      'keeps the type of view': async () => {
        const reader = bytesOf([1, 0, 2, 0]).getReader({ mode: 'byob' });
        const { value } = await reader.read(new Uint16Array(2));
        return [value instanceof Uint16Array, value];
      },
      'waits for a whole element': async () => {
        const reader = bytesOf([1], [0], [2, 0]).getReader({ mode: 'byob' });
        return (await reader.read(new Uint16Array(2))).value;
      },
      'at least min': async () => {
        const reader = bytesOf([1], [2], [3], [4]).getReader({ mode: 'byob' });
        return (await reader.read(new Uint8Array(4), { min: 3 })).value;
      },
      'takes the buffer': async () => {
        const view = new Uint8Array(2);
        await bytesOf([1, 2]).getReader({ mode: 'byob' }).read(view);
        return [view.byteLength, view.buffer.byteLength];
      },
      'offset in a larger buffer': async () => {
        const { value } = await bytesOf([7, 8]).getReader({ mode: 'byob' }).read(new Uint8Array(new ArrayBuffer(6), 2, 2));
        return [value?.byteOffset, value?.byteLength, value?.buffer.byteLength];
      },
      'empty views are refused': async () => {
        const reader = bytesOf([1]).getReader({ mode: 'byob' });
        return [await rejected(async () => reader.read(new Uint8Array(0))), await rejected(async () => reader.read(undefined as never))];
      },
      'byobRequest is written': async () => {
        const seen: unknown[] = [];
        const stream = new ReadableStream({
          type: 'bytes',
          pull(controller) {
            const view = controller.byobRequest?.view as Uint8Array;
            seen.push([view.byteLength, view.byteOffset]);
            view[0] = 42;
            controller.byobRequest?.respond(1);
          },
        });
        const { value } = await stream.getReader({ mode: 'byob' }).read(new Uint8Array(3));
        return [seen, value];
      },
      'respondWithNewView': async () => {
        const stream = new ReadableStream({
          type: 'bytes',
          pull(controller) {
            const view = controller.byobRequest?.view as Uint8Array;
            view.set([1, 2]);
            controller.byobRequest?.respondWithNewView(new Uint8Array(view.buffer, view.byteOffset, 2));
          },
        });
        return (await stream.getReader({ mode: 'byob' }).read(new Uint8Array(4))).value;
      },
      'no byobRequest for default reads': async () => {
        let request: unknown = 'none';
        const stream = new ReadableStream({
          type: 'bytes',
          pull(controller) {
            request = controller.byobRequest;
            controller.enqueue(Uint8Array.of(1));
          },
        });
        await stream.getReader().read();
        return request;
      },
      'autoAllocateChunkSize': async () => {
        const stream = new ReadableStream({
          type: 'bytes', autoAllocateChunkSize: 8,
          pull(controller) {
            const view = controller.byobRequest?.view as Uint8Array;
            view[0] = view.byteLength;
            controller.byobRequest?.respond(1);
          },
        });
        return (await stream.getReader().read()).value;
      },
      'enqueue refuses': () => {
        const seen: string[] = [];
        void new ReadableStream({
          type: 'bytes',
          start(controller) {
            seen.push(thrown(() => controller.enqueue('x' as never)), thrown(() => controller.enqueue(new Uint8Array(0))), thrown(() => controller.enqueue(new DataView(new ArrayBuffer(1)))));
          },
        });
        return seen;
      },
      'respond too much': async () => {
        let error = '';
        const stream = new ReadableStream({
          type: 'bytes',
          pull(controller) {
            error = thrown(() => controller.byobRequest?.respond(9));
            controller.close();
            controller.byobRequest?.respond(0);
          },
        });
        await stream.getReader({ mode: 'byob' }).read(new Uint8Array(1));
        return error;
      },
      'byob reader of a plain stream': () => thrown(() => new ReadableStream().getReader({ mode: 'byob' })),
      'size is refused': () => thrown(() => new ReadableStream({ type: 'bytes' }, { size: () => 1 } as object)),
      'bodies are byte streams': async () => {
        const reader = new Response('abc').body?.getReader({ mode: 'byob' });
        return (await reader?.read(new Uint8Array(2)))?.value;
      },
      'blob streams are byte streams': async () => (await new Blob(['abc']).stream().getReader({ mode: 'byob' }).read(new Uint8Array(2))).value,
      'cancel with pending read': async () => {
        const reader = new ReadableStream({ type: 'bytes' }).getReader({ mode: 'byob' });
        const read = reader.read(new Uint8Array(1));
        await reader.cancel();
        const { done, value } = await read;
        return [done, value];
      },
      'illegal constructors': () => [ReadableByteStreamController, ReadableStreamBYOBRequest].map((constructor) => thrown(() => new (constructor as unknown as new () => object)())),
    }),
};
