// Encoding standard inside an isolate: every encoding and label, streaming, fatal; held against two independent decoders.
import { TextDecoder as ReferenceDecoder } from '@exodus/bytes/encoding.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runChecks } from '../../../support/isolate-checks.ts';
import { TestHost } from '../../../support/isolates-host.ts';

const host = TestHost.shared();

/** Names and labels (section 4.2); "replacement" can't be asked for. */
const LABELS: Readonly<Record<string, string>> = {
  'utf-8': 'unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8',
  ibm866: '866 cp866 csibm866 ibm866',
  'iso-8859-2': 'csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2',
  'iso-8859-3': 'csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3',
  'iso-8859-4': 'csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4',
  'iso-8859-5': 'csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988',
  'iso-8859-6': 'arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987',
  'iso-8859-7': 'csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597 iso_8859-7 iso_8859-7:1987 sun_eu_greek',
  'iso-8859-8': 'csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598 iso_8859-8 iso_8859-8:1988 visual',
  'iso-8859-8-i': 'csiso88598i iso-8859-8-i logical',
  'iso-8859-10': 'csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6',
  'iso-8859-13': 'iso-8859-13 iso8859-13 iso885913',
  'iso-8859-14': 'iso-8859-14 iso8859-14 iso885914',
  'iso-8859-15': 'csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9',
  'iso-8859-16': 'iso-8859-16',
  'koi8-r': 'cskoi8r koi koi8 koi8-r koi8_r',
  'koi8-u': 'koi8-ru koi8-u',
  macintosh: 'csmacintosh mac macintosh x-mac-roman',
  'windows-874': 'dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874',
  'windows-1250': 'cp1250 windows-1250 x-cp1250',
  'windows-1251': 'cp1251 windows-1251 x-cp1251',
  'windows-1252': 'ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252',
  'windows-1253': 'cp1253 windows-1253 x-cp1253',
  'windows-1254': 'cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5 windows-1254 x-cp1254',
  'windows-1255': 'cp1255 windows-1255 x-cp1255',
  'windows-1256': 'cp1256 windows-1256 x-cp1256',
  'windows-1257': 'cp1257 windows-1257 x-cp1257',
  'windows-1258': 'cp1258 windows-1258 x-cp1258',
  'x-mac-cyrillic': 'x-mac-cyrillic x-mac-ukrainian',
  gbk: 'chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk',
  gb18030: 'gb18030',
  big5: 'big5 big5-hkscs cn-big5 csbig5 x-x-big5',
  'euc-jp': 'cseucpkdfmtjapanese euc-jp x-euc-jp',
  'iso-2022-jp': 'csiso2022jp iso-2022-jp',
  shift_jis: 'csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis',
  'euc-kr': 'cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949',
  'utf-16be': 'unicodefffe utf-16be',
  'utf-16le': 'csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le',
  'x-user-defined': 'x-user-defined',
};

test('every label names its encoding', async () => {
  const pairs = Object.entries(LABELS).flatMap(([name, labels]) => labels.split(' ').map((label) => [label, name]));
  expect(pairs.length).toBeGreaterThan(200);
  expect(await runChecks(host(), `
    const pairs = ${JSON.stringify(pairs)};
    check('all', () => equal(pairs.filter(([label, name]) => new TextDecoder(label).encoding !== name), []));
    check('upper case and white space', () => equal(pairs.filter(([label, name]) => new TextDecoder('\\t\\n\\f\\r ' + label.toUpperCase() + ' \\r').encoding !== name), []));
    check('none of these', () => { for (const label of ['', 'utf-7', 'utf-32', 'nope', 'utf-8\\u0000', '\\u0000utf-8', 'utf-8\\u000b', '\\u00a0utf-8', '\\u2028utf-8', 'x'.repeat(10000)]) throws('RangeError', () => new TextDecoder(label)); });
    check('replacement', () => { for (const label of ['replacement', 'hz-gb-2312', 'csiso2022kr', 'iso-2022-cn', 'iso-2022-cn-ext', 'iso-2022-kr']) throws('RangeError', () => new TextDecoder(label)); });
  `)).toEqual({ ran: 4, failures: [] });
});

