// Pure parts of the http client: heads, redirects, failures.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOP_BY_HOP, isHeaderName, isHeaderValue } from '../../../core/http/index.ts';
import { failureWhy } from '../../../sidecar/clients/http/failures.ts';
import { nextHop } from '../../../sidecar/clients/http/redirects.ts';
import { parseRequestHead } from '../../../sidecar/clients/http/request-head.ts';
import { replyHead } from '../../../sidecar/clients/http/response-head.ts';

const name = fc.oneof(
  fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
  fc.constantFrom('host', 'connection', 'te', 'upgrade', 'proxy-authorization', 'proxy-x', 'x-thimble-function', 'X-Thimble-A', 'content-length', 'Transfer-Encoding', 'accept', 'cookie'),
  fc.string({ maxLength: 10 }),
);
const value = fc.oneof(fc.stringMatching(/^[ -~]{0,40}$/), fc.string({ maxLength: 20 }));

describe('request heads', () => {
  it('give only names and values that may be written, and never one that is the connection\'s', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 12 }), fc.string({ maxLength: 60 }), (pairs, traceparent) => {
        let headers: string[] = [];
        let code = 'protocol_violation';
        try {
          ({ headers } = parseRequestHead(['GET', 'http://a.b/', 'follow', ...pairs.flat()].join('\n'), traceparent));
        } catch (thrown) {
          code = (thrown as { code: string }).code;
        }
        expect(code).toBe('protocol_violation');
        expect(headers.length % 2).toBe(0);
        for (let i = 0; i < headers.length; i += 2) {
          const [n, v] = [headers[i] ?? '', headers[i + 1] ?? ''];
          expect(isHeaderName(n) && isHeaderValue(v) && n === n.toLowerCase()).toBe(true);
          expect(HOP_BY_HOP.has(n) || n === 'host' || n === 'content-length' || n === 'expect' || n.startsWith('proxy-') || n.startsWith('x-thimble-')).toBe(false);
        }
      }),
    );
  });
});

describe('reply heads', () => {
  it('keep one line a value, or are refused', () => {
    fc.assert(
      fc.property(fc.dictionary(name, fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 }))), (headers) => {
        const head = replyHead(200, 'http://a.b/', false, headers, false);
        if (head === undefined) return;
        const lines = head.split('\n');
        expect(lines.length % 2).toBe(1);
        for (let i = 3; i < lines.length; i += 2) expect(isHeaderName(lines[i] ?? '') && isHeaderValue(lines[i + 1] ?? '') && !HOP_BY_HOP.has(lines[i] ?? '')).toBe(true);
      }),
    );
  });
});

describe('redirects', () => {
  const SECRET = ['authorization', 'cookie', 'cookie2', 'proxy-authorization'];
  it('never carry credentials to another origin, whatever the target', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.webUrl(), fc.constantFrom('//other.io/', 'http://a.b:81/', 'https://a.b/', 'http://A.B/', '/x', '?y', 'HTTP://a.b:80/x', 'http://sub.a.b/', 'http:/x')),
        fc.constantFrom(301, 302, 303, 307, 308), fc.constantFrom('GET', 'POST', 'PUT', 'HEAD'), fc.boolean(),
        (location, status, method, hasBody) => {
          const url = new URL('http://a.b/start');
          const headers = [...SECRET.flatMap((n) => [n, 's']), 'x', '1', 'content-type', 'text/plain'];
          const hop = nextHop({ status, location, method, url, headers, hasBody, streamed: false, count: 0 });
          if (typeof hop === 'string') return;
          const names = hop.headers.filter((_, i) => i % 2 === 0);
          expect(names.some((n) => SECRET.includes(n))).toBe(hop.url.origin === url.origin);
          expect(names).toContain('x');
          const changed = hop.method !== method;
          expect([hop.method, hop.keepsBody, names.includes('content-type')]).toEqual(changed ? ['GET', false, false] : [method, hasBody, true]);
        },
      ),
    );
  });

  it('to plain http lose credentials too', () => {
    const hop = nextHop({ status: 302, location: 'http://a.b/', method: 'GET', url: new URL('https://a.b/'), headers: ['cookie', '1', 'x', '2'], hasBody: false, streamed: false, count: 0 });
    expect(hop).toMatchObject({ headers: ['x', '2'] });
  });
});

describe('failures', () => {
  it.each([
    [{ code: 'ECONNREFUSED' }, 'connection_refused'], [{ code: 'UND_ERR_CONNECT_TIMEOUT' }, 'connect_timeout'], [{ code: 'EHOSTUNREACH' }, 'unreachable'], [{ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, 'tls'],
    [{ code: 'CERT_HAS_EXPIRED' }, 'tls'], [{ code: 'UND_ERR_SOCKET' }, 'reset'], [{ code: 'HPE_INVALID_CONSTANT' }, 'bad_response'], [{ code: 'ENOTFOUND' }, 'dns'], [{ code: 'E_ODD' }, 'failed'],
    [{ code: 7 }, 'failed'], [null, 'failed'], ['text', 'failed'], [new AggregateError([{ code: 'ECONNREFUSED' }, { code: 'X' }]), 'connection_refused'], [new AggregateError([]), 'failed'],
  ])('%o is %s', (error, why) => {
    expect(failureWhy(error)).toBe(why);
  });
});
