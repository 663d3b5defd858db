// Names of hosts and groups: each says tier and kind, and both ways agree.
import { expect, test } from 'vitest';
import { GROUP_KINDS, groupOfHost, hostGroup, hostName, kindOfGroup, tierOfGroup } from '../../../core/config/index.ts';

test('a group and a host of it say their tier and kind', () => {
  for (const tier of ['default', 'partner', 'slow', 'host']) {
    for (const kind of GROUP_KINDS) {
      const group = hostGroup(tier, kind);
      expect([tierOfGroup(group), kindOfGroup(group)]).toEqual([tier, kind]);
      expect(groupOfHost(hostName(group, 3))).toBe(group);
    }
  }
  const names = ['default', 'slow', 'wasm', 'penalty', 'partner.default', 'partner.slow'].map((group) => hostName(group, 1));
  expect(names).toEqual(['host-1', 'slow-1', 'wasm-1', 'penalty-1', 'partner.host-1', 'partner.slow-1']);
});
