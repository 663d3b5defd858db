// atob and btoa (Infra standard: forgiving-base64) inside an isolate.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runChecks } from '../../../support/isolate-checks.ts';
import { TestHost } from '../../../support/isolates-host.ts';

const host = TestHost.shared();

test('exact for short and long texts', async () => {
  expect(await runChecks(host(), `
    check('every byte', () => { const all = String.fromCharCode(...Array(256).keys()); equal([btoa(all).slice(0, 12), btoa(all).length, atob(btoa(all)) === all], ['AAECAwQFBgcI', 344, true]); });
    check('lengths', () => equal(['', 'a', 'ab', 'abc', 'abcd'].map(btoa), ['', 'YQ==', 'YWI=', 'YWJj', 'YWJjZA==']));
    check('conversions', () => equal([btoa(undefined), btoa(null), btoa(12), btoa([1, 2]), btoa({ toString: () => 'x' }), atob(null), atob(12)], [btoa('undefined'), btoa('null'), 'MTI=', btoa('1,2'), 'eA==', '\\x9e\\xe9e', '\\xd7']));
    check('beyond Latin-1', () => { for (const t of ['\\u0100', 'עברית', 'x'.repeat(500) + '\\u0100']) { const e = throws('InvalidCharacterError', () => btoa(t)); equal([e instanceof DOMException, e.code], [true, 5]); } });
    check('padding may be left out, but must be right', () => { equal(['YQ', 'YQ==', 'YWI', 'YWI='].map(atob), ['a', 'a', 'ab', 'ab']); for (const t of ['Y', 'YQ=', 'YQ===', 'YWI==', '=', '==', '====', 'YQ==YQ==', 'Y=Q=', 'YWJj=']) throws('InvalidCharacterError', () => atob(t)); });
    check('bits that are left over do not matter', () => equal([atob('YR=='), atob('YWJ=')], ['a', 'ab']));
    check('ASCII white space is skipped', () => equal([atob(' Y\\tW\\nJ\\fj\\r'), atob('YQ= ='), atob('   ')], ['abc', 'a', '']));
    check('other space is not', () => { for (const t of ['YW\\u000bJj', 'YW\\u00a0Jj', '\\u2003', 'YW\\u0000I=']) throws('InvalidCharacterError', () => atob(t)); });
    check('other alphabets', () => { for (const t of ['-_-_', 'YW*j', 'ÿÿÿÿ', '\\u{1f600}']) throws('InvalidCharacterError', () => atob(t)); });
    check('long texts fail as short ones do', () => { const long = 'YWJj'.repeat(400); for (const t of [long + '=', long + 'Y', long + 'YQ=', '=' + long, long + '====', long.slice(0, 800) + '=' + long]) throws('InvalidCharacterError', () => atob(t)); equal([atob(long + 'YQ').length, atob(long.replace(/(.{76})/g, '$1\\r\\n')).length], [1201, 1200]); });
    check('several pieces', () => { const t = 'The quick brown fox\\xff'.repeat(120000); const b = btoa(t); equal([b.length, atob(b) === t, atob(b.slice(0, -1)).length === t.length || b.at(-1) !== '='], [3200000, true, true]); throws('InvalidCharacterError', () => atob(b.slice(0, 1048575) + '=' + b.slice(1048576))); });
    check('an argument is needed', () => { throws('TypeError', () => atob()); throws('TypeError', () => btoa()); throws('TypeError', () => btoa(Symbol())); equal([atob.length, btoa.length, atob.name, btoa.name], [1, 1, 'atob', 'btoa']); });
  `)).toEqual({ ran: 12, failures: [] });
});

test('agree with Node for any text', async () => {
  const f = await host().deploy(`const tell = (run) => { try { return run(); } catch (e) { return [e.name]; } };
    export default { async fetch(req) { return Response.json((await req.json()).map((t) => [tell(() => btoa(t)), tell(() => atob(t))])); } };`, { cpuMs: 5_000 });
  const latin1 = fc.array(fc.integer({ min: 0, max: 256 }), { maxLength: 300 }).map((codes) => String.fromCharCode(...codes));
  const nearly = fc.array(fc.constantFrom('A', 'B', 'z', '0', '9', '+', '/', '=', ' ', '\n'), { maxLength: 240 }).map((units) => units.join(''));
  const texts = fc.sample(fc.oneof(latin1, nearly, fc.base64String({ maxLength: 400 })), { numRuns: 500, seed: 11 });
  const tell = (run: () => string): unknown => {
    try {
      return run();
    } catch (error) {
      return [(error as Error).name];
    }
  };
  const answer = await host().call(f, { body: JSON.stringify(texts) });
  expect(JSON.parse(answer.body.toString())).toEqual(texts.map((t) => [tell(() => btoa(t)), tell(() => atob(t))]));
});
