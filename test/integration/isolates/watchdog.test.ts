// The watchdog must know an isolate by the time it is told to dispose it, however fast registrations follow each other.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const PROGRAM = join(import.meta.dirname, '../../support/isolates-watchdog-program.ts');
const BURSTS = process.env['THIMBLE_TEST_FULL'] === '1' ? 2_000 : 100;

test('a kill right after a burst of registrations finds its isolate', async () => {
  const child = spawn(process.execPath, ['--no-node-snapshot', '--disable-warning=ExperimentalWarning', PROGRAM, String(BURSTS)], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await new Promise((resolve) => child.once('close', resolve));
  expect(Number(text)).toBe(BURSTS);
}, 120_000);
