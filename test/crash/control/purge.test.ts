// SIGKILL in the middle of deploys and purges: every version that is listed is whole, and nothing else stays on disk or in the store.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { KEYS, allOf } from '../../../control/model/index.ts';
import { openLmdbStore } from '../../../control/store/index.ts';
import { brokenAuditRow, isWholeOnDisk } from '../../support/control-disk.ts';
import { useControlProcess } from '../../support/control-process.ts';
import { useTempFolder } from '../../support/control-temp.ts';

const source = (text: string): unknown => ({ files: { 'index.ts': `export default { fetch() { return new Response(${JSON.stringify(text)}); } };` }, main: 'index.ts' });

it('a purge that is killed took versions whole or not at all', { timeout: 90_000 }, async () => {
  const data = useTempFolder();
  let purged = 0;
  for (let round = 0; round < 4; round++) {
    const control = await useControlProcess(data);
    await control.call('PUT', '/v1/functions/card');
    const answered = new Set<number>();
    let deploys = 0;
    const working = Promise.allSettled([
      (async () => {
        for (;;) {
          await control.call('POST', '/v1/functions/card/versions', source(`${round}/${deploys % 3}`));
          deploys += 1;
        }
      })(),
      (async () => {
        for (;;) {
          const reply = await control.call('POST', '/v1/functions/card/purge', { keep: 2 });
          for (const version of reply.body['versions'] as number[]) answered.add(version);
        }
      })(),
    ]);
    await expect.poll(() => deploys > 4 && answered.size > 1, { timeout: 20_000, interval: 5 }).toBe(true);
    await sleep(round * 7);
    await control.kill();
    await working;
    purged += answered.size;
    expect(await brokenAuditRow(data)).toBeNull();
    const again = await useControlProcess(data);
    const items = (await again.call('GET', '/v1/functions/card/versions?limit=1000')).body.items ?? [];
    // What a 2xx said is gone stays gone, and the first version, which is live, is always there.
    expect(items.filter((item) => answered.has(Number(item['version'])))).toEqual([]);
    expect(items[0]?.['version']).toBe(1);
    for (const item of items) {
      expect(isWholeOnDisk(data, String(item['digest']))).toBe(true);
      expect((await again.call('GET', `/v1/functions/card/versions/${String(item['version'])}`)).status).toBe(200);
    }
    expect(readdirSync(join(data, 'versions', 'default')).toSorted()).toEqual([...new Set(items.map((item) => String(item['digest'])))].toSorted());
    await again.kill();
    // No report, source or snapshot record is left of a version that is not there.
    const store = openLmdbStore(join(data, 'control'));
    const keys = [...allOf(store, '')].map(({ key }) => key);
    await store.close();
    const versions = keys.filter((key) => key.startsWith(KEYS.allVersions));
    const suffixes = new Set(versions.map((key) => key.slice(KEYS.allVersions.length)));
    for (const prefix of ['report/', KEYS.snapshots]) expect(keys.filter((key) => key.startsWith(prefix) && !suffixes.has(key.slice(prefix.length)))).toEqual([]);
    expect(keys.filter((key) => key.startsWith('report/'))).toHaveLength(versions.length);
    expect(keys.filter((key) => key.startsWith('sources/')).length).toBeLessThanOrEqual(versions.length);
  }
  expect(purged).toBeGreaterThan(5);
});
