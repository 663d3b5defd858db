// Program: restores a finished snapshot as a host would, once, so that no host is the first to try.
import { sha256Hex } from '../../core/crypto/index.ts';
import { verifyJobSchema } from '../../core/versions/index.ts';
import { ENTER } from '../runtime/abi.ts';
import { Vm, externalBytes } from '../vm.ts';
import { BuildHost } from './build-host.ts';
import { sameEngine, thisEngine } from './engine.ts';
import { end, openPlatform, say, takeJob } from './program.ts';

/** @returns what is wrong with it, or '' */
function verify(): string {
  const { json, bytes: [blob] } = takeJob();
  const { platformFolder, shape, memoryMb, file } = verifyJobSchema.parse(json);
  const on = openPlatform(platformFolder);
  if (on === undefined) return 'the platform is missing';
  if (blob === undefined || blob.length !== file.bytes || sha256Hex(blob) !== file.sha256) return 'the blob is not the one that was built';
  if (!sameEngine(file.engine, thisEngine(on.platform.key))) return 'it was made by another platform';
  const shared = externalBytes(blob);
  // Twice: what one isolate does must not reach the other.
  for (let round = 0; round < 2; round++) {
    const vm = new Vm(on.platform, memoryMb, false, shared);
    void new BuildHost(vm);
    // Without onRestore, which may need what this program must not have.
    const told = vm.enter(ENTER.restore, 0, '{}', shape, undefined);
    if (told !== '') return typeof told === 'string' ? told : 'the runtime gave no answer';
    vm.dispose();
  }
  return '';
}

let detail: string;
try {
  detail = verify();
} catch (thrown) {
  detail = String(thrown);
}
say({ kind: 'verified', ok: detail === '', detail: detail.slice(0, 2_048) });
end();
