// Registers isolates in bursts and has the last of each burst disposed while it spins: prints how many it got back.
import ivm from 'isolated-vm';
import { WORD, WORDS } from '../../isolates/watch/state.ts';
import { Watchdog } from '../../isolates/watch/watchdog.ts';

const BURSTS = Number(process.argv[2]);
const buffer = new SharedArrayBuffer(WORDS * 4);
const words = new Int32Array(buffer);
const watchdog = new Watchdog(buffer);
let killed = 0;
for (let burst = 0; burst < BURSTS; burst++) {
  // The end of one isolate and the start of the next come in the same turn of the loop.
  watchdog.unregister(1_000_000);
  const isolate = new ivm.Isolate({ memoryLimit: 8 });
  const script = isolate.compileScriptSync('for (;;);');
  const context = isolate.createContextSync();
  watchdog.unregister(1_000_001);
  const slot = watchdog.register(isolate);
  // As the meter does, from another thread in real life; the watchdog may act before the spin begins.
  Atomics.store(words, WORD.command, slot);
  Atomics.notify(words, WORD.command);
  try {
    // isolated-vm's own limit ends a spin that the watchdog has missed.
    script.runSync(context, { timeout: 2_000 });
  } catch {
    if (isolate.isDisposed) killed += 1;
  }
}
process.stdout.write(`${killed}\n`, () => process.kill(process.pid, 'SIGKILL'));
