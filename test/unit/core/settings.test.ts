// Settings: defaults, one message that names every bad variable, egress entries that the sidecar takes too.
import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../../core/config/index.ts';
import { EgressPolicy } from '../../../sidecar/egress/index.ts';

const errorsOf = (environment: Record<string, string>): { path: string; message: string }[] => {
  try {
    parseSettings(environment);
    return [];
  } catch (thrown) {
    const { code, params } = thrown as { code: string; params: { errors: { path: string; message: string }[] } };
    expect(code).toBe('settings_invalid');
    return [...params.errors];
  }
};

describe('settings', () => {
  it('have the defaults of the contract', () => {
    expect(parseSettings({})).toMatchObject({
      host: '127.0.0.1', port: 8080, controlPort: 8081, token: undefined, secretKey: undefined, egressAllow: [], trustedProxies: [], examples: true, logLevel: 'info',
    });
    const { dataFolder, hosts } = parseSettings({});
    expect(dataFolder).toMatch(/^\/.*data$/);
    expect(hosts).toBeGreaterThan(0);
  });

  it('are read, trimmed, split and frozen', () => {
    const settings = parseSettings({
      THIMBLE_PORT: '9000', THIMBLE_HOSTS: '3', THIMBLE_EXAMPLES: '0', THIMBLE_TOKEN: 't', THIMBLE_EGRESS_ALLOW: ' redis.internal:6379 ,, 10.0.0.0/8,[::1]:80 ', THIMBLE_TRUSTED_PROXIES: '10.0.0.1,fd00::/8',
      THIMBLE_UNKNOWN: 'x', PATH: '/bin',
    });
    expect(settings).toMatchObject({ port: 9000, hosts: 3, examples: false, token: 't', egressAllow: ['redis.internal:6379', '10.0.0.0/8', '[::1]:80'], trustedProxies: ['10.0.0.1', 'fd00::/8'] });
    expect(Object.isFrozen(settings) && Object.isFrozen(settings.egressAllow)).toBe(true);
  });

  it('have trust tiers with their hosts', () => {
    expect(parseSettings({}).tiers).toEqual({});
    expect(parseSettings({ THIMBLE_TIERS: 'partner:2, lab:1' }).tiers).toEqual({ partner: 2, lab: 1 });
    const wrong = ['partner', 'Partner:1', 'default:1', 'a:0', 'a:65', 'a:b', ':1', 'a-b:1', 'a.b:1'];
    expect(wrong.filter((tiers) => errorsOf({ THIMBLE_TIERS: tiers }).length === 0)).toEqual([]);
  });

  it('take an empty variable for one that is not set', () => {
    expect(parseSettings({ THIMBLE_PORT: '', THIMBLE_TOKEN: '' })).toMatchObject({ port: 8080, token: undefined });
  });

  it('name every bad variable in one error', () => {
    const errors = errorsOf({
      THIMBLE_PORT: '0', THIMBLE_CONTROL_PORT: 'many', THIMBLE_HOSTS: '1.5', THIMBLE_EXAMPLES: 'yes', THIMBLE_EGRESS_ALLOW: 'ok.io,not ok', THIMBLE_TRUSTED_PROXIES: '10.0.0.0/40', THIMBLE_LOG_LEVEL: 'loud',
    });
    expect(new Set(errors.map((e) => e.path.split('.')[0]))).toEqual(
      new Set(['THIMBLE_PORT', 'THIMBLE_CONTROL_PORT', 'THIMBLE_HOSTS', 'THIMBLE_EXAMPLES', 'THIMBLE_EGRESS_ALLOW', 'THIMBLE_TRUSTED_PROXIES', 'THIMBLE_LOG_LEVEL']),
    );
    expect(() => parseSettings({ THIMBLE_PORT: '70000', THIMBLE_HOSTS: '0' })).toThrow(/THIMBLE_PORT[^]*THIMBLE_HOSTS/);
  });

  it('go together: a user for hosts needs a sandbox that can give it', () => {
    expect(parseSettings({ THIMBLE_HOST_UID: '64100', THIMBLE_SANDBOX: 'require', THIMBLE_HOST_MEMORY_MB: '512' })).toMatchObject({ hostUid: '64100', sandbox: 'require', hostMemoryMb: 512 });
    expect(parseSettings({})).toMatchObject({ hostUid: undefined, sandbox: 'auto', hostMemoryMb: undefined });
    expect(errorsOf({ THIMBLE_HOST_UID: 'thimble', THIMBLE_SANDBOX: 'off' }).map(({ path }) => path)).toEqual(['THIMBLE_HOST_UID']);
  });

  it.each([
    ['THIMBLE_SANDBOX', ['auto', 'off', 'require'], ['on', 'yes', '1']], ['THIMBLE_HOST_UID', ['1', '64100', 'thimble', '_host-1'], ['-1', '1.5', 'a b', '1a', '9'.repeat(11)]],
    ['THIMBLE_HOST_MEMORY_MB', ['384', '1048576'], ['383', '1048577', '1.5', 'much']],
    ['THIMBLE_PORT', ['1', '65535'], ['0', '65536', '-1', '80.5', 'x', '80x', 'NaN', 'Infinity']], ['THIMBLE_HOSTS', ['1', '256'], ['0', '257', '-3', '2.5', 'two']],
    ['THIMBLE_TRUSTED_PROXIES', ['10.0.0.0/8', '::1', 'fd00::/128', '10.0.0.1/32,::/0'], ['10.0.0.0/33', 'host', '10.0.0.0/', '10.0.0.0/a', '::/129', '10.0.0/8']],
  ])('%s takes %j and not %j', (name, good, bad) => {
    for (const value of good) expect([value, errorsOf({ [name]: value, THIMBLE_CONTROL_PORT: '4' })]).toEqual([value, []]);
    for (const value of bad) expect([value, errorsOf({ [name]: value }).length]).not.toEqual([value, 0]);
  });

  it('want two different ports', () => {
    expect(errorsOf({ THIMBLE_PORT: '8081' })).toMatchObject([{ path: 'THIMBLE_CONTROL_PORT' }]);
  });

  it('take exactly those egress entries that the sidecar starts with', () => {
    const entries = [
      'a', 'a.b', 'a.b:80', 'A.B:65535', 'a.b:0', 'a.b:65536', 'a.b:', ':80', 'a_b', '-a', 'a-', 'a..b', '10.0.0.1', '10.0.0.1:80', '10.0.0.1:0', '10.0.0.0/8', '10.0.0.0/8:80', '10.0.0.0/33', '10.0.0.0/33:80',
      '999.1.1.1', '999.1.1.1:80', '0x7f.1', '[::1]', '[::1]:80', '[::1]:0', '[zz]:80', '[10.0.0.1]:80', '::1', 'fd00::/8', 'fd00::/8:443', 'fd00::/129', 'http://a.b', 'a/b', '10.0.0.1-10.0.0.9', '*', '*.a.b', 'a b',
    ];
    const taken = entries.filter((entry) => errorsOf({ THIMBLE_EGRESS_ALLOW: entry }).length === 0);
    for (const entry of taken) expect(() => new EgressPolicy({ allow: [entry], ownPorts: [], ownAddresses: [] })).not.toThrow();
    expect(taken).toEqual(['a', 'a.b', 'a.b:80', 'A.B:65535', 'a..b', '10.0.0.1', '10.0.0.1:80', '10.0.0.0/8', '10.0.0.0/8:80', '0x7f.1', '[::1]', '[::1]:80', '::1', 'fd00::/8', 'fd00::/8:443']);
  });
});
