// The egress policy and guard: what is refused, by which rule, with an injected resolver. No packet is sent.
import * as fc from 'fast-check';
import { isIP } from 'node:net';
import { describe, expect, it } from 'vitest';
import { EgressGuard, EgressPolicy, canonicalAddress, isGlobalUnicast } from '../../../sidecar/egress/index.ts';
import type { EgressSettings } from '../../../sidecar/egress/index.ts';

const PUBLIC = '93.184.215.14';
const PUBLIC_6 = '2606:4700::6810:84e5';

interface Checked {
  readonly rule: string;
  readonly looked: string[];
  readonly pinned: string[];
}

/** The rule that refuses the URL, or `pass`; with the names that were looked up. */
async function check(text: string, answers: readonly string[] = [PUBLIC], settings: Partial<EgressSettings> = {}): Promise<Checked> {
  const looked: string[] = [];
  const guard = new EgressGuard(new EgressPolicy({ allow: [], ownPorts: [], ownAddresses: [], ...settings }), async (name) => {
    looked.push(name);
    return answers;
  });
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return { rule: 'url', looked, pinned: [] };
  try {
    const target = guard.checkNow(url) ?? (await guard.checkName(url, 'default'));
    return { rule: 'pass', looked, pinned: target.addresses.map((a) => a.address) };
  } catch (thrown) {
    const { code, params } = thrown as { code: string; params: { rule?: string; why?: string } };
    return { rule: code === 'egress_refused' ? (params.rule ?? '?') : `${code}/${params.why ?? ''}`, looked, pinned: [] };
  }
}

describe('literal addresses in any spelling', () => {
  it.each([
    // IPv4, plain
    'http://127.0.0.1/', 'http://127.1.2.3:8080/', 'http://0.0.0.0/', 'http://0.1.2.3/', 'http://10.0.0.1/', 'http://100.64.0.1/', 'http://100.127.255.255/',
    'http://169.254.169.254/latest/meta-data/', 'http://169.254.170.2/v2/credentials', 'http://172.16.0.1/', 'http://172.31.255.255/', 'http://192.0.0.1/', 'http://192.0.2.7/',
    'http://192.88.99.1/', 'http://192.168.1.1/', 'http://198.18.0.1/', 'http://198.19.255.255/', 'http://198.51.100.1/', 'http://203.0.113.9/', 'http://224.0.0.1/',
    'http://239.255.255.250/', 'http://240.0.0.1/', 'http://255.255.255.255/',
    // IPv4, decimal, octal, hexadecimal, short, mixed, with a final dot, percent-encoded, full-width
    'http://2130706433/', 'http://017700000001/', 'http://0x7f000001/', 'http://0x7f.0.0.1/', 'http://0177.0.0.1/', 'http://127.1/', 'http://127.0.1/', 'http://0/', 'http://0x0/',
    'http://127.0.0.1./', 'http://3232235777/', 'http://0xa9fea9fe/', 'http://0251.0376.0251.0376/', 'http://169.254.43518/', 'http://127%2e0.0.1/', 'http://%31%32%37.0.0.1/',
    'http://１２７.０.０.１/', 'http://127。0。0。1/', 'http://①②⑦.⓪.⓪.①/',
    // IPv6
    'http://[::1]/', 'http://[0:0:0:0:0:0:0:1]/', 'http://[::]/', 'http://[::ffff:127.0.0.1]/', 'http://[::ffff:7f00:1]/', 'http://[::ffff:a9fe:a9fe]/', 'http://[::ffff:10.0.0.1]/',
    'http://[::127.0.0.1]/', 'http://[::7f00:1]/', 'http://[64:ff9b::7f00:1]/', 'http://[64:ff9b::169.254.169.254]/', 'http://[64:ff9b::a00:1]/', 'http://[64:ff9b:1::1]/',
    'http://[64:ff9b:1:a00::1]/', 'http://[2002:7f00:1::]/', 'http://[2002:a9fe:a9fe::]/', 'http://[2002:c0a8:101::1]/', 'http://[2002:5db8:d70e::1]/',
    'http://[2001:0:5ef5:79fb:0:0:80ff:fffe]/', 'http://[2001::1]/', 'http://[2001:10::1]/', 'http://[2001:20::1]/', 'http://[2001:db8::1]/', 'http://[3fff::1]/', 'http://[100::1]/',
    'http://[fc00::1]/', 'http://[fd12:3456::1]/', 'http://[fd00:ec2::254]/', 'http://[fe80::1]/', 'http://[fec0::1]/', 'http://[ff02::1]/', 'http://[5f00::1]/', 'http://[4000::1]/',
    'http://[::ffff:0:127.0.0.1]/', 'http://[1::1]/',
  ])('%s is refused without a lookup', async (url) => {
    expect(await check(url)).toEqual({ rule: 'address_not_public', looked: [], pinned: [] });
  });

  it.each([
    ['http://8.8.8.8/', '8.8.8.8'], ['http://134744072/', '8.8.8.8'], ['https://1.1.1.1:8443/', '1.1.1.1'], ['http://[2606:4700::1111]/', '2606:4700::1111'],
    ['http://[::ffff:8.8.8.8]/', '8.8.8.8'], ['http://[64:ff9b::8.8.8.8]/', '64:ff9b::808:808'], ['http://172.32.0.1/', '172.32.0.1'], ['http://100.128.0.1/', '100.128.0.1'],
    ['http://192.0.1.1/', '192.0.1.1'], ['http://223.255.255.255/', '223.255.255.255'], ['http://[2a00:1450::1]/', '2a00:1450::1'],
  ])('%s is public and pinned to %s', async (url, address) => {
    expect(await check(url)).toEqual({ rule: 'pass', looked: [], pinned: [address] });
  });

  it.each(['http://127.0.0.1.1/', 'http://256.0.0.1/', 'http://[::1/', 'http://[fe80::1%25eth0]/', 'http://0x7f000001ff/', 'http://a b/', 'http://', 'http:///', '//127.0.0.1/'])(
    '%s is no URL', async (url) => {
      expect((await check(url)).rule).toMatch(/url|host_name/);
    },
  );
});