test('TextEncoder', async () => {
  expect(await runChecks(host(), `
    check('encodes', () => equal([new TextEncoder().encode(), new TextEncoder().encode(undefined), new TextEncoder().encode('z¢水𝄞'), new TextEncoder().encode(null)].map((b) => Array.from(b)), [[], [], [0x7a, 0xc2, 0xa2, 0xe6, 0xb0, 0xb4, 0xf0, 0x9d, 0x84, 0x9e], [110, 117, 108, 108]]));
    check('lone surrogates', () => equal(Array.from(new TextEncoder().encode('\\ud834a\\udc00')), [0xef, 0xbf, 0xbd, 97, 0xef, 0xbf, 0xbd]));
    check('long text', () => { const t = 'aé水𝄞'.repeat(300000); equal(new TextDecoder().decode(new TextEncoder().encode(t)) === t, true); });
    check('takes no label', () => equal(new TextEncoder('utf-16le').encoding, 'utf-8'));
    const into = (text, size) => { const b = new Uint8Array(size); const r = new TextEncoder().encodeInto(text, b); return [r.read, r.written, Array.from(b)]; };
    check('encodeInto keeps sequences whole', () => equal([into('𝄞x', 3), into('𝄞x', 4), into('é水', 4), into('\\ud834', 3), into('\\udc00\\ud834x', 7), into('abc', 2)],
      [[0, 0, [0, 0, 0]], [2, 4, [0xf0, 0x9d, 0x84, 0x9e]], [1, 2, [0xc3, 0xa9, 0, 0]], [1, 3, [0xef, 0xbf, 0xbd]], [3, 7, [0xef, 0xbf, 0xbd, 0xef, 0xbf, 0xbd, 120]], [2, 2, [97, 98]]]));
    check('encodeInto a part of a buffer', () => { const b = new Uint8Array(6); new TextEncoder().encodeInto('abcdef', b.subarray(2, 4)); equal(b, new Uint8Array([0, 0, 97, 98, 0, 0])); });
    check('encodeInto wants a Uint8Array', () => { for (const v of [new Int8Array(4), new Uint8ClampedArray(4), new Uint16Array(4), new DataView(new ArrayBuffer(4)), new ArrayBuffer(4), [], undefined]) throws('TypeError', () => new TextEncoder().encodeInto('', v)); throws('TypeError', () => new TextEncoder().encodeInto('')); });
    check('symbols', () => { throws('TypeError', () => new TextEncoder().encode(Symbol())); throws('TypeError', () => new TextEncoder().encodeInto(Symbol(), new Uint8Array(1))); });
    check('brand', () => { throws('TypeError', () => TextEncoder.prototype.encode.call({}, '')); throws('TypeError', () => TextEncoder()); throws('TypeError', () => Reflect.get(TextEncoder.prototype, 'encoding', {})); });
  `)).toEqual({ ran: 9, failures: [] });
});

