// FormData (XMLHttpRequest standard, section 5) and forms as bodies, as functions see them; and forms that mean harm.
import { expect, test } from 'vitest';
import { expectChecks } from '../../../support/guest-checks.ts';
import { TestHost } from '../../../support/isolates-host.ts';

const host = TestHost.shared();

test('FormData', () => expectChecks(host(), `
check('the interface', () => {
  for (const name of ['append', 'delete', 'get', 'getAll', 'has', 'set', 'entries', 'keys', 'values', 'forEach']) ok(Object.getOwnPropertyDescriptor(FormData.prototype, name).enumerable, name);
  eq([FormData.length, FormData.name, FormData.prototype.append.length, String(new FormData())], [0, 'FormData', 2, '[object FormData]']);
  ok(FormData.prototype[Symbol.iterator] === FormData.prototype.entries); eq(FormData.prototype.entries.name, 'entries');
  new FormData(undefined); for (const bad of [null, 'x', {}, 1]) throwsWith('TypeError', () => new FormData(bad), show(bad));
  const f = new FormData(); for (const run of [() => f.append('a'), () => f.set('a'), () => f.get(), () => f.getAll(), () => f.has(), () => f.delete(), () => f.forEach()]) throwsWith('TypeError', run, String(run));
  throwsWith('TypeError', () => FormData.prototype.get.call({}, 'a')); throwsWith('TypeError', () => FormData.prototype.keys.call({}).next());
});
check('entries', () => {
  const f = new FormData(); f.append('a', '1'); f.append('b', 2); f.append('a', null); f.append(undefined, undefined); f.append('\\ud800', '\\ud800');
  eq([...f], [['a', '1'], ['b', '2'], ['a', 'null'], ['undefined', 'undefined'], ['\\ufffd', '\\ufffd']]);
  eq([f.get('a'), f.getAll('a'), f.get('c'), f.getAll('c'), f.has('b'), f.has('c')], ['1', ['1', 'null'], null, [], true, false]);
  f.set('a', '9'); eq([...f.keys()], ['a', 'b', 'undefined', '\\ufffd']); f.set('z', '0'); f.delete('b'); eq([...f.values()], ['9', 'undefined', '\\ufffd', '0']);
});
check('files', () => {
  const f = new FormData(); const file = new File(['x'], 'n.txt', { type: 'a/b', lastModified: 3 }); const blob = new Blob(['y'], { type: 'c/d' });
  f.append('same', file); f.append('named', file, 'o.txt'); f.append('blob', blob); f.set('other', blob, 'p');
  ok(f.get('same') === file); eq([f.get('named').name, f.get('named').type, f.get('named').lastModified, f.get('blob') instanceof File, f.get('blob').name, f.get('blob').type, f.get('other').name], ['o.txt', 'a/b', 3, true, 'blob', 'c/d', 'p']);
  ok(f.get('blob') === f.get('blob')); throwsWith('TypeError', () => f.append('a', 'text', 'name')); throwsWith('TypeError', () => f.set('a', {}, 'name'));
});
check('iteration is live', () => { const f = new FormData(); f.append('a', '1'); f.append('b', '2'); const i = f.entries(); eq(i.next().value, ['a', '1']); f.append('c', '3'); f.delete('a'); eq(i.next().value, ['c', '3']); ok(i.next().done); eq(Object.prototype.toString.call(i), '[object FormData Iterator]'); const seen = []; f.forEach((value, name, parent) => seen.push([name, value, parent === f])); eq(seen, [['b', '2', true], ['c', '3', true]]); });
`));