describe('schemes, user information, ports, names', () => {
  it.each([
    ['ftp://files.example.com/', 'scheme'], ['file:///etc/passwd', 'scheme'], ['gopher://a.example.com/', 'scheme'], ['data:text/plain,x', 'scheme'], ['ws://a.example.com/', 'scheme'],
    ['unix:/var/run/docker.sock', 'scheme'], ['javascript:1', 'scheme'], ['blob:http://a.example.com/x', 'scheme'],
    ['http://user@a.example.com/', 'userinfo'], ['http://user:pw@a.example.com/', 'userinfo'], ['http://:pw@a.example.com/', 'userinfo'], ['http://a.example.com@127.0.0.1/', 'userinfo'],
    ['http://127.0.0.1#@a.example.com/', 'address_not_public'], ['http://127.0.0.1\\@a.example.com/', 'address_not_public'],
    ['http://a.example.com:25/', 'port'], ['http://a.example.com:465/', 'port'], ['http://a.example.com:587/', 'port'], ['http://a.example.com:22/', 'port'],
    ['http://a.example.com:6667/', 'port'], ['http://a.example.com:0/', 'port'], ['https://8.8.8.8:53/', 'port'],
    ['http://localhost/', 'host_name'], ['http://LOCALHOST./', 'host_name'], ['http://a.localhost/', 'host_name'], ['http://metadata/', 'host_name'], ['http://redis:6379/', 'host_name'],
    ['http://metadata.google.internal/computeMetadata/v1/', 'host_name'], ['http://metadata.google.internal./', 'host_name'], ['http://instance-data.ec2.internal/', 'host_name'],
    ['http://metadata.goog/', 'host_name'], ['http://printer.local/', 'host_name'], ['http://router.home.arpa/', 'host_name'], ['http://1.0.0.127.in-addr.arpa/', 'host_name'],
    ['http://xyz.onion/', 'host_name'], ['http://host.docker.internal/', 'host_name'], ['http://kubernetes.default.svc.cluster.local/', 'host_name'], ['http://com./', 'host_name'],
  ])('%s is refused as %s, without a lookup', async (url, rule) => {
    expect(await check(url)).toEqual({ rule, looked: [], pinned: [] });
  });

  it.each(['http://api.acme.io/', 'https://api.acme.io:8443/x?y#z', 'http://API.ACME.IO./', 'http://internal.acme.io/', 'http://localhost.acme.io/', 'http://xn--mnchen-3ya.de/'])(
    '%s is looked up once and pinned', async (url) => {
      const checked = await check(url, [PUBLIC, PUBLIC_6, PUBLIC]);
      expect(checked.rule).toBe('pass');
      expect(checked.looked).toEqual([new URL(url).hostname.replace(/\.$/, '')]);
      expect(checked.pinned).toEqual([PUBLIC, PUBLIC_6]);
    },
  );
});