test('TextDecoder', async () => {
  expect(await runChecks(host(), `
    const bytes = (...b) => new Uint8Array(b);
    check('defaults', () => { const d = new TextDecoder(); equal([d.encoding, d.fatal, d.ignoreBOM, d.decode(), d.decode(undefined), new TextDecoder(undefined).encoding], ['utf-8', false, false, '', '', 'utf-8']); });
    check('options are converted', () => { const d = new TextDecoder('latin1', { fatal: 1, ignoreBOM: 'x' }); equal([d.encoding, d.fatal, d.ignoreBOM], ['windows-1252', true, true]); throws('TypeError', () => new TextDecoder('utf-8', 1)); throws('TypeError', () => new TextDecoder().decode(bytes(), 'x')); });
    check('every kind of buffer', () => { for (const v of [bytes(104, 105).buffer, bytes(104, 105), new Int8Array([104, 105]), new Uint16Array(bytes(104, 105).buffer), new DataView(bytes(0, 104, 105).buffer, 1)]) equal(new TextDecoder().decode(v), 'hi'); });
    check('nothing else', () => { for (const v of [null, 'x', 1, {}, [104]]) throws('TypeError', () => new TextDecoder().decode(v)); });
    check('byte order marks', () => equal([new TextDecoder().decode(bytes(0xef, 0xbb, 0xbf, 65)), new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes(0xef, 0xbb, 0xbf, 65)), new TextDecoder('utf-16le').decode(bytes(0xff, 0xfe, 65, 0)), new TextDecoder('utf-16be').decode(bytes(0xfe, 0xff, 0, 65)),
      new TextDecoder('utf-16le').decode(bytes(0xfe, 0xff)), new TextDecoder().decode(bytes(0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf))], ['A', '\\ufeffA', 'A', 'A', '\\ufffe', '\\ufeff']));
    check('a mark in pieces, and one for each run', () => { const d = new TextDecoder(); const run = () => [0xef, 0xbb, 0xbf, 65].map((b) => d.decode(bytes(b), { stream: true })).join('') + d.decode(); equal([run(), run()], ['A', 'A']); });
    check('UTF-8 errors, one for each maximal part', () => equal([[0xff], [0xc0, 0x80], [0xe0, 0x80, 0x80], [0xf0, 0x90, 0x28], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82], [0xf0, 0x9f, 0x98, 0x41], [0xc2, 0xc2, 0xa2]].map((b) => new TextDecoder().decode(bytes(...b))),
      ['\\ufffd', '\\ufffd\\ufffd', '\\ufffd\\ufffd\\ufffd', '\\ufffd(', '\\ufffd\\ufffd\\ufffd', '\\ufffd\\ufffd\\ufffd\\ufffd', '\\ufffd', '\\ufffdA', '\\ufffd¢']));
    check('fatal throws for each of them', () => { for (const b of [[0xff], [0xc0, 0x80], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82], [65, 0x80], [0xf8, 0x88, 0x80, 0x80, 0x80]]) throws('TypeError', () => new TextDecoder('utf-8', { fatal: true }).decode(bytes(...b))); });
    check('fatal takes U+FFFD and U+FEFF that are there', () => equal(new TextDecoder('utf-8', { fatal: true }).decode(bytes(65, 0xef, 0xbf, 0xbd, 0xef, 0xbb, 0xbf)), 'A\\ufffd\\ufeff'));
    check('fatal in a stream tells at once', () => { const d = new TextDecoder('utf-8', { fatal: true }); equal(d.decode(bytes(0xe2), { stream: true }), ''); throws('TypeError', () => d.decode(bytes(0x28), { stream: true })); });
    check('fatal at the end of a stream', () => { const d = new TextDecoder('utf-8', { fatal: true }); d.decode(bytes(0xe2, 0x82), { stream: true }); throws('TypeError', () => d.decode()); equal(d.decode(bytes(0xe2, 0x82, 0xac)), '€'); });
    check('an error is not held back', () => equal(new TextDecoder().decode(bytes(0xe0, 0x80), { stream: true }), '\\ufffd\\ufffd'));
    check('UTF-16 errors', () => equal([new TextDecoder('utf-16le').decode(bytes(0x00, 0xd8)), new TextDecoder('utf-16le').decode(bytes(0x00, 0xdc, 65, 0)), new TextDecoder('utf-16le').decode(bytes(65)), new TextDecoder('utf-16le').decode(bytes(0, 0xd8, 0)), new TextDecoder('utf-16be').decode(bytes(0xd8, 0x34, 0xdd, 0x1e))], ['\\ufffd', '\\ufffdA', '\\ufffd', '\\ufffd', '𝄞']));
    check('UTF-16 fatal', () => { for (const b of [[0, 0xd8], [0, 0xdc], [65], [0, 0xd8, 65, 0]]) throws('TypeError', () => new TextDecoder('utf-16le', { fatal: true }).decode(bytes(...b))); });
    check('brand', () => { throws('TypeError', () => TextDecoder.prototype.decode.call({})); throws('TypeError', () => TextDecoder()); throws('TypeError', () => Reflect.get(TextDecoder.prototype, 'fatal', {})); });
  `)).toEqual({ ran: 15, failures: [] });
});

/** Decodes one input in pieces that end at `cuts`, or says that it throws. */
const DECODER = `export default { async fetch(req) {
  const { jobs } = await req.json();
  return Response.json(jobs.map(({ encoding, bytes, cuts, fatal }) => {
    const data = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0));
    const decoder = new TextDecoder(encoding, { fatal });
    try {
      let text = '', at = 0;
      for (const cut of cuts) { text += decoder.decode(data.subarray(at, cut), { stream: true }); at = cut; }
      return text + decoder.decode(data.subarray(at));
    } catch (e) { return [e.name]; }
  }));
} };`;

interface Job {
  readonly encoding: string;
  readonly bytes: string;
  readonly cuts: readonly number[];
  readonly fatal: boolean;
}

async function decodeAll(jobs: readonly Job[]): Promise<unknown[]> {
  const f = await host().deploy(DECODER, { debug: true, cpuMs: 20_000, memoryMb: 256 });
  const answer = await host().call(f, { body: JSON.stringify({ jobs }) });
  if (answer.code !== null) throw new Error(`${answer.code}: ${answer.detail}`);
  return JSON.parse(answer.body.toString()) as unknown[];
}

function reference({ encoding, bytes, fatal }: Job): unknown {
  try {
    return new ReferenceDecoder(encoding, { fatal }).decode(Buffer.from(bytes, 'base64'));
  } catch (error) {
    return [(error as Error).name];
  }
}

