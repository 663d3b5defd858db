// TextDecoder: every single-byte encoding, all upper 128 bytes.
import { report, thrown } from './lib/report.ts';

const upper = Uint8Array.from({ length: 128 }, (_, i) => i + 128);
const encodings = [
  'ibm866', 'iso-8859-2', 'iso-8859-3', 'iso-8859-4', 'iso-8859-5', 'iso-8859-6', 'iso-8859-7', 'iso-8859-8', 'iso-8859-8-i', 'iso-8859-10', 'iso-8859-13', 'iso-8859-14', 'iso-8859-15', 'iso-8859-16',
  'koi8-r', 'koi8-u', 'macintosh', 'windows-874', 'windows-1250', 'windows-1251', 'windows-1252', 'windows-1253', 'windows-1254', 'windows-1255', 'windows-1256', 'windows-1257', 'windows-1258', 'x-mac-cyrillic',
];

export default {
  fetch: async (): Promise<Response> =>
    report({
      ...Object.fromEntries(encodings.map((label) => [label, () => [new TextDecoder(label).encoding, new TextDecoder(label).decode(upper)]])),
      'x-user-defined': () => [...new TextDecoder('x-user-defined').decode(Uint8Array.of(0x41, 0x80, 0xff))].map((c) => c.codePointAt(0)),
      ...Object.fromEntries(encodings.map((label) => [`${label} fatal`, () => thrown(() => new TextDecoder(label, { fatal: true }).decode(upper))])),
    }),
};
