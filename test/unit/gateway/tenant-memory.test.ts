// What hosts hear of tenants' memory: the sums of the others, only when something has changed.
import { expect, test } from 'vitest';
import type { TenantRow } from '../../../core/protocol/index.ts';
import type { HostLink } from '../../../gateway/host-link.ts';
import { TenantMemory } from '../../../gateway/tenant-memory.ts';

const MIB = 1_048_576;

function useLinks(count: number): { readonly link: HostLink; readonly told: (readonly TenantRow[])[] }[] {
  return Array.from({ length: count }, () => {
    const told: (readonly TenantRow[])[] = [];
    return { told, link: { tellTenants: (rows: readonly TenantRow[]) => void told.push(rows) } as unknown as HostLink };
  });
}

test('each host hears the sum of the others, once; nobody hears of tenants without a quota', () => {
  const memory = new TenantMemory();
  const [a, b, c] = useLinks(3) as [ReturnType<typeof useLinks>[0], ReturnType<typeof useLinks>[0], ReturnType<typeof useLinks>[0]];
  const links = [a.link, b.link, c.link];
  memory.review(links, []);
  expect([a.told, b.told, c.told]).toEqual([[], [], []]);
  const quotas = [{ tenant: 'shop', memoryMb: 100 }];
  memory.review(links, quotas);
  memory.review(links, quotas);
  expect(a.told).toEqual([[['shop', 100 * MIB, 0]]]);
  memory.reported(a.link, [['shop', 100 * MIB, 10 * MIB]]);
  memory.reported(b.link, [['shop', 100 * MIB, 4 * MIB]]);
  memory.review(links, quotas);
  expect([a.told.at(-1), b.told.at(-1), c.told.at(-1)]).toEqual([[['shop', 100 * MIB, 4 * MIB]], [['shop', 100 * MIB, 10 * MIB]], [['shop', 100 * MIB, 14 * MIB]]]);
  // A host that is gone takes its isolates with it; a quota that is gone is told as well.
  memory.closed(a.link);
  memory.review([b.link, c.link], quotas);
  expect(c.told.at(-1)).toEqual([['shop', 100 * MIB, 4 * MIB]]);
  memory.review([b.link, c.link], []);
  expect([b.told.at(-1), c.told.at(-1)]).toEqual([[], []]);
});