const MULTI_BYTE = ['gbk', 'gb18030', 'big5', 'euc-jp', 'iso-2022-jp', 'shift_jis', 'euc-kr'];

describe('decoders agree with an independent one', () => {
  test('for every byte of every single-byte encoding', async () => {
    const bytes = Buffer.from(Uint8Array.from({ length: 256 }, (_, i) => i)).toString('base64');
    const names = Object.keys(LABELS).filter((name) => !MULTI_BYTE.includes(name) && !name.startsWith('utf'));
    const jobs = names.flatMap((encoding) => [false, true].map((fatal) => ({ encoding, bytes, cuts: [3, 200], fatal })));
    expect(jobs).toHaveLength(58);
    expect(await decodeAll(jobs)).toEqual(jobs.map(reference));
  });

  test.each(MULTI_BYTE)('for every pair of bytes of %s', async (encoding) => {
    const jobs: Job[] = [];
    for (let lead = 0; lead < 256; lead++) {
      const all = Uint8Array.from({ length: 256 * 3 }, (_, i) => (i % 3 === 0 ? lead : i % 3 === 1 ? Math.trunc(i / 3) : 0x0a));
      jobs.push({ encoding, bytes: Buffer.from(all).toString('base64'), cuts: [], fatal: false });
    }
    expect(await decodeAll(jobs)).toEqual(jobs.map(reference));
  });

  test.each([...MULTI_BYTE, 'utf-8', 'utf-16le', 'utf-16be'])('for noise in %s, in pieces or whole, fatal or not', async (encoding) => {
    const byte = fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0x1b, 0x24, 0x28, 0x42, 0x4a, 0x49, 0x30, 0x39, 0x81, 0x8e, 0x8f, 0xa1, 0xfe, 0xe0, 0xf0, 0x80, 0xd8, 0xdc), fc.integer({ min: 0x20, max: 0x7e }));
    const job = fc.record({ data: fc.array(byte, { maxLength: 40 }), cuts: fc.array(fc.nat(40), { maxLength: 4 }), fatal: fc.boolean() });
    const jobs = fc.sample(job, { numRuns: 600, seed: 7 }).map(({ data, cuts, fatal }): Job => ({
      encoding, bytes: Buffer.from(data).toString('base64'), cuts: cuts.filter((c) => c <= data.length).toSorted((a, b) => a - b), fatal,
    }));
    const answers = await decodeAll(jobs);
    const wanted = jobs.map(reference);
    // What is worth showing is the first that differs.
    const at = answers.findIndex((answer, i) => JSON.stringify(answer) !== JSON.stringify(wanted[i]));
    expect(at < 0 ? undefined : { ...jobs[at], got: answers[at], wanted: wanted[at], hex: Buffer.from(jobs[at]?.bytes ?? '', 'base64').toString('hex') }).toBeUndefined();
    expect(wanted.some((w) => Array.isArray(w)) && wanted.some((w) => typeof w === 'string')).toBe(true);
  });

  test('gb18030: every four-byte sequence of the Basic Multilingual Plane, and the ends of the others', async () => {
    const four = (p: number): number[] => [0x81 + Math.trunc(p / 12_600), 0x30 + (Math.trunc(p / 1_260) % 10), 0x81 + (Math.trunc(p / 10) % 126), 0x30 + (p % 10)];
    const all = Array.from({ length: 39_420 }, (_, p) => four(p)).flat();
    const ends = [39_420, 188_999, 189_000, 189_001, 1_237_575, 1_237_576].flatMap(four);
    const jobs = [all, ends].map((data): Job => ({ encoding: 'gb18030', bytes: Buffer.from(data).toString('base64'), cuts: [5, 1_001].filter((c) => c < data.length), fatal: false }));
    expect(await decodeAll(jobs)).toEqual(jobs.map(reference));
  });

  test('UTF-8 and UTF-16 as Node decodes them', async () => {
    const jobs = fc.sample(fc.tuple(fc.constantFrom('utf-8', 'utf-16le', 'utf-16be'), fc.string({ unit: 'binary', maxLength: 90 })), { numRuns: 300, seed: 3 }).map(([encoding, text]): Job => {
      const raw = encoding === 'utf-8' ? Buffer.from(text) : Buffer.from(text, 'utf16le');
      return { encoding, bytes: raw.toString('base64'), cuts: [1, 2, 7].filter((c) => c < raw.length), fatal: false };
    });
    expect(await decodeAll(jobs)).toEqual(jobs.map(({ encoding, bytes }) => new TextDecoder(encoding).decode(Buffer.from(bytes, 'base64'))));
  });
});

