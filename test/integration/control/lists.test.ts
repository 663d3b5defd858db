// Lists: filters, pages, and what a page is worth while others write.
import { describe, expect, it } from 'vitest';
import { HELLO, useControl } from '../../support/control-plane.ts';
import type { ControlUnderTest } from '../../support/control-plane.ts';

/** The items of all pages; `between` runs after each. */
async function walk({ call }: ControlUnderTest, path: string, between: (page: number) => Promise<unknown> = async () => {}): Promise<Record<string, unknown>[]> {
  const items: Record<string, unknown>[] = [];
  let cursor = '';
  for (let page = 0; ; page++) {
    const { body, status } = await call('GET', `${path}${path.includes('?') ? '&' : '?'}limit=2${cursor}`);
    expect([status, (body.items?.length ?? 3) <= 2]).toEqual([200, true]);
    items.push(...(body.items ?? []));
    if (typeof body.next !== 'string') return items;
    cursor = `&cursor=${body.next}`;
    await between(page);
  }
}

const names = (items: readonly Record<string, unknown>[]): unknown[] => items.map((item) => item['name'] ?? item['version'] ?? item['id']);

describe('lists', () => {
  it('take filters, which hold together, over all pages', async () => {
    const control = await useControl();
    const { call, deploy } = control;
    for (const [name, tenant, tier] of [['bid-a', 'red', 'default'], ['bid-b', 'red', 'lab'], ['card-a', 'red', 'default'], ['card-b', 'blue', 'default'], ['card-c', 'red', 'default'], ['wild-card', 'blue', 'lab']] as const) await call('PUT', `/v1/functions/${name}`, { tenant, tier });
    for (const [query, found] of [
      ['tenant=red', ['bid-a', 'bid-b', 'card-a', 'card-c']], ['tier=lab', ['bid-b', 'wild-card']], ['prefix=card', ['card-a', 'card-b', 'card-c']], ['q=card', ['card-a', 'card-b', 'card-c', 'wild-card']],
      ['tenant=red&q=card', ['card-a', 'card-c']], ['tenant=red&tier=lab&prefix=b', ['bid-b']], ['tenant=green', []], ['q=zzz', []],
    ] as const) expect([query, names(await walk(control, `/v1/functions?${query}`))]).toEqual([query, found]);
    expect(names(await walk(control, '/v1/tenants'))).toEqual(['blue', 'red']);
    expect(names(await walk(control, '/v1/tenants?prefix=r'))).toEqual(['red']);
    for (const query of ['tenant=', 'colour=red', 'limit=0', 'limit=1001', 'cursor=', 'cursor=../x', 'prefix=a&prefix=b']) expect([query, (await call('GET', `/v1/functions?${query}`)).status]).toEqual([query, 422]);
    const ci = String((await call('POST', '/v1/tokens', { name: 'ci', role: 'deployer' })).body['token']);
    for (let i = 0; i < 3; i++) await deploy('bid-a', HELLO);
    const since = new Date(Date.now() + 1).toISOString();
    await expect.poll(() => new Date().toISOString() > since).toBe(true);
    for (let i = 0; i < 3; i++) await call('POST', '/v1/functions/bid-a/versions', { from: 1 }, { token: ci });
    await deploy('bid-a', HELLO);
    for (const [query, found] of [['author=admin', [1, 2, 3, 7]], ['author=ci', [4, 5, 6]], [`since=${since}`, [4, 5, 6, 7]], [`since=${since}&author=admin`, [7]], ['author=nobody', []]] as const) {
      expect([query, names(await walk(control, `/v1/functions/bid-a/versions?${query}`))]).toEqual([query, found]);
    }
    const ids: unknown[] = [];
    for (const [name, role] of [['a', 'reader'], ['b', 'deployer'], ['a', 'deployer'], ['c', 'reader']] as const) ids.push((await call('POST', '/v1/tokens', { name, role })).body['id']);
    expect((await walk(control, '/v1/tokens')).map((item) => item['id']).slice(1)).toEqual(ids);
    expect((await walk(control, '/v1/tokens?role=deployer')).map((item) => item['name'])).toEqual(['ci', 'b', 'a']);
    expect((await walk(control, '/v1/tokens?name=a&role=reader')).map((item) => item['id'])).toEqual([ids[0]]);
  });

  it('neither repeat nor lose what stays, while others come and go between pages', async () => {
    const control = await useControl();
    const { call } = control;
    const stay = Array.from({ length: 8 }, (_, i) => `m${i}`);
    for (const name of [...stay, 'm3-gone', 'm5-gone']) await call('PUT', `/v1/functions/${name}`);
    const seen = names(await walk(control, '/v1/functions', async (page) => {
      // Before, on and behind the cursor.
      await call('PUT', `/v1/functions/a${page}`);
      await call('PUT', `/v1/functions/z${page}`);
      if (page === 1) for (const name of ['m3', 'm3-gone', 'm5-gone']) await call('DELETE', `/v1/functions/${name}`);
    }));
    expect(seen).toEqual([...new Set(seen)]);
    expect(seen.filter((name) => stay.includes(String(name)))).toEqual(stay);
    expect(seen.map(String)).toEqual(seen.map(String).toSorted());
    expect(seen.filter((name) => String(name).startsWith('a'))).toEqual([]);
    expect(seen).not.toContain('m5-gone');
  });
});