test('multipart bodies as they are written', () => expectChecks(host(), `
const boundaryOf = (r) => { const type = r.headers.get('content-type'); ok(type.startsWith('multipart/form-data; boundary='), type); return type.slice(30); };
const written = async (fill) => { const f = new FormData(); fill(f); const r = new Response(f); const mark = boundaryOf(r); const bytes = await r.bytes(); return String.fromCharCode(...bytes).replaceAll(mark, 'B'); };
check('boundary', () => { const [a, b] = [boundaryOf(new Response(new FormData())), boundaryOf(new Response(new FormData()))]; ok(a !== b); ok(/^[0-9A-Za-z-]{27,70}$/.test(a), a); });
check('empty', async () => eq(await written(() => {}), '--B--\\r\\n'));
check('texts and files', async () => eq(await written((f) => { f.append('a', '1'); f.append('f', new File(['xy'], 'n.txt', { type: 'a/b' })); f.append('g', new Blob(['z'])); f.append('a', '2'); }),
  '--B\\r\\nContent-Disposition: form-data; name="a"\\r\\n\\r\\n1\\r\\n--B\\r\\nContent-Disposition: form-data; name="f"; filename="n.txt"\\r\\nContent-Type: a/b\\r\\n\\r\\nxy\\r\\n--B\\r\\nContent-Disposition: form-data; name="g"; filename="blob"\\r\\nContent-Type: application/octet-stream\\r\\n\\r\\nz\\r\\n--B\\r\\nContent-Disposition: form-data; name="a"\\r\\n\\r\\n2\\r\\n--B--\\r\\n'));
for (const [name, seen] of [['a\\nb', 'a%0D%0Ab'], ['a\\rb', 'a%0D%0Ab'], ['a\\r\\nb', 'a%0D%0Ab'], ['a\\n\\rb', 'a%0D%0A%0D%0Ab'], ['a"b', 'a%22b'], ["a'\\\\b", "a'\\\\b"], ['a%0Ab', 'a%0Ab'], ['\\u00e1b', '\\xc3\\xa1b']]) check('name ' + show(name), async () => eq(await written((f) => f.append(name, 'x')), '--B\\r\\nContent-Disposition: form-data; name="' + seen + '"\\r\\n\\r\\nx\\r\\n--B--\\r\\n'));
for (const [name, seen] of [['b\\nc', 'b%0Ac'], ['b\\rc', 'b%0Dc'], ['b"c', 'b%22c'], ['\\u0259.txt', '\\xc9\\x99.txt']]) check('file name ' + show(name), async () => eq(await written((f) => f.append('a', new File([], name, { type: 'a/b' }))), '--B\\r\\nContent-Disposition: form-data; name="a"; filename="' + seen + '"\\r\\nContent-Type: a/b\\r\\n\\r\\n\\r\\n--B--\\r\\n'));
check('values', async () => eq(await written((f) => f.append('a', 'b\\nc\\rd\\r\\ne"\\u00e7')), '--B\\r\\nContent-Disposition: form-data; name="a"\\r\\n\\r\\nb\\r\\nc\\r\\nd\\r\\ne"\\xc3\\xa7\\r\\n--B--\\r\\n'));
check('a snapshot of the entries', async () => { const f = new FormData(); f.append('a', '1'); const r = new Response(f); f.append('b', '2'); eq([...(await r.formData()).keys()], ['a']); });
check('round trip', async () => { const f = new FormData(); f.append('t', 'x\\u00e4'); f.append('f', new File([new Uint8Array([0, 255, 13, 10, 45, 45])], 'n.bin', { type: 'a/b' })); const back = await new Request('https://a.test/', { method: 'POST', body: f }).formData(); const file = back.get('f'); eq([back.get('t'), file.name, file.type, await file.bytes()], ['x\\u00e4', 'n.bin', 'a/b', [0, 255, 13, 10, 45, 45]]); });
`));

const PARSE = `
const parse = (lines, type = 'multipart/form-data; boundary=B') => new Response(Array.isArray(lines) ? lines.join('\\r\\n') : lines, { headers: [['content-type', type]] }).formData();
const D = 'Content-Disposition: form-data; ';
const entries = async (form) => { const all = []; for (const [name, value] of form) all.push(typeof value === 'string' ? [name, value] : [name, value.name, value.type, await value.text(), value.lastModified]); return all; };
`;