test('TextDecoderStream and TextEncoderStream', async () => {
  expect(await runChecks(host(), `
    const through = async (chunks, pair) => { const out = []; for await (const x of ReadableStream.from(chunks).pipeThrough(pair)) out.push(x); return out; };
    check('attributes', () => { const d = new TextDecoderStream('shift-jis', { fatal: true }); const e = new TextEncoderStream(); equal([d.encoding, d.fatal, d.ignoreBOM, e.encoding, d.readable instanceof ReadableStream, e.writable instanceof WritableStream, d.readable === d.readable], ['shift_jis', true, false, 'utf-8', true, true, true]); });
    check('decodes split characters', async () => equal(await through([new Uint8Array([0xf0, 0x9f]), new Uint8Array([0x92, 0x99]), new Uint8Array([65])], new TextDecoderStream()), ['💙', 'A']));
    check('incomplete at the end', async () => equal(await through([new Uint8Array([65, 0xe2])], new TextDecoderStream()), ['A', '\\ufffd']));
    check('fatal', async () => { await rejects('TypeError', through([new Uint8Array([0xff])], new TextDecoderStream('utf-8', { fatal: true }))); await rejects('TypeError', through([new Uint8Array([0xe2])], new TextDecoderStream('utf-8', { fatal: true }))); });
    check('a mark at the start is taken off once', async () => equal(await through([new Uint8Array([0xef]), new Uint8Array([0xbb, 0xbf, 65]), new Uint8Array([0xef, 0xbb, 0xbf])], new TextDecoderStream()), ['A', '\\ufeff']));
    check('no empty chunks', async () => equal(await through([new Uint8Array(0), new Uint8Array([65]), new Uint8Array(0)], new TextDecoderStream()), ['A']));
    check('bad chunks', async () => { for (const chunk of [undefined, null, 3, 'x', {}, []]) await rejects('TypeError', through([chunk], new TextDecoderStream())); });
    check('legacy encodings', async () => equal((await through([new Uint8Array([0x82]), new Uint8Array([0xa0])], new TextDecoderStream('sjis'))).join(''), 'あ'));
    check('a bad label', () => throws('RangeError', () => new TextDecoderStream('nope')));
    check('encodes, with pairs across chunks', async () => equal((await through(['\\ud83d', '\\udc99', 'é', '\\ud83d', 'x', '\\ud83d'], new TextEncoderStream())).map((b) => Array.from(b)), [[0xf0, 0x9f, 0x92, 0x99], [0xc3, 0xa9], [0xef, 0xbf, 0xbd, 120], [0xef, 0xbf, 0xbd]]));
    check('encodes what becomes text', async () => equal((await through([1, null, { toString: () => 'o' }], new TextEncoderStream())).map((b) => b.length), [1, 4, 1]));
    check('symbols are refused', async () => { await rejects('TypeError', through([Symbol()], new TextEncoderStream())); });
    check('Uint8Array out', async () => equal((await through(['x'.repeat(100)], new TextEncoderStream()))[0].constructor === Uint8Array, true));
  `)).toEqual({ ran: 13, failures: [] });
});

test('a patched intrinsic changes nothing for the decoder', async () => {
  const f = await host().deploy(`Uint8Array.prototype.slice = Uint8Array.prototype.subarray = Uint8Array.prototype.set = String.fromCharCode = String.prototype.charCodeAt = String.prototype.slice = () => { throw new Error('patched'); };
    export default { fetch() { const d = new TextDecoder('euc-jp'); return new Response(d.decode(new Uint8Array([0xa4]), { stream: true }) + d.decode(new Uint8Array([0xa2])) + new TextDecoder().decode(new TextEncoder().encode('é'.repeat(100)))); } };`, { cpuMs: 1_000 });
  expect(await host().text(f)).toBe(`あ${'é'.repeat(100)}`);
});

test('decoding is charged to the function that asks for it', async () => {
  const f = await host().deploy(`const data = new Uint8Array(1 << 20).fill(0xa4); export default { fetch() { for (;;) new TextDecoder(new URL('http://x/').protocol === 'http:' ? 'euc-jp' : '').decode(data); } };`, { cpuMs: 100 });
  const answer = await host().call(f);
  expect(answer.code).toBe('cpu_limit_exceeded');
  const native = await host().deploy(`const data = new Uint8Array(1 << 22).fill(0xc3); export default { fetch() { for (;;) new TextDecoder().decode(data); } };`, { cpuMs: 100 });
  expect((await host().call(native)).code).toBe('cpu_limit_exceeded');
  expect(host().alive).toBe(true);
});
