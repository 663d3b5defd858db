// Header fields in both directions, and what is read out of them.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { coldReason, failureReason, serverTiming } from '../../../gateway/reason.ts';
import { LazyFacts, cookiesOf, jwtClaim, parametersOf } from '../../../gateway/request-facts.ts';
import { MAX_HEAD_CHARACTERS, RequestHead } from '../../../gateway/request-head.ts';
import { ResponseFields } from '../../../gateway/response-fields.ts';
import type { ClientRequest, ClientResponse } from '../../../gateway/uws.ts';

type Pairs = readonly (readonly [string, string])[];

function requestWith(pairs: Pairs): ClientRequest {
  return {
    getUrl: () => '/', getQuery: () => undefined, getCaseSensitiveMethod: () => 'GET', getHeader: (name) => pairs.find(([n]) => n === name)?.[1] ?? '',
    forEach: (each) => { for (const [name, value] of pairs) each(name, value); },
  };
}

const shared = new RequestHead();
function read(pairs: Pairs, targetLength = 0): RequestHead {
  shared.read(requestWith(pairs), targetLength);
  return shared;
}
const HOST = ['host', 'h'] as const;

describe('request fields', () => {
  test.each([
    [[], 'no Host'], [[HOST, HOST], 'several Host'], [[HOST, ['content-length', '1'], ['content-length', '1']], 'several Content-Length'],
    [[HOST, ['content-length', '+1']], 'no number'], [[HOST, ['content-length', '']], 'no number'], [[HOST, ['content-length', '9'.repeat(16)]], 'no number'],
    [[HOST, ['content-length', '1'], ['transfer-encoding', 'chunked']], 'both'], [[HOST, ['transfer-encoding', 'gzip']], 'Transfer-Encoding'],
    [[HOST, ['transfer-encoding', 'chunked'], ['transfer-encoding', 'chunked']], 'Transfer-Encoding'], [[HOST, ['', 'x']], 'token'], [[HOST, ['a b', 'x']], 'token'],
    [[HOST, ['x-a', 'b\u0001']], 'control'], [[HOST, ['x-a', 'b\u007f']], 'control'], [[HOST, ['x-a', '\ufffd']], 'UTF-8'],
  ] as [Pairs, string][])('%j is refused: %s', (pairs, why) => {
    expect(read(pairs).why).toContain(why);
  });

  test('what functions get, and what they do not', () => {
    const head = read([
      ['host', 'h'], ['accept', '*/*'], ['x-thimble-x', 'no'], ['x-thimble-function', 'card'], ['connection', 'keep-alive, X-Gone'], ['x-gone', '1'], ['te', 'trailers'], ['expect', '100-continue'],
      ['upgrade', 'x'], ['keep-alive', '1'], ['proxy-connection', 'x'], ['x-forwarded-for', 'a'], ['x-forwarded-for', 'b'], ['x-request-id', 'r'], ['traceparent', 't'], ['forwarded', 'f'],
      ['x-a', '1'], ['x-a', '2'], ['x-empty', ''], ['content-length', '5'],
    ]);
    expect(head.fields).toBe('\naccept\n*/*\nx-a\n1\nx-a\n2\nx-empty\n\ncontent-length\n5');
    expect([head.host, head.named, head.forwardedFor, head.requestId, head.traceparent, head.contentLength, head.chunked, head.why]).toEqual(['h', 'card', 'a, b', 'r', 't', 5, false, '']);
    expect(read([HOST]).fields).toBe('');
    expect([shared.named, shared.forwardedFor, shared.contentLength]).toEqual(['', '', -1]);
  });

  test('Connection cannot take away how the body is framed', () => {
    expect(read([HOST, ['connection', 'content-length'], ['content-length', '5']]).fields).toContain('content-length');
  });

  test('calls on the way of a request are counted, passed on, and stay whatever Connection names', () => {
    const head = read([HOST, ['connection', 'cdn-loop'], ['cdn-loop', 'thimble, other; thimble'], ['cdn-loop', ' Thimble;v=1 ']]);
    expect([head.loopDepth, head.fields]).toEqual([2, '\ncdn-loop\nthimble, other; thimble\ncdn-loop\n Thimble;v=1 ']);
    expect(read([HOST]).loopDepth).toBe(0);
  });

  test('values above ASCII are byte strings', () => {
    expect(read([HOST, ['x-a', 'é€'], ['x-b', 'plain']]).fields).toBe(`\nx-a\n${Buffer.from('é€').toString('latin1')}\nx-b\nplain`);
  });

  test('size', () => {
    expect(read([HOST, ['x-a', 'y'.repeat(MAX_HEAD_CHARACTERS - 20)]]).tooLarge).toBe(false);
    expect(read([HOST, ['x-a', 'y'.repeat(MAX_HEAD_CHARACTERS)]]).tooLarge).toBe(true);
    expect(read([HOST], MAX_HEAD_CHARACTERS + 1).tooLarge).toBe(true);
  });

  test('no pair of fields can make a third', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.stringMatching(/^[a-z-]{1,8}$/), fc.string({ unit: 'binary', maxLength: 12 })), { maxLength: 8 }), (pairs) => {
      // The parser never lets a line feed through; everything else may come.
      const head = read([HOST, ...pairs.map(([n, v]) => [n, v.replaceAll('\n', ' ')] as const)]);
      if (head.why !== '') return;
      const parts = head.fields.split('\n');
      expect(parts.length % 2).toBe(1);
      // eslint-disable-next-line no-control-regex -- what must not get through
      expect(/[\u0000-\u0008\u000b-\u001f\u007f]/.test(head.fields)).toBe(false);
    }), { numRuns: 1_000 });
  });
});

