// A 2xx holds: SIGKILL right after it, at any moment, and a disk that is full.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { brokenAuditRow, isWholeOnDisk } from '../../support/control-disk.ts';
import { HELLO } from '../../support/control-plane.ts';
import { useControlProcess } from '../../support/control-process.ts';
import { useTempFolder } from '../../support/control-temp.ts';

const ROUNDS = process.env['THIMBLE_TEST_FULL'] === '1' ? 6 : 4;

const source = (text: string): unknown => ({ files: { 'index.ts': `export default { fetch() { return new Response(${JSON.stringify(text)}); } };` }, main: 'index.ts' });

describe('after SIGKILL', { timeout: 90_000 }, () => {
  it('right behind a 2xx the version is there, live, whole on disk, and the audit trail holds', async () => {
    const data = useTempFolder();
    const made: { readonly version: unknown; readonly digest: string }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const control = await useControlProcess(data);
      expect((await control.call('PUT', '/v1/functions/card', { env: { A: '1' } })).status).toBe(round === 0 ? 201 : 200);
      const shown = await control.call('GET', '/v1/functions/card/versions');
      expect(shown.body.items?.map((item) => [item['version'], item['digest']])).toEqual(made.map((one) => [one.version, one.digest]));
      const traffic = { rules: [], split: [{ version: round, weight: 100 }] };
      expect((await control.call('GET', '/v1/functions/card')).body).toMatchObject(round === 0 ? { lastVersion: null, traffic: null } : { lastVersion: round, traffic });
      const reply = await control.call('POST', '/v1/functions/card/versions?activate=true', source(`round ${round}`));
      control.child.kill('SIGKILL');
      expect(reply.status).toBe(201);
      made.push({ version: reply.body['version'], digest: String(reply.body['digest']) });
      await control.kill();
      for (const one of made) expect(isWholeOnDisk(data, one.digest)).toBe(true);
      expect(await brokenAuditRow(data)).toBeNull();
    }
  });

  it('in the middle of many writes, every write that was answered is there, and nothing is half there', async () => {
    const data = useTempFolder();
    const answered = new Map<number, string>();
    let last = 0;
    for (let round = 0; round < 4; round++) {
      const control = await useControlProcess(data);
      await control.call('PUT', '/v1/functions/card');
      // Each writer ends when its connection is cut.
      const writers = Promise.allSettled(Array.from({ length: 4 }, async (_, writer) => {
        for (let i = 0; ; i++) {
          const reply = await control.call('POST', '/v1/functions/card/versions', source(`${round}/${writer}/${i}`));
          if (reply.status === 201) answered.set(Number(reply.body['version']), String(reply.body['digest']));
        }
      }));
      await sleep(60 + round * 37);
      await control.kill();
      expect((await writers).every((one) => one.status === 'rejected')).toBe(true);
      const again = await useControlProcess(data);
      const items = (await again.call('GET', '/v1/functions/card/versions?limit=1000')).body.items ?? [];
      const stored = new Map(items.map((item) => [Number(item['version']), String(item['digest'])]));
      for (const [version, digest] of answered) expect(stored.get(version)).toBe(digest);
      for (const digest of stored.values()) expect(isWholeOnDisk(data, digest)).toBe(true);
      // Numbers have no gap, and what was written but never committed is gone from disk.
      expect([...stored.keys()]).toEqual(Array.from({ length: stored.size }, (_, i) => i + 1));
      expect(readdirSync(join(data, 'versions', 'default')).toSorted()).toEqual([...new Set(stored.values())].toSorted());
      await again.kill();
      expect(await brokenAuditRow(data)).toBeNull();
      last = stored.size;
    }
    expect(last).toBeGreaterThan(5);
  });

  it('starts again beside what a crash left, and removes it', async () => {
    const data = useTempFolder();
    const first = await useControlProcess(data);
    await first.call('PUT', '/v1/functions/card');
    const reply = await first.call('POST', '/v1/functions/card/versions', { files: { 'a.js': HELLO }, main: 'a.js' });
    await first.kill();
    const folder = join(data, 'versions', 'default');
    for (const orphan of [`sha256-${'0'.repeat(64)}`, '.new-abc']) {
      mkdirSync(join(folder, orphan));
      writeFileSync(join(folder, orphan, 'bundle.js'), 'x');
    }
    mkdirSync(join(folder, 'not-ours'));
    await useControlProcess(data);
    expect(readdirSync(folder).toSorted()).toEqual(['not-ours', String(reply.body['digest'])]);
  });
});

