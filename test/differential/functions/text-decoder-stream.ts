// TextDecoderStream.
import { bytes, chunksOf, rejected, report, streamOf, thrown } from './lib/report.ts';

export default {
  fetch: async (): Promise<Response> =>
    report({
      'characters across chunks': async () => (await chunksOf(streamOf(bytes('41f09f'), bytes('988042')).pipeThrough(new TextDecoderStream()))).join('|'),
      'end flushes': async () => (await chunksOf(streamOf(bytes('41'), bytes('f09f')).pipeThrough(new TextDecoderStream()))).join('|'),
      'no empty chunks': async () => (await chunksOf(streamOf(bytes('f0'), bytes('9f'), bytes('98'), bytes('80')).pipeThrough(new TextDecoderStream()))).length,
      'mark': async () => (await chunksOf(streamOf(bytes('efbb'), bytes('bf41')).pipeThrough(new TextDecoderStream()))).join(''),
      'fatal': async () => rejected(async () => chunksOf(streamOf(bytes('ff')).pipeThrough(new TextDecoderStream('utf-8', { fatal: true })))),
      'legacy': async () => (await chunksOf(streamOf(bytes('93'), bytes('fa967b')).pipeThrough(new TextDecoderStream('shift_jis')))).join(''),
      'members': () => {
        const { encoding, fatal, ignoreBOM } = new TextDecoderStream('latin1', { fatal: true });
        return [encoding, fatal, ignoreBOM];
      },
      'unknown label': () => thrown(() => new TextDecoderStream('nope')),
      'refuses text': async () => rejected(async () => chunksOf(streamOf('a' as never).pipeThrough(new TextDecoderStream()))),
    }),
};
