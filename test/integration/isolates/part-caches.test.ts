// V8's code caches of the parts: one that V8 rejects costs milliseconds at first touch, and nothing else would tell.
import ivm from 'isolated-vm';
import { expect, test } from 'vitest';
import { makePlatform, readPlatform } from '../../../isolates/platform/load.ts';
import { externalBytes } from '../../../isolates/vm.ts';
import { platformFolder } from '../../support/platform-folder.ts';

test('every part compiles from its cache in an isolate of the platform snapshot', async () => {
  const files = readPlatform(await platformFolder());
  if (files === undefined) throw new Error('no platform');
  const platform = makePlatform(files, externalBytes, 'this');
  const isolate = new ivm.Isolate({ memoryLimit: 64, snapshot: platform.snapshot as ivm.ExternalCopy<ArrayBuffer> });
  const accepted = Array.from(platform.lazy, ([name, { code, cachedData }]) => {
    const script = isolate.compileScriptSync(code, { filename: `thimble:${name}`, cachedData: cachedData as ivm.ExternalCopy<ArrayBuffer> });
    return [name, (script as ivm.Script & { cachedDataRejected?: boolean }).cachedDataRejected];
  });
  isolate.dispose();
  expect(accepted.length).toBeGreaterThan(5);
  expect(accepted.filter(([, rejected]) => rejected !== false)).toEqual([]);
});