describe('on a full disk', { timeout: 90_000 }, () => {
  it('writes answer storage_failed and change nothing, reads go on, and small writes work again', async () => {
    const data = useTempFolder();
    const limited = await useControlProcess(data, { fileKib: 1_024 });
    expect((await limited.call('PUT', '/v1/functions/card')).status).toBe(201);
    const failed: unknown[] = [];
    const made: number[] = [];
    for (let i = 0; i < 12; i++) {
      const reply = await limited.call('POST', '/v1/functions/card/versions', { files: { 'index.js': HELLO, 'big.txt': `${i}${'x'.repeat(200_000)}` }, main: 'index.js' });
      if (reply.status === 201) made.push(Number(reply.body['version']));
      else failed.push([reply.status, reply.body.code, reply.headers['retry-after']]);
    }
    expect(failed.length).toBeGreaterThan(0);
    expect(new Set(failed.map((one) => JSON.stringify(one)))).toEqual(new Set(['[503,"storage_failed","1"]']));
    expect(made.length).toBeGreaterThan(0);
    // A bundle that is larger than a file may be fails before the store is asked.
    const huge = await limited.call('POST', '/v1/functions/card/versions', { files: { 'index.js': `export default ${JSON.stringify('y'.repeat(1_500_000))};` }, main: 'index.js' });
    expect(huge.body.code).toBe('storage_failed');
    const listed = await limited.call('GET', '/v1/functions/card/versions');
    expect(listed.body.items?.map((item) => item['version'])).toEqual(made);
    expect((await limited.call('PUT', '/v1/functions/card', { debug: true })).status).toBe(200);
    expect(await limited.drain()).toBe(0);
    const again = await useControlProcess(data);
    expect((await again.call('GET', '/v1/functions/card/versions')).body.items?.map((item) => item['version'])).toEqual(made);
    const next = await again.call('POST', '/v1/functions/card/versions', source('room again'));
    expect(next.body['version']).toBe(made.length + 1);
    await again.kill();
    expect(await brokenAuditRow(data)).toBeNull();
  });
});

describe('a drain', { timeout: 90_000 }, () => {
  it('finishes the writes that are under way, then exits 0', async () => {
    const data = useTempFolder();
    const control = await useControlProcess(data);
    await control.call('PUT', '/v1/functions/card');
    // Connections that the listener had not taken yet are cut; what was taken is answered.
    const calls = Array.from({ length: 6 }, (_, i) => control.call('POST', '/v1/functions/card/versions', source(String(i))));
    const deploys = Promise.allSettled(calls);
    await Promise.race(calls);
    expect(await control.drain()).toBe(0);
    const replies = await deploys;
    const done = replies.filter((one) => one.status === 'fulfilled' && one.value.status === 201).length;
    const again = await useControlProcess(data);
    const stored = (await again.call('GET', '/v1/functions/card/versions')).body.items ?? [];
    expect(stored.length).toBeGreaterThanOrEqual(done);
    expect(done).toBeGreaterThan(0);
  });

  it('follows the end of the supervisor', async () => {
    const control = await useControlProcess(useTempFolder());
    const exited = new Promise((resolve) => control.child.once('exit', resolve));
    control.child.disconnect();
    expect(await exited).toBe(0);
  });
});
