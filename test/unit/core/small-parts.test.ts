// The small parts that more than one process needs: ids, HTTP grammar, trace context, sealed boxes, histograms, errors.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { constantTimeEqual, deriveTierKey, seal, sha256Hex, unseal } from '../../../core/crypto/index.ts';
import { ERRORS, PlatformError, describe as describeCode, isErrorCode, problem, toPlatformError } from '../../../core/errors/index.ts';
import { hasNoBody, isHeaderName, isHeaderValue, isIdempotent, statusLine } from '../../../core/http/index.ts';
import { invocationId, isFunctionName, newEpoch, randomToken } from '../../../core/ids/index.ts';
import { LogHistogram } from '../../../core/metrics/index.ts';
import { childTraceparent, formatTraceparent, newSpanId, parseTraceparent } from '../../../core/trace/index.ts';

describe('HTTP grammar', () => {
  it('takes exactly the token characters of RFC 9110 in names', () => {
    const token = new Set('!#$%&\'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz');
    for (let code = 0; code < 0x180; code++) {
      const c = String.fromCharCode(code);
      expect([code, isHeaderName(c), isHeaderName(`a${c}b`)]).toEqual([code, token.has(c), token.has(c)]);
    }
    expect(isHeaderName('')).toBe(false);
    expect(isHeaderName('a\n')).toBe(false);
  });

  it('takes no control character but a tab, and nothing beyond ISO-8859-1, in values', () => {
    for (let code = 0; code < 0x300; code++) {
      const good = code === 9 || (code >= 0x20 && code !== 0x7f && code <= 0xff);
      expect([code, isHeaderValue(`a${String.fromCharCode(code)}b`)]).toEqual([code, good]);
    }
    expect(isHeaderValue('')).toBe(true);
    expect(isHeaderValue('x\r\nset-cookie: y')).toBe(false);
    expect(isHeaderValue('\u{1f600}')).toBe(false);
  });

  it('knows its statuses and methods', () => {
    expect(statusLine(200)).toBe('200 OK');
    expect(statusLine(599)).toMatch(/^599 \w+/);
    expect([199, 200, 204, 205, 206, 304].map(hasNoBody)).toEqual([true, false, true, true, false, true]);
    expect(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'].every(isIdempotent)).toBe(true);
    expect(['POST', 'PATCH', 'get', '', 'PURGE'].some(isIdempotent)).toBe(false);
  });
});

describe('trace context', () => {
  const GOOD = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  it('parses and formats version 00', () => {
    expect(parseTraceparent(GOOD)).toEqual({ traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', flags: 1 });
    fc.assert(fc.property(fc.stringMatching(/^[0-9a-f]{31}[1-9a-f]$/), fc.stringMatching(/^[1-9a-f][0-9a-f]{15}$/), fc.nat(255), (traceId, spanId, flags) => {
      expect(parseTraceparent(formatTraceparent({ traceId, spanId, flags }))).toEqual({ traceId, spanId, flags });
    }));
  });

  it.each([
    '', 'x', GOOD.toUpperCase(), `ff${GOOD.slice(2)}`, `${GOOD}-extra`, `${GOOD}-`, GOOD.slice(0, -1), `${GOOD}0`, ` ${GOOD}`, `${GOOD}\n`, GOOD.replaceAll('-', '_'), `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`, GOOD.replace('0af', '0ag'), `0${GOOD}`,
  ])('takes %j for none', (header) => expect(parseTraceparent(header)).toBeUndefined());

  it('takes what later versions append', () => expect(parseTraceparent(`01${GOOD.slice(2)}-more`)).toMatchObject({ flags: 1 }));

  it('continues a trace with a new span, or starts one', () => {
    const child = parseTraceparent(childTraceparent(GOOD));
    expect(child).toMatchObject({ traceId: '0af7651916cd43dd8448eb211c80319c', flags: 1 });
    expect(child?.spanId).not.toBe('b7ad6b7169203331');
    expect(parseTraceparent(childTraceparent(GOOD.replace(/01$/, '00')))?.flags).toBe(0);
    for (const parent of ['', 'nonsense', `ff${GOOD.slice(2)}`]) expect(parseTraceparent(childTraceparent(parent))).toMatchObject({ flags: 1 });
    const ids = new Set(Array.from({ length: 2_000 }, newSpanId));
    expect(ids.size).toBe(2_000);
    expect([...ids].every((id) => /^[0-9a-f]{16}$/.test(id))).toBe(true);
  });
});

describe('ids', () => {
  it('of processes and invocations are never empty and do not meet', () => {
    const epochs = Array.from({ length: 1_000 }, newEpoch);
    expect(epochs.every((e) => Number.isInteger(e) && e > 0 && e <= 0xffffffff)).toBe(true);
    expect(new Set(epochs).size).toBeGreaterThan(995);
    expect(new Set([invocationId(1, 11), invocationId(11, 1), invocationId(1, 1), invocationId(0xffffffff, 2 ** 53 - 1)]).size).toBe(4);
    expect(randomToken(16)).toMatch(/^[0-9a-f]{32}$/);
    expect(isFunctionName('v7--card')).toBe(false);
  });
});

describe('sealed boxes', () => {
  const key = deriveTierKey('node key', 'default');
  const opens = (...box: Parameters<typeof unseal>): boolean => {
    try {
      unseal(...box);
      return true;
    } catch {
      return false;
    }
  };
  it('open with the same key and purpose only', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }).map((s) => s.toWellFormed()), fc.string(), (plain, purpose) => {
      const sealed = seal(key, purpose, plain);
      expect(unseal(key, purpose, sealed)).toBe(plain);
      expect(opens(key, `${purpose}x`, sealed)).toBe(false);
      expect(opens(deriveTierKey('node key', 'other'), purpose, sealed)).toBe(false);
      expect(opens(deriveTierKey('other key', 'default'), purpose, sealed)).toBe(false);
    }), { numRuns: 50 });
  });

  it('never look the same twice, and open no more after any change', () => {
    const sealed = seal(key, 'p', 'secret');
    expect(seal(key, 'p', 'secret')).not.toBe(sealed);
    const raw = Buffer.from(sealed, 'base64url');
    for (let at = 0; at < raw.length; at++) {
      const changed = Buffer.from(raw);
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(opens(key, 'p', changed.toString('base64url'))).toBe(false);
    }
    for (const cut of ['', 'A', sealed.slice(0, 20), `${sealed}AAAA`]) expect(opens(key, 'p', cut)).toBe(false);
  });

  it('come with keys that differ per tier and stay the same over restarts', () => {
    expect(deriveTierKey('node key', 'default').equals(key)).toBe(true);
    expect(key).toHaveLength(32);
  });
});

