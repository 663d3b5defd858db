// Version folders when several deploys make the same version at once.
import { readdirSync, utimesSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, it } from 'vitest';
import { VersionFiles } from '../../../control/builder/index.ts';
import { versionFolder } from '../../../core/versions/index.ts';
import { useTempFolder } from '../../support/control-temp.ts';

it('of the same content are written once, and none is taken away by another deploy', async () => {
  const dataFolder = useTempFolder();
  const files = new VersionFiles({ dataFolder, tier: 'default', canonical: JSON.stringify });
  await files.prepare();
  for (let round = 0; round < 20; round++) {
    const content = { bundle: `round ${round} ${'x'.repeat(200_000)}`, map: '{}', env: {}, bindings: {} };
    const digest = files.digest(content);
    await Promise.all(Array.from({ length: 8 }, async (_, i) => {
      // One finds what another has half written, at another moment in each round.
      await new Promise((resolve) => setTimeout(resolve, (i * round) / 2));
      await files.write(digest, content);
      expect(await files.sound(digest)).toBe(true);
    }));
  }
  expect(readdirSync(dirname(versionFolder(dataFolder, 'default', 'x')))).toHaveLength(20);
});

it('that nothing names are removed at the start, but not those that are older than the store', async () => {
  const dataFolder = useTempFolder();
  const files = new VersionFiles({ dataFolder, tier: 'default', canonical: JSON.stringify });
  await files.prepare();
  const make = async (bundle: string): Promise<string> => {
    const content = { bundle, map: '{}', env: {}, bindings: {} };
    const digest = files.digest(content);
    await files.write(digest, content);
    return digest;
  };
  const [known, orphan, older] = [await make('known'), await make('orphan'), await make('older')];
  const storeMs = Date.now() - 60_000;
  utimesSync(versionFolder(dataFolder, 'default', older), new Date(), new Date(storeMs - 1));
  expect(await files.collect(new Set([known]), storeMs)).toBe(1);
  expect([await files.sound(known), await files.sound(orphan), await files.sound(older)]).toEqual([true, false, true]);
});