describe('names that resolve to what they should not', () => {
  it.each([
    ['127.0.0.1'], ['::1'], ['::ffff:127.0.0.1'], ['::ffff:7f00:1'], ['169.254.169.254'], ['10.1.2.3'], ['0.0.0.0'], ['fe80::1'], ['fe80::1%eth0'], ['fd00::1'],
    ['64:ff9b::7f00:1'], ['2002:7f00:1::'], ['2001:0:1::'], ['not an address'], ['127.1'], [''],
  ])('%s among good addresses refuses the name', async (bad) => {
    for (const answers of [[bad], [PUBLIC, bad], [bad, PUBLIC], [PUBLIC_6, PUBLIC, bad]]) expect((await check('http://api.acme.io/', answers)).rule).toBe('address_not_public');
  });

  it('a name without addresses is a failed lookup', async () => {
    expect((await check('http://api.acme.io/', [])).rule).toBe('upstream_failed/dns');
  });

  it('a lookup that fails is a failed upstream, not a pass', async () => {
    const guard = new EgressGuard(new EgressPolicy({ allow: [], ownPorts: [], ownAddresses: [] }), () => Promise.reject(new Error('SERVFAIL')));
    await expect(guard.checkName(new URL('http://api.acme.io/'), 't')).rejects.toMatchObject({ code: 'upstream_failed', params: { why: 'dns' } });
  });

  it('many addresses are all checked', async () => {
    const many = Array.from({ length: 100 }, (_, i) => `93.184.215.${i}`);
    expect((await check('http://api.acme.io/', many)).rule).toBe('pass');
    expect((await check('http://api.acme.io/', [...many, '10.0.0.1'])).rule).toBe('address_not_public');
  });
});

describe('THIMBLE_EGRESS_ALLOW', () => {
  const rule = async (url: string, allow: string[], answers: string[] = ['10.0.0.5']): Promise<string> => (await check(url, answers, { allow })).rule;

  it.each([
    ['http://127.0.0.1:9001/', '127.0.0.1:9001', 'pass'], ['http://127.0.0.1:9002/', '127.0.0.1:9001', 'address_not_public'], ['http://127.0.0.1:9002/', '127.0.0.1', 'pass'],
    ['http://2130706433:9001/', '127.0.0.1:9001', 'pass'], ['http://[::ffff:127.0.0.1]:9001/', '127.0.0.1:9001', 'pass'], ['http://127.0.0.1/', '127.0.0.1:80', 'pass'],
    ['https://127.0.0.1/', '127.0.0.1:443', 'pass'], ['https://127.0.0.1/', '127.0.0.1:80', 'address_not_public'], ['http://10.9.8.7/', '10.0.0.0/8', 'pass'],
    ['http://10.9.8.7:81/', '10.0.0.0/8:80', 'address_not_public'], ['http://10.9.8.7/', '10.0.0.0/8:80', 'pass'], ['http://11.0.0.1/', '10.0.0.0/8', 'pass'],
    ['http://[::1]:80/', '[::1]:80', 'pass'], ['http://[::1]:81/', '[::1]:80', 'address_not_public'], ['http://[::1]/', '::1', 'pass'], ['http://[fd00::5]/', 'fd00::/8', 'pass'],
    ['http://[fd00::5]:8080/', 'fd00::/8:8080', 'pass'], ['http://[fd00::5]/', 'fd00::/8:8080', 'address_not_public'], ['http://10.0.0.5/', '0x0a000005', 'pass'],
    ['http://redis.acme.io/', 'redis.acme.io', 'pass'], ['http://REDIS.acme.io./', 'Redis.Acme.io', 'pass'], ['http://redis:81/', 'redis:81', 'pass'], ['http://redis:82/', 'redis:81', 'host_name'],
    ['http://localhost/', 'localhost', 'pass'], ['http://other.acme.io/', 'redis.acme.io', 'address_not_public'], ['http://a.redis.acme.io/', 'redis.acme.io', 'address_not_public'],
    ['http://other.acme.io/', '10.0.0.5', 'pass'], ['http://other.acme.io/', '10.0.0.4/31', 'pass'], ['http://other.acme.io/', '10.0.0.6/31', 'address_not_public'],
    ['http://mail.acme.io:25/', 'mail.acme.io', 'port'], ['http://mail.acme.io:25/', 'mail.acme.io:25', 'pass'], ['http://10.0.0.5:25/', '10.0.0.0/8', 'port'],
    ['http://10.0.0.5:25/', '10.0.0.5:25', 'pass'], ['ftp://10.0.0.5/', '10.0.0.5', 'scheme'], ['http://u@10.0.0.5/', '10.0.0.5', 'userinfo'],
  ])('%s with %s: %s', async (url, allow, expected) => {
    expect(await rule(url, [allow])).toBe(expected);
  });

  it.each(['', 'http://a.b/', '10.0.0.0/33', 'fd00::/129', '10.0.0.0/-1', 'a b', '[::1', '[zz]:80', '::1/64/3', 'redis/8', '10.0.0.1:0', '10.0.0.1:70000', 'a:b', '999.1.1.1:80'])('the entry %j stops the start', (entry) => {
    expect(() => new EgressPolicy({ allow: [entry], ownPorts: [], ownAddresses: [] })).toThrow(expect.objectContaining({ code: 'settings_invalid' }));
  });
});

