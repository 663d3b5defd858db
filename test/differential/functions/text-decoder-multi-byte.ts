// TextDecoder: the encodings of East Asia, whole, in single bytes, and broken.
import { bytes, report, thrown } from './lib/report.ts';

const samples: Readonly<Record<string, readonly string[]>> = {
  'gb18030': ['c4e3bac3', '81308130', '8431a439', '9032813c', 'a2e3', '80', 'ff', '81', '8130', '813081', '8130ff', 'a8bf', '6581 3041'],
  'gbk': ['c4e3bac3', '80', 'a1a1', 'fe50', 'ff'],
  'gb2312': ['c4e3bac3'],
  'big5': ['a741a66e', '8862', '8864', '88a3', 'a140', 'ff41', '8141', 'a7'],
  'euc-jp': ['c6fccbdcb8ec', '8eb1', '8fb0a1', 'a1', '8fa1', 'c641', 'ff'],
  'shift_jis': ['93fa967b8cea', 'b1b2b3', '8140', '80', 'a0', '93', '9300', 'f040', 'fc4b'],
  'iso-2022-jp': ['1b2442 467c 4b5c 1b2842 41', '1b284a 5c7e', '1b2849 3132', '1b2441', '1b', '0e41', '1b2442 46', '1b2442 1b2842'],
  'euc-kr': ['b0a1b3aa', 'c8c5', '8141', 'b041', 'ff', 'b0'],
};

export default {
  fetch: async (): Promise<Response> =>
    report(
      Object.fromEntries(
        Object.entries(samples).flatMap(([label, texts]) => texts.map((digits) => [
          `${label} ${digits}`,
          () => {
            const decoder = new TextDecoder(label);
            const pieces = [...bytes(digits)].map((byte) => decoder.decode(Uint8Array.of(byte), { stream: true })).join('') + decoder.decode();
            return [new TextDecoder(label).decode(bytes(digits)), pieces, thrown(() => new TextDecoder(label, { fatal: true }).decode(bytes(digits)))];
          },
        ])),
      ),
    ),
};
