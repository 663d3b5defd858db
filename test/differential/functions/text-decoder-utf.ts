// TextDecoder: UTF-8 and UTF-16.
import { bytes, report, thrown } from './lib/report.ts';

const broken = ['ff', 'c0 80', 'e0 80 80', 'ed a0 80', 'f4 90 80 80', 'e2 98', 'f0 9f 98', '41 e2 98 42', 'c3', '80', 'f8 88 80 80 80', 'e2 28 a1'];

export default {
  fetch: async (): Promise<Response> =>
    report({
      'utf-8': () => new TextDecoder().decode(bytes('c3a9 e282ac f09f9880')),
      ...Object.fromEntries(broken.map((digits) => [`broken ${digits}`, () => [new TextDecoder().decode(bytes(digits)), thrown(() => new TextDecoder('utf-8', { fatal: true }).decode(bytes(digits)))]])),
      'mark': () => [new TextDecoder().decode(bytes('efbbbf41')), new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes('efbbbf41')).length],
      'mark only once': () => new TextDecoder().decode(bytes('efbbbf efbbbf')).length,
      'stream': () => {
        const decoder = new TextDecoder();
        return [...bytes('41 f09f9880 c3')].map((byte) => decoder.decode(Uint8Array.of(byte), { stream: true })).concat(decoder.decode());
      },
      'state is gone after the end': () => {
        const decoder = new TextDecoder();
        decoder.decode(bytes('f09f'), { stream: true });
        return [decoder.decode(), decoder.decode(bytes('9880'))];
      },
      'mark across chunks': () => {
        const decoder = new TextDecoder();
        return [decoder.decode(bytes('ef'), { stream: true }), decoder.decode(bytes('bbbf41'), { stream: true }), decoder.decode()];
      },
      'utf-16le': () => [new TextDecoder('utf-16').decode(bytes('4100 3dd8 00de')), new TextDecoder('utf-16le').decode(bytes('fffe4100')), new TextDecoder('utf-16le').decode(bytes('00d8 4100')), new TextDecoder('utf-16le').decode(bytes('4100 41'))],
      'utf-16be': () => [new TextDecoder('utf-16be').decode(bytes('0041 d83d de00')), new TextDecoder('utf-16be').decode(bytes('feff0041')), new TextDecoder('utf-16be').decode(bytes('d800 0041'))],
      'utf-16 fatal': () => [thrown(() => new TextDecoder('utf-16le', { fatal: true }).decode(bytes('00d8'))), thrown(() => new TextDecoder('utf-16le', { fatal: true }).decode(bytes('41')))],
      'labels': () => ['UTF8', ' utf-8\n', 'unicode-1-1-utf-8', 'ucs-2', 'utf-16', 'unicodefffe', 'latin1', 'ascii', 'iso-8859-1'].map((label) => new TextDecoder(label).encoding),
      'unknown labels': () => ['', 'nope', 'utf-7', 'utf-8\u00a0', 'utf-32', 'replacement', 'iso-2022-kr'].map((label) => thrown(() => new TextDecoder(label))),
      'sources': () => [new TextDecoder().decode(), new TextDecoder().decode(bytes('41').buffer), new TextDecoder().decode(new DataView(bytes('414243').buffer, 1, 1)), new TextDecoder().decode(new Uint16Array([0x4241]))],
      'refuses': () => [thrown(() => new TextDecoder().decode('x' as never)), thrown(() => new TextDecoder().decode(null as never)), thrown(() => new TextDecoder('utf-8', 1 as never))],
      'members': () => {
        const { encoding, fatal, ignoreBOM } = new TextDecoder('UTF-8', { fatal: true, ignoreBOM: true });
        return [encoding, fatal, ignoreBOM];
      },
    }),
};
