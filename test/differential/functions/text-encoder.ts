// TextEncoder.
import { report, thrown } from './lib/report.ts';

export default {
  fetch: async (): Promise<Response> =>
    report({
      'encode': () => ['', 'a', 'é', '€', '😀', '\ud800', 'a\udc00b', '\u0000'].map((text) => new TextEncoder().encode(text)),
      'encode nothing': () => [new TextEncoder().encode(), new TextEncoder().encode(undefined), new TextEncoder().encode(null as unknown as string)],
      'encodeInto': () => {
        const target = new Uint8Array(6);
        return [new TextEncoder().encodeInto('é€😀', target), target];
      },
      'encodeInto never splits': () => [0, 1, 2, 3, 4, 5].map((size) => new TextEncoder().encodeInto('a€😀', new Uint8Array(size))),
      'encodeInto surrogates': () => {
        const target = new Uint8Array(4);
        return [new TextEncoder().encodeInto('\ud800x', target), target];
      },
      'encodeInto refuses': () => thrown(() => new TextEncoder().encodeInto('a', new Uint16Array(1) as unknown as Uint8Array)),
      'encoding': () => [new TextEncoder().encoding, new (TextEncoder as new (label: string) => TextEncoder)('utf-16').encoding],
      'stream': async () => {
        const stream = new TextEncoderStream();
        const writer = stream.writable.getWriter();
        void (async () => {
          for (const part of ['a', '\ud83d', '\ude00', '\ud83d']) await writer.write(part);
          await writer.close();
        })();
        return [stream.encoding, await Array.fromAsync(stream.readable)];
      },
    }),
};