describe('the node\'s own ports', () => {
  const rule = async (url: string, allow: string[], answers: string[] = ['127.0.0.1']): Promise<string> =>
    (await check(url, answers, { allow, ownPorts: [8080, 8081], ownAddresses: ['10.0.0.9', '93.184.215.99', 'fe80::9'] })).rule;

  it.each([
    ['http://127.0.0.1:8080/', ['127.0.0.1'], 'own_port'], ['http://127.0.0.1:8081/v1', ['127.0.0.0/8'], 'own_port'], ['http://127.5.5.5:8081/', ['127.0.0.0/8:8081'], 'own_port'],
    ['http://127.0.0.1:8081/', ['127.0.0.0/8', '127.0.0.1:8081'], 'pass'], ['http://127.0.0.1:8081/', ['127.0.0.1/32:8081'], 'pass'], ['http://0.0.0.0:8080/', ['0.0.0.0/0'], 'own_port'],
    ['http://[::1]:8080/', ['::/0'], 'own_port'], ['http://[::1]:8080/', ['[::1]:8080'], 'pass'], ['http://[::]:8080/', ['::/0'], 'own_port'], ['http://[::ffff:127.0.0.1]:8080/', ['0.0.0.0/0'], 'own_port'],
    ['http://localhost:8080/', ['localhost'], 'own_port'], ['http://localhost:8080/', ['localhost:8080'], 'pass'], ['http://a.acme.io:8080/', ['127.0.0.1'], 'own_port'],
    ['http://10.0.0.9:8080/', ['10.0.0.0/8'], 'own_port'], ['http://10.0.0.8:8080/', ['10.0.0.0/8'], 'pass'], ['http://93.184.215.99:8080/', [], 'own_port'], ['http://93.184.215.99:80/', [], 'pass'],
    ['http://127.0.0.1:9001/', ['127.0.0.1'], 'pass'],
  ])('%s with %j: %s', async (url, allow, expected) => {
    expect(await rule(url, allow)).toBe(expected);
  });
});

describe('lookups', () => {
  it('of the same name at the same time are one, and two of a tenant run at once', async () => {
    const running: string[] = [];
    let release: (() => void) | undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const guard = new EgressGuard(new EgressPolicy({ allow: [], ownPorts: [], ownAddresses: [] }), async (name) => {
      running.push(name);
      await gate;
      return [PUBLIC];
    });
    const names = ['a.acme.io', 'a.acme.io', 'b.acme.io', 'c.acme.io'];
    const all = names.map((name) => guard.checkName(new URL(`http://${name}/`), 'slow'));
    const other = guard.checkName(new URL('http://c.acme.io/'), 'other');
    expect(running).toEqual(['a.acme.io', 'b.acme.io', 'c.acme.io']);
    release?.();
    await Promise.all([...all, other]);
    expect(running).toEqual(['a.acme.io', 'b.acme.io', 'c.acme.io', 'c.acme.io']);
  });
});

describe('addresses', () => {
  it('have one spelling each, and every IPv4 hidden in a mapped IPv6 is judged as itself', () => {
    fc.assert(
      fc.property(fc.ipV4(), (v4) => {
        const [a = 0, b = 0, c = 0, d = 0] = v4.split('.').map(Number);
        const hex = `::ffff:${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
        expect(canonicalAddress(hex)).toEqual({ address: v4, family: 4 });
        expect(canonicalAddress(`::FFFF:${v4}`)).toEqual({ address: v4, family: 4 });
        const nat64 = canonicalAddress(`64:ff9b::${v4}`);
        expect(nat64 !== undefined && isGlobalUnicast(nat64)).toBe(isGlobalUnicast({ address: v4, family: 4 }));
        const sixToFour = canonicalAddress(`2002:${hex.slice(7)}::1`);
        expect(sixToFour !== undefined && isGlobalUnicast(sixToFour)).toBe(false);
      }),
    );
  });

  it('of any spelling stay addresses', () => {
    fc.assert(
      fc.property(fc.ipV6(), (v6) => {
        const canonical = canonicalAddress(v6);
        expect(canonical).toBeDefined();
        expect(isIP(canonical?.address ?? '')).toBe(canonical?.family);
        expect(canonicalAddress(canonical?.address ?? '')).toEqual(canonical);
      }),
    );
  });

  it('never throw on other text', () => {
    fc.assert(fc.property(fc.string(), (text) => {
      expect([0, 4, 6]).toContain(canonicalAddress(text)?.family ?? 0);
    }));
  });
});