test('multipart bodies that are read', () => expectChecks(host(), `${PARSE}
const good = {
  'text': [['--B', D + 'name="a"', '', 'x', '--B--', ''], [['a', 'x']]],
  'file without a type': [['--B', D + 'name="a"; filename="n.txt"', '', 'x', '--B--', ''], [['a', 'n.txt', 'text/plain', 'x', 0]]],
  'file with a type before': [['--B', 'Content-Type: IMAGE/png', D + 'name="a"; filename="n"', '', 'x', '--B--', ''], [['a', 'n', 'image/png', 'x', 0]]],
  'empty file name': [['--B', D + 'name="a"; filename=""', '', 'x', '--B--', ''], [['a', '', 'text/plain', 'x', 0]]],
  'empty value': [['--B', D + 'name="a"', '', '', '--B--', ''], [['a', '']]],
  'percent sequences stay': [['--B', D + 'name="a%0Ab%22c"; filename="%0D"', '', '', '--B--', ''], [['a%0Ab%22c', '%0D', 'text/plain', '', 0]]],
  'the boundary as text': [['--B', D + 'name="a"', '', 'B --B x--B', 'line --B', '--B--', ''], [['a', 'B --B x--B\\r\\nline --B']]],
  'transport padding': [['--B \\t', D + 'name="a"', '', 'x', '--B-- \\t', ''], [['a', 'x']]],
  'padding at the end': [['--B', D + 'name="a"', '', 'x', '--B--  '], [['a', 'x']]],
  'epilogue': [['--B', D + 'name="a"', '', 'x', '--B--', 'more', '--B', 'more'], [['a', 'x']]],
  'no entries': [['--B--', ''], []],
  'two of one name': [['--B', D + 'name="a"', '', '1', '--B', D + 'name="a"', '', '2', '--B--', ''], [['a', '1'], ['a', '2']]],
  'other headers': [['--B', D + 'name="a"', 'X-Other: \\u0001', 'Content-Transfer-Encoding: base64', '', 'eA==', '--B--', ''], [['a', 'eA==']]],
  'case and white space': [['--B', ' CONTENT-DISPOSITION \\t: FORM-DATA;NAME=a ; filename=n', 'content-type: \\t text/html \\t', '', 'x', '--B--', ''], [['a', 'n', 'text/html', 'x', 0]]],
  'the last type wins': [['--B', D + 'name="a"; filename="n"', 'Content-Type: a/b', 'Content-Type: c/d', '', 'x', '--B--', ''], [['a', 'n', 'c/d', 'x', 0]]],
  'types that are none': [['--B', D + 'name="a"; filename="n"', 'Content-Type: text', '', 'x', '--B--', ''], [['a', 'n', '', 'x', 0]]],
  'types are serialised': [['--B', D + 'name="a"; filename="n"', 'Content-Type: text/html, a/b;;x="y"', '', 'x', '--B--', ''], [['a', 'n', 'a/b;x=y', 'x', 0]]],
  'beyond ASCII': [['--B', D + 'name="\\u00e9"; filename="\\u4e2d.txt"', '', '\\ud83d\\ude00', '--B--', ''], [['\\u00e9', '\\u4e2d.txt', 'text/plain', '\\ud83d\\ude00', 0]]],
  '_charset_': [['--B', D + 'name="_charset_"', '', 'windows-1252', '--B--', ''], [['_charset_', 'windows-1252']]],
  'nearly a boundary': [['--B', D + 'name="a"', '', '\\r\\n-', '\\r\\r\\n--A', '--', '--B--', ''], [['a', '\\r\\n-\\r\\n\\r\\r\\n--A\\r\\n--']]],
};
for (const [name, [lines, expected]] of Object.entries(good)) check(name, async () => eq(await entries(await parse(lines)), expected));
check('quoted boundary', async () => eq(await entries(await parse(['--a b(c)', D + 'name="a"', '', 'x', '--a b(c)--', ''], 'multipart/form-data; boundary="a b(c)"')), [['a', 'x']]));
check('malformed UTF-8', async () => eq(await entries(await parse(new Uint8Array([...utf8('--B\\r\\n' + D + 'name="a'), 255, ...utf8('"\\r\\n\\r\\nb'), 255, ...utf8('\\r\\n--B--')]))), [['a\\ufffd', 'b\\ufffd']]));
`));

test('bodies that are no form', () => expectChecks(host(), `${PARSE}
const bad = {
  'preamble': ['x', '--B', D + 'name="a"', '', 'x', '--B--', ''], 'junk after the end': ['--B', D + 'name="a"', '', 'x', '--B--junk', ''], 'no headers': ['--B', '', 'x', '--B--', ''],
  'no disposition': ['--B', 'Content-Type: a/b', '', 'x', '--B--', ''], 'no colon': ['--B', 'Content-Disposition form-data', '', 'x', '--B--', ''], 'bad header name': ['--B', D + 'name="a"', 'a b: c', '', 'x', '--B--', ''],
  'folded': ['--B', 'Content-Disposition: form-data;', ' name="a"', '', 'x', '--B--', ''], 'NUL': ['--B', D + 'name="a\\0"', '', 'x', '--B--', ''], 'NUL elsewhere': ['--B', D + 'name="a"', 'x: \\0', '', 'x', '--B--', ''],
  'no end': ['--B', D + 'name="a"', '', 'x'], 'end within a line': ['--B', D + 'name="a"', '', 'x--B--', ''], 'bare LF': ['--B', D + 'name="a\\nb"', '', 'x', '--B--', ''], 'bare CR': ['--B', D + 'name="a\\rb"', '', 'x', '--B--', ''],
  'only a delimiter': ['--B'], 'nothing': [''], 'only a head': ['--B', D + 'name="a"'], 'attachment': ['--B', 'Content-Disposition: attachment; name="a"', '', 'x', '--B--', ''], 'no name': ['--B', 'Content-Disposition: form-data', '', 'x', '--B--', ''],
  'junk in the disposition': ['--B', D + 'name="a" junk', '', 'x', '--B--', ''], 'other boundary': ['--C', D + 'name="a"', '', 'x', '--C--', ''], 'longer boundary': ['--B', D + 'name="a"', '', 'x', '--Bx', '--B--', ''],
};
for (const [name, lines] of Object.entries(bad)) check(name, () => rejectsWith('TypeError', () => parse(lines)));
for (const type of ['multipart/form-data', 'multipart/form-data; boundary=""', 'text/plain', 'multipart/mixed; boundary=B', '']) check('type ' + type, () => rejectsWith('TypeError', () => parse(['--B', D + 'name="a"', '', 'x', '--B--', ''], type)));
check('used up by a failure', async () => { const r = new Response('x', { headers: { 'content-type': 'text/plain' } }); await rejectsWith('TypeError', () => r.formData()); ok(r.bodyUsed); });
`));

