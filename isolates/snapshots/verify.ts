// Program: restores a finished snapshot as a host would, twice, so that no host is the first to try.
import { sha256Hex } from '../../core/crypto/index.ts';
import { verifyJobSchema } from '../../core/versions/index.ts';
import type { VerifyMessage } from '../../core/versions/index.ts';
import { ENTER } from '../runtime/abi.ts';
import { Vm, externalBytes } from '../vm.ts';
import { BuildHost } from './build-host.ts';
import { sameEngine, thisEngine } from './engine.ts';
import { end, openPlatform, say, takeJob } from './program.ts';

function wrong(detail: string): VerifyMessage {
  return { kind: 'verified', ok: false, detail: detail.slice(0, 2_048), heapBytes: 0 };
}

function verify(): VerifyMessage {
  const { json, bytes: [blob] } = takeJob();
  const { platformFolder, shape, memoryMb, engine, sha256 } = verifyJobSchema.parse(json);
  const on = openPlatform(platformFolder);
  if (on === undefined) return wrong('the platform is missing');
  if (blob === undefined || sha256Hex(blob) !== sha256) return wrong('the blob is not the one that was built');
  if (!sameEngine(engine, thisEngine(on.platform.key))) return wrong('it was made by another platform');
  const shared = externalBytes(blob);
  let heapBytes = 0;
  const size = { usedBytes: 0, residentBytes: 0 };
  // Twice: what one isolate does must not reach the other.
  for (let round = 0; round < 2; round++) {
    const vm = new Vm(on.platform, memoryMb, false, shared);
    void new BuildHost(vm);
    // Without onRestore, which may need what this program must not have.
    const told = vm.enter(ENTER.restore, 0, '{}', shape, undefined);
    if (told !== '') return wrong(typeof told === 'string' ? told : 'the runtime gave no answer');
    vm.measure(size);
    heapBytes = size.usedBytes;
    vm.dispose();
  }
  return { kind: 'verified', ok: true, detail: '', heapBytes };
}

let message: VerifyMessage;
try {
  message = verify();
} catch (thrown) {
  message = wrong(String(thrown));
}
say(message);
end();
