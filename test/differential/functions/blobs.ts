// Blob: parts, slices, types, streams.
import { chunksOf, report, thrown } from './lib/report.ts';

export default {
  fetch: async (): Promise<Response> =>
    report({
      'parts': async () => new Blob(['a', Uint8Array.of(98), new Uint8Array([99, 100]).buffer, new Blob(['e']), new DataView(Uint8Array.of(0, 102).buffer, 1)]).text(),
      'size and type': () => [new Blob(['ü']).size, new Blob().size, new Blob([], { type: 'Text/Plain;Charset=UTF-8' }).type, new Blob([], { type: 'a/ü' }).type],
      'other parts become text': async () => new Blob([1, null, {}] as unknown as string[]).text(),
      'endings': async () => [(await new Blob(['a\r\nb\nc'], { endings: 'native' }).text()), (await new Blob(['a\r\nb'], { endings: 'transparent' }).text())],
      'parts must be iterable': () => [thrown(() => new Blob('ab' as unknown as string[])), thrown(() => new Blob({} as string[])), thrown(() => new Blob(null as unknown as string[]))],
      'parts from a set': async () => new Blob(new Set(['a', 'b']) as unknown as string[]).text(),
      'slice': async () => Promise.all([[1, 3], [-2], [2], [0, -1], [3, 1], [10], []].map(async ([start, end]) => new Blob(['abcd']).slice(start, end).text())),
      'slice type': () => [new Blob([], { type: 'a/b' }).slice().type, new Blob([]).slice(0, 0, 'X/Y').type],
      'slice of a slice': async () => new Blob(['abcdef']).slice(1, 5).slice(1, 3).text(),
      'arrayBuffer': async () => new Blob(['ü']).arrayBuffer(),
      'bytes': async () => new Blob(['ü']).bytes(),
      'stream': async () => new Blob(await chunksOf(new Blob(['abc']).stream())).text(),
      'text replaces': async () => new Blob([Uint8Array.of(0xff)]).text(),
      'text keeps a mark': async () => (await new Blob([Uint8Array.of(0xef, 0xbb, 0xbf, 65)]).text()).length,
      'changes after do not show': async () => {
        const bytes = Uint8Array.of(65);
        const blob = new Blob([bytes]);
        bytes[0] = 66;
        return blob.text();
      },
      'class string': () => Object.prototype.toString.call(new Blob()),
      'surrogates': async () => new Blob(['\ud800']).arrayBuffer(),
    }),
};