test('urlencoded bodies', () => expectChecks(host(), `
const parse = async (body, type = 'application/x-www-form-urlencoded') => [...await new Response(body, { headers: { 'content-type': type } }).formData()];
check('entries', async () => eq(await parse('a=1&b=%C3%A4+x&a=&=z&&c&?q=1'), [['a', '1'], ['b', '\\u00e4 x'], ['a', ''], ['', 'z'], ['c', ''], ['?q', '1']]));
check('a leading question mark is content', async () => eq(await parse('?a=1'), [['?a', '1']]));
check('with parameters; from URLSearchParams; empty', async () => { eq(await parse('a=1', 'Application/x-www-form-urlencoded; charset=utf-8'), [['a', '1']]); eq([...await new Response(new URLSearchParams({ a: 'b c' })).formData()], [['a', 'b c']]); eq(await parse(''), []); });
`));

/** Answers with the number of entries, or with the error that `formData()` gave. */
const COUNT = `export default { async fetch(request) { try { return new Response(String([...(await request.formData()).keys()].length)); } catch (error) { return new Response(error.name); } } };`;

test('forms that mean harm: a million parts, near misses of the boundary, endless heads', async () => {
  const f = await host().deploy(COUNT, { cpuMs: 2_000, memoryMb: 64 });
  const type = { 'content-type': 'multipart/form-data; boundary=B' };
  const part = '--B\r\nContent-Disposition: form-data; name="a"; filename="f"\r\n\r\n\r\n';
  const send = async (body: Buffer, headers = type): Promise<string> => {
    const answer = await host().call(f, { headers, stream: chunks(body) });
    return answer.code ?? answer.body.toString();
  };
  expect(await send(Buffer.from(`${part.repeat(10_000)}--B--`))).toBe('10000');
  expect(await send(Buffer.from(`${part.repeat(150_000)}--B--`))).toBe('TypeError');
  expect(await send(Buffer.from('a&'.repeat(1_000_000)), { 'content-type': 'application/x-www-form-urlencoded' })).toBe('TypeError');
  // One header line without an end.
  expect(await send(Buffer.from(`--B\r\nContent-Disposition: form-data; name="${'x'.repeat(8_000_000)}"\r\n\r\n\r\n--B--`))).toBe('TypeError');
  // The search must stay linear: a boundary of one letter, and content that is nearly nothing else.
  const letters = 'a'.repeat(69);
  const nearly = { 'content-type': `multipart/form-data; boundary=${letters}` };
  const head = `--${letters}\r\nContent-Disposition: form-data; name="a"\r\n\r\n`;
  for (const filler of ['\r', '\r\n', '\r\n-', '\r\n--', `\r\n--${letters.slice(1)}`, letters, '\rx']) {
    const started = performance.now();
    const form = Buffer.from(`${head}${filler.repeat(Math.ceil(4_000_000 / filler.length))}\r\n--${letters}--`);
    expect([filler, await send(form, nearly)]).toEqual([filler, '1']);
    expect(performance.now() - started).toBeLessThan(2_000);
  }
  expect(host().alive).toBe(true);
}, 60_000);

function* chunks(body: Buffer): Iterable<Uint8Array> {
  for (let at = 0; at < body.length; at += 60_000) yield body.subarray(at, at + 60_000);
}