describe('response fields', () => {
  const written = (head: string): { why: string; pairs: [string, string][] } => {
    const pairs: [string, string][] = [];
    const fields = new ResponseFields();
    const why = fields.read(head);
    fields.writeTo({ writeHeader: (name: string, value: string | Uint8Array) => pairs.push([name, typeof value === 'string' ? value : Buffer.from(value).toString('latin1')]) } as unknown as ClientResponse);
    return { why, pairs };
  };

  test('are passed on in order, without what functions may not set', () => {
    expect(written('set-cookie\na=1\nset-cookie\nb=2\nContent-Length\n9\ntransfer-encoding\nx\nConnection\nclose\nX-Thimble-Version\n9\nx-a\n\nX-B\nc')).toEqual({
      why: '', pairs: [['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['x-a', ''], ['X-B', 'c']],
    });
    expect(written('')).toEqual({ why: '', pairs: [] });
    expect(written('x-a\ncaf\u00e9').pairs).toEqual([['x-a', 'caf\u00e9']]);
  });

  test.each(['x-a', 'x-a\n1\nx-b', 'x a\n1', '\n1', 'x-a\nb\rc', 'x-a\nb\u0000', 'x-a\n\u20ac', 'x\u00e9\n1', 'connection\nb\rc'])('%j is refused', (head) => {
    expect(written(head).why).not.toBe('');
  });

  test('whatever is written obeys the grammar', () => {
    fc.assert(fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 8 }), { maxLength: 8 }).map((parts) => parts.join('\n')), (head) => {
      const { why, pairs } = written(head);
      if (why !== '') return;
      for (const [name, value] of pairs) {
        expect(name).toMatch(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/);
        // eslint-disable-next-line no-control-regex -- field-value of RFC 9110
        expect(value).toMatch(/^[\t\u0020-\u007e\u0080-\u00ff]*$/);
      }
    }), { numRuns: 2_000 });
  });

  test('many made-up names', () => {
    for (let i = 0; i < 10_000; i++) expect(written(`x-made-up-${i}\n1`).pairs).toHaveLength(1);
    expect(written('connection\nclose\nx-thimble-a\n1').pairs).toEqual([]);
  });
});

describe('facts', () => {
  test('cookies', () => {
    expect(['a=1; b=2', 'b="q"', 'ab=1', 'b', 'a=1;b=x=y', ''].map((c) => cookiesOf(c).get('b'))).toEqual(['2', 'q', undefined, undefined, 'x=y', undefined]);
  });

  test('parameters', () => {
    expect(['a=1&b=2', 'b=%C3%BC+x', 'b', 'B=1', '', 'b=1&b=2'].map((q) => parametersOf(q).get('b'))).toEqual(['2', 'ü x', '', undefined, undefined, '1']);
  });

  test('of cookies and parameters, only so many as a browser sends are looked at', () => {
    const many = (count: number, separator: string): string => [...Array.from({ length: count }, (_, i) => `x${i}=`), 'b=1'].join(separator);
    expect([255, 256, 15_000].map((count) => [cookiesOf(many(count, '; ')).get('b'), parametersOf(many(count, '&')).get('b')])).toEqual([['1', '1'], [undefined, undefined], [undefined, undefined]]);
  });

  test('claims', () => {
    const token = (payload: unknown): string => `h.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.s`;
    expect([jwtClaim(`Bearer ${token({ sub: 'u1' })}`, 'sub'), jwtClaim(`bearer ${token({ uid: 7 })}`, 'uid'), jwtClaim(`Bearer ${token({ sub: { a: 1 } })}`, 'sub')]).toEqual(['u1', '7', undefined]);
    expect([jwtClaim(`Bearer ${token({})}`, 'toString'), jwtClaim(`Bearer ${token(null)}`, 'a'), jwtClaim('Bearer a.!!.c', 'a'), jwtClaim('Basic x', 'a'), jwtClaim('', 'a')]).toEqual(Array(5).fill(undefined));
  });

  test('the user comes from where the function says', () => {
    const request = requestWith([['x-user-id', 'u1'], ['cookie', 'uid=u2']]);
    const user = (from: string | null): string | undefined => new LazyFacts(request, 'a=1', from).user();
    expect([user('header:X-User-Id'), user('cookie:uid'), user('jwt:sub'), user(null)]).toEqual(['u1', 'u2', undefined, undefined]);
    expect([new LazyFacts(request, 'a=1&b=%20', null).query('b'), new LazyFacts(request, '', null).query('b'), new LazyFacts(request, '', null).header('x-none')]).toEqual([' ', undefined, undefined]);
  });
});

describe('reasons', () => {
  test('are RFC 9651 items', () => {
    expect(failureReason('cpu_limit_exceeded', { limit: 50, used: 53 })).toBe('cpu_limit_exceeded;limit=50;used=53');
    expect(failureReason('memory_limit_exceeded', { limit: 64, note: 'text', 'Bad Key': 1, nan: Number.NaN })).toBe('memory_limit_exceeded;limit=64');
    expect([failureReason('function_threw', null), failureReason('host_lost', null), failureReason('bad_request', { why: 'x' })]).toEqual(['', 'host_lost', '']);
    expect(coldReason([0.1, 1.2, 0.8, 0.3], 0)).toBe('cold_start;queue=0.1;isolate=1.2;restore=0.8;handler=0.3');
    expect(coldReason([0.10049, -1, 1e20, 2], 5)).toBe('cold_start;queue=5.1;isolate=0;restore=999999999999;handler=2');
    expect(serverTiming(0.5, 3, 1_500, null)).toBe('wait;dur=0.5, cpu;dur=1.5, total;dur=3');
  });
});
