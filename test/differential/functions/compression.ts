// CompressionStream and DecompressionStream: there and back, known bytes, broken bytes.
import { bytes, chunksOf, rejected, report, streamOf, thrown } from './lib/report.ts';

const formats = ['gzip', 'deflate', 'deflate-raw'] as const;
/** "hello hello hello\n", by other programs. */
const known: Readonly<Record<(typeof formats)[number], string>> = {
  'gzip': '1f8b080000000000020acb48cdc9c957c8409000e502003ef9f46512000000',
  'deflate': '789ccb48cdc9c957c8409000e502003f6f06a7',
  'deflate-raw': 'cb48cdc9c957c8409000e50200',
};

async function pass(data: Uint8Array<ArrayBuffer>, stream: CompressionStream | DecompressionStream): Promise<Uint8Array<ArrayBuffer>> {
  return new Response(streamOf(data).pipeThrough(stream)).bytes() as Promise<Uint8Array<ArrayBuffer>>;
}

const text = new TextEncoder().encode('the same words again and again, '.repeat(500));

export default {
  fetch: async (): Promise<Response> =>
    report({
      ...Object.fromEntries(formats.flatMap((format) => [
        [`${format} there and back`, async () => new TextDecoder().decode(await pass(await pass(text, new CompressionStream(format)), new DecompressionStream(format))) === new TextDecoder().decode(text)],
        [`${format} is smaller`, async () => (await pass(text, new CompressionStream(format))).length < text.length / 10],
        [`${format} empty`, async () => pass(await pass(new Uint8Array(0), new CompressionStream(format)), new DecompressionStream(format))],
        [`${format} known`, async () => new TextDecoder().decode(await pass(bytes(known[format]), new DecompressionStream(format)))],
        [`${format} byte by byte`, async () => new Response(streamOf(...[...bytes(known[format])].map((byte) => Uint8Array.of(byte))).pipeThrough(new DecompressionStream(format))).text()],
        [`${format} cut short`, async () => rejected(async () => pass(bytes(known[format]).slice(0, -3), new DecompressionStream(format)))],
        [`${format} broken`, async () => rejected(async () => pass(bytes('ffffffffffffffffffffffff'), new DecompressionStream(format)))],
        [`${format} with more behind`, async () => rejected(async () => pass(bytes(`${known[format]}00`), new DecompressionStream(format)))],
      ])),
      'gzip checksum': async () => rejected(async () => pass(bytes(known.gzip.replace('3ef9f465', '3ef9f466')), new DecompressionStream('gzip'))),
      'gzip head': async () => (await pass(text, new CompressionStream('gzip'))).slice(0, 4),
      'refuses text': async () => rejected(async () => chunksOf(streamOf('a' as never).pipeThrough(new CompressionStream('gzip')))),
      'takes buffers': async () => new Response(streamOf(bytes(known.deflate).buffer).pipeThrough(new DecompressionStream('deflate'))).text(),
      'unknown format': () => [thrown(() => new CompressionStream('zip' as never)), thrown(() => new DecompressionStream('GZIP' as never)), thrown(() => new (CompressionStream as unknown as new () => object)())],
      'class strings': () => [new CompressionStream('gzip'), new DecompressionStream('gzip')].map((one) => Object.prototype.toString.call(one)),
    }),
};
