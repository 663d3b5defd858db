// A change of tier that is killed at any moment: the function is whole in one tier, never half in two.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { KEYS } from '../../../control/model/index.ts';
import { openLmdbStore } from '../../../control/store/index.ts';
import { unseal } from '../../../core/crypto/index.ts';
import type { StoredRecord } from '../../../core/ports/index.ts';
import { brokenAuditRow, isWholeOnDisk } from '../../support/control-disk.ts';
import { HELLO, LAB_KEY, TIER_KEY } from '../../support/control-plane.ts';
import { useControlProcess } from '../../support/control-process.ts';
import { useTempFolder } from '../../support/control-temp.ts';

const VERSIONS = 12;
const KEY_OF: Readonly<Record<string, Buffer>> = { default: TIER_KEY, lab: LAB_KEY };

it('SIGKILL in the middle of it', { timeout: 90_000 }, async () => {
  const data = useTempFolder();
  const first = await useControlProcess(data);
  await first.call('PUT', '/v1/functions/card', { secrets: { KEY: 'sesame' } });
  const digests: string[] = [];
  for (let i = 0; i < VERSIONS; i++) {
    const reply = await first.call('POST', '/v1/functions/card/versions', { files: { 'a.js': HELLO.replace('hello', `version ${i}`) }, main: 'a.js' });
    digests.push(String(reply.body['digest']));
  }
  await first.kill();
  const outcomes = new Set<string>();
  let wanted = 'lab';
  for (let round = 0; round < 5; round++) {
    const control = await useControlProcess(data);
    let answered = false;
    const changing = control.call('PUT', '/v1/functions/card', { tier: wanted }).then(() => { answered = true; }, () => {});
    // From before the first copy to after the answer.
    await sleep(round * 9);
    await control.kill();
    await changing;
    const store = openLmdbStore(join(data, 'control'));
    const { tier, secrets } = (store.get(KEYS.function('card')) as StoredRecord).value as { tier: string; secrets: string };
    await store.close();
    outcomes.add(`${tier === wanted ? 'moved' : 'stayed'}${answered ? ', answered' : ''}`);
    expect(answered && tier !== wanted).toBe(false);
    expect(JSON.parse(unseal(KEY_OF[tier] ?? Buffer.alloc(32), 'secrets/card', secrets))).toEqual({ KEY: 'sesame' });
    for (const digest of digests) expect(isWholeOnDisk(data, digest, tier)).toBe(true);
    expect(await brokenAuditRow(data)).toBeNull();
    // The next start removes what was copied in vain, or what was left behind.
    const again = await useControlProcess(data);
    expect(readdirSync(join(data, 'versions', tier === 'lab' ? 'default' : 'lab'))).toEqual([]);
    expect(readdirSync(join(data, 'versions', tier)).toSorted()).toEqual(digests.toSorted());
    await again.kill();
    if (tier === wanted) wanted = wanted === 'lab' ? 'default' : 'lab';
  }
  expect(outcomes.has('stayed')).toBe(true);
});