describe('comparisons and digests', () => {
  it('are right for equal, unequal and differently long texts', () => {
    expect(constantTimeEqual('abc', 'abc')).toBe(true);
    for (const other of ['', 'abd', 'ab', 'abcd', 'ABC']) expect(constantTimeEqual('abc', other)).toBe(false);
    expect(sha256Hex('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(sha256Hex(Buffer.from('abc'))).toBe(sha256Hex('abc'));
  });
});

describe('the histogram', () => {
  it('tells quantiles within 19 %', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: 1, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 300 }), fc.constantFrom(0.01, 0.5, 0.9, 0.99, 1), (values, q) => {
      const h = new LogHistogram();
      for (const value of values) h.record(value);
      const exact = values.toSorted((a, b) => a - b)[Math.max(1, Math.ceil(q * values.length)) - 1] ?? 0;
      const told = h.quantile(q);
      expect(told).toBeGreaterThanOrEqual(exact * 0.999999);
      expect(told).toBeLessThanOrEqual(exact * 1.1893);
    }));
  });

  it('merges what others counted, and ignores what can be no bucket', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 1e6 })), fc.array(fc.integer({ min: 0, max: 1e6 })), (a, b) => {
      const [one, two, both] = [new LogHistogram(), new LogHistogram(), new LogHistogram()];
      for (const value of a) one.record(value);
      for (const value of [...a, ...b]) both.record(value);
      for (const value of b) two.record(value);
      one.addPairs(two.toPairs());
      expect(one.toPairs()).toEqual(both.toPairs());
      expect(one.total).toBe(a.length + b.length);
    }));
    const h = new LogHistogram();
    h.addPairs([[-1, 5], [0.5, 5], [1e9, 5], [Number.NaN, 5], [3, 2]]);
    expect([h.total, h.toPairs()]).toEqual([2, [[3, 2]]]);
  });

  it('takes extremes, and forgets with clear', () => {
    const h = new LogHistogram();
    expect(h.quantile(0.5)).toBe(0);
    for (const value of [0, -5, 1, 2 ** 60]) h.record(value);
    expect([h.total, h.quantile(0), h.quantile(1)]).toEqual([4, 1, 2 ** 40]);
    h.clear();
    expect([h.total, h.toPairs()]).toEqual([0, []]);
  });
});

describe('errors', () => {
  it('carry code, parameters and a cause that the problem never shows', () => {
    const error = new PlatformError('cpu_limit_exceeded', { limit: 50 }, { cause: new Error('/etc/inside') });
    expect([error.code, error.params, error.spec.status]).toEqual(['cpu_limit_exceeded', { limit: 50 }, 503]);
    const body = problem(error.code, error.params, { instance: 'i' });
    expect(body).toMatchObject({ status: 503, code: 'cpu_limit_exceeded', instance: 'i', retryable: false, detail: describeCode('cpu_limit_exceeded', { limit: 50 }) });
    expect(JSON.stringify(body)).not.toContain('inside');
    expect(problem('invalid', { errors: [{ path: 'a', message: 'b' }] })).toMatchObject({ errors: [{ path: 'a', message: 'b' }] });
  });

  it('are told from other throws', () => {
    const error = new PlatformError('no_route');
    expect(toPlatformError(error)).toBe(error);
    for (const thrown of [new TypeError('x'), 'text', null, undefined, { code: 'no_route' }]) {
      expect(toPlatformError(thrown).code).toBe('internal');
      expect(toPlatformError(thrown).cause).toBe(thrown);
    }
    expect(isErrorCode('no_route')).toBe(true);
    for (const value of ['toString', '__proto__', '', 7, null]) expect(isErrorCode(value)).toBe(false);
  });

  it('each have a status, a meaning and a way out', () => {
    for (const [code, spec] of Object.entries(ERRORS)) {
      expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
      expect([code, spec.status >= 400 && spec.status <= 599, spec.meaning.endsWith('.'), spec.fix.endsWith('.')]).toEqual([code, true, true, true]);
    }
  });
});
