// Every kind of body, its bytes and its content type.
import { report, streamOf } from './lib/report.ts';

const buffer = Uint8Array.of(0, 1, 2, 3, 4, 5).buffer;

const sources: Readonly<Record<string, () => BodyInit>> = {
  'string': () => 'ü',
  'empty string': () => '',
  'Uint8Array': () => Uint8Array.of(1, 2),
  'part of a buffer': () => new Uint8Array(buffer, 2, 3),
  'Uint16Array': () => Uint16Array.of(1, 2),
  'DataView': () => new DataView(buffer, 1, 2),
  'ArrayBuffer': () => buffer,
  'URLSearchParams': () => new URLSearchParams({ a: 'ü b', c: '' }),
  'Blob': () => new Blob(['ab']),
  'Blob with type': () => new Blob(['ab'], { type: 'X/Y' }),
  'ReadableStream': () => streamOf(Uint8Array.of(7), Uint8Array.of(8)),
};

export default {
  fetch: async (): Promise<Response> =>
    report({
      ...Object.fromEntries(
        Object.entries(sources).map(([name, make]) => [
          name,
          async () => {
            const response = new Response(make());
            return [response.headers.get('content-type'), await response.arrayBuffer()];
          },
        ]),
      ),
      'FormData has a boundary': () => /^multipart\/form-data; ?boundary="?[^"]+"?$/.test(new Response(new FormData()).headers.get('content-type') ?? ''),
      'changes after do not show': async () => {
        const bytes = Uint8Array.of(1, 2);
        const response = new Response(bytes);
        bytes[0] = 9;
        return response.arrayBuffer();
      },
      'surrogates': async () => new Response('a\ud800b').arrayBuffer(),
    }),
};
