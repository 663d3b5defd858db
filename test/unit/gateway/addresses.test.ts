// Paths, hosts and peers: what a request's address means.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { aliasNameSchema } from '../../../core/schemas/index.ts';
import { AuthorityCache, parseAuthority } from '../../../gateway/authority.ts';
import { PeerAddresses, believedRequestId, forwardedFields, protocolOf, shortAddress } from '../../../gateway/client-address.ts';
import { normalizePath, normalizeQuery } from '../../../gateway/path.ts';
import { RequestHead } from '../../../gateway/request-head.ts';

const bytes = (text: string): ArrayBuffer => Uint8Array.from(Buffer.from(text, 'latin1')).buffer;

describe('paths', () => {
  const char = fc.constantFrom('a', 'B', '7', '/', '.', '..', '%2e', '%2E', '%2f', '\\', '-', '_', '~', '%', ':', '@', '+', ';', '=', '"', '<', '`', '{', '|', '^', '[', 'é', '漢', '\u{1f600}', '\'');
  test('are as WHATWG URL writes them, and stay so', () => {
    fc.assert(fc.property(fc.array(char, { maxLength: 24 }).map((parts) => `/${parts.join('')}`), (path) => {
      const normal = normalizePath(path);
      expect(normal).toBe(new URL(`http://h${path}`).pathname);
      expect(normalizePath(normal ?? '')).toBe(normal);
      expect(new URL(`http://h${normal}`).pathname).toBe(normal);
    }), { numRuns: 3_000 });
  });

  test.each(['', 'a', '*', '/a b', '/a\tb', '/a#b', '/a\u0000', '/a\u007f', '/a\ufffd', 'http://h/'])('%j is none', (path) => {
    expect(normalizePath(path)).toBeUndefined();
  });

  test('queries', () => {
    fc.assert(fc.property(fc.array(fc.oneof(char, fc.constantFrom('?', '&', '%41')), { maxLength: 16 }).map((parts) => parts.join('')), (query) => {
      expect(normalizeQuery(query)).toBe(new URL(`http://h/?${query}`).search.slice(1));
    }), { numRuns: 1_000 });
    expect(['a b', 'a#b', 'a\u0001', 'a\ufffd'].map(normalizeQuery)).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe('hosts', () => {
  test.each([
    ['card.localhost:8080', 'card', 0], ['CARD.localhost', 'card', 0], ['v7--card.localhost', 'card', 7], ['card.localhost.', 'card', 0], ['card', '', 0], ['card:80', '', 0],
    ['127.0.0.1', '', 0], ['127.0.0.1:80', '', 0], ['[::1]:80', '', 0], ['card.1', '', 0], ['card.0x7f', '', 0], ['v0--card.localhost', '', 0], ['v07--card.localhost', '', 0],
    ['v7--a--b.localhost', '', 0], ['a--b--c.localhost', '', 0], ['a---b.localhost', '', 0], ['7--card.localhost', '', 0], ['--card.localhost', '', 0], ['next--.localhost', '', 0], ['next--card', '', 0], ['-x.localhost', '', 0], ['x_y.localhost', '', 0], ['localhost', '', 0],
  ])('%s names %j, version %d', (host, functionName, version) => {
    const authority = parseAuthority(host);
    // Some of these are no host of a URL at all: then nothing is named either.
    expect([authority?.functionName ?? '', authority?.version ?? 0]).toEqual([functionName, version]);
  });

  test.each([['next--card.localhost', 'next'], ['NEXT--Card.localhost:8080', 'next'], ['v--card.localhost', 'v'], ['v7x--card.localhost', 'v7x'], ['a-b-c--card.example.com.', 'a-b-c'], [`${'a'.repeat(31)}--card.x`, 'a'.repeat(31)]])('%s names alias %j of card', (host, alias) => {
    expect(parseAuthority(host)).toMatchObject({ functionName: 'card', version: 0, alias });
  });

  test('an alias is what the control plane takes for one', () => {
    fc.assert(fc.property(fc.stringMatching(/^[av7-]{1,34}$/), (alias) => {
      const authority = parseAuthority(`${alias}--card.localhost`);
      const isAlias = aliasNameSchema.safeParse(alias).success;
      expect(authority?.alias ?? '').toBe(isAlias ? alias : '');
    }), { numRuns: 3_000 });
  });

  test.each(['', ' ', 'a b', 'a/b', 'a@b', 'a?b', 'a#b', 'a:b', 'a:99999', '[::1', 'a,b', 'a%41', '1.2.3.4.5', 'a\u00e9', '::1'])('%j is none', (host) => {
    expect(parseAuthority(host)).toBeUndefined();
  });

  test('whatever is accepted stands in a URL as it is', () => {
    fc.assert(fc.property(fc.stringMatching(/^[a-zA-Z0-9.:[\]@/%_~-]{0,24}$/), (host) => {
      const authority = parseAuthority(host);
      if (authority === undefined) return;
      const url = new URL(`http://${authority.text}/p?q`);
      expect([url.username, url.password, url.pathname, url.search]).toEqual(['', '', '/p', '?q']);
    }), { numRuns: 3_000 });
  });

  test('the cache says the same, also for what is none', () => {
    const cache = new AuthorityCache();
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 5_000; i++) expect(cache.get(`f${i}.localhost`)?.functionName).toBe(`f${i}`);
      expect([cache.get('a b'), cache.get('a b'), cache.get('x.y')?.functionName]).toEqual([undefined, undefined, 'x']);
    }
  });
});

describe('peers', () => {
  test('addresses are short, and mapped IPv4 is IPv4', () => {
    expect(['127.0.0.1', '0000:0000:0000:0000:0000:0000:0000:0001', '0000:0000:0000:0000:0000:ffff:7f00:0001', '2001:0db8:0000:0000:0000:0000:0000:00ff', ''].map(shortAddress))
      .toEqual(['127.0.0.1', '::1', '127.0.0.1', '2001:db8::ff', '']);
  });

  test('trust follows the list', () => {
    const peers = new PeerAddresses(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32']);
    const trusted = (text: string): boolean => peers.get(bytes(text)).trusted;
    expect(['10.1.2.3', '11.1.2.3', '192.0.2.7', '192.0.2.8', '2001:0db8:0000:0000:0000:0000:0000:00ff', '2001:0db9:0000:0000:0000:0000:0000:00ff', '0000:0000:0000:0000:0000:ffff:0a00:0001', ''].map(trusted))
      .toEqual([true, false, true, false, true, false, true, false]);
    expect(peers.get(bytes('10.1.2.3'))).toBe(peers.get(bytes('10.1.2.3')));
  });

  test('what only a trusted proxy may say', () => {
    const head = new RequestHead();
    head.forwardedFor = '9.9.9.9';
    head.forwardedProto = 'HTTPS, http';
    head.forwardedHost = 'outer';
    head.requestId = 'edge';
    head.forwarded = '\nforwarded\nfor=9.9.9.9';
    const no = { text: '1.1.1.1', trusted: false };
    const yes = { text: '10.0.0.1', trusted: true };
    expect([protocolOf(head, no), believedRequestId(head, no), forwardedFields(head, no, 'h', 'http')]).toEqual(['http', '', '\nx-forwarded-for\n1.1.1.1\nx-forwarded-proto\nhttp\nx-forwarded-host\nh']);
    expect([protocolOf(head, yes), believedRequestId(head, yes), forwardedFields(head, yes, 'h', 'https')])
      .toEqual(['https', 'edge', '\nx-forwarded-for\n9.9.9.9, 10.0.0.1\nx-forwarded-proto\nhttps\nx-forwarded-host\nouter\nforwarded\nfor=9.9.9.9']);
    head.forwardedProto = 'javascript';
    head.requestId = 'has space';
    expect([protocolOf(head, yes), believedRequestId(head, yes)]).toEqual(['http', '']);
  });
});
