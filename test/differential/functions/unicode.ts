// Text of every plane, normal forms, segmentation by code points.
import { report } from './lib/report.ts';

const text = 'e\u0301 ﬁ Å ẞ 한 😀👩‍👩‍👧 \u{10ffff}';

export default {
  fetch: async (): Promise<Response> =>
    report({
      'normal forms': () => (['NFC', 'NFD', 'NFKC', 'NFKD'] as const).map((form) => [...text.normalize(form)].length),
      'well formed': () => ['a\ud800'.isWellFormed(), 'a\ud800'.toWellFormed(), '😀'.isWellFormed()],
      'upper and lower': () => ['straße'.toUpperCase(), 'İ'.toLowerCase().length, 'ΑΣ'.toLowerCase()],
      'lengths': () => [text.length, [...text].length, new TextEncoder().encode(text).length],
      'properties': () => ['ä', '1', '٣', '😀', 'ℵ'].map((one) => [/\p{L}/u.test(one), /\p{Nd}/u.test(one), /\p{Emoji}/u.test(one)]),
      'sets': () => [/^[\p{L}--[a-z]]$/v.test('a'), /^[\p{L}--[a-z]]$/v.test('ä'), /^\p{RGI_Emoji}$/v.test('👩‍👩‍👧')],
      'compare': () => ['ä', 'z', 'a', 'Z'].toSorted((a, b) => a.localeCompare(b, 'de')),
      'encodeURIComponent': () => encodeURIComponent('ü ☃/?#&+😀'),
      'escape': () => [escape('ü☃'), unescape('%FC%u2603')],
      'code points': () => ['😀'.codePointAt(0), String.fromCodePoint(0x1f600), '😀'.at(-1)],
    }),
};
