// The platform snapshot that tests start hosts and nodes from: built once for a whole run, not once for each of some hundred starts.
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..', '..');
/** Where the run's own processes find it. */
const VARIABLE = 'THIMBLE_TEST_PLATFORM';

let built: Promise<string> | undefined;

/** Folder of the snapshot, `.../<key>`: the run's, else built once a process. */
export async function platformFolder(): Promise<string> {
  return process.env[VARIABLE] ?? (await (built ??= buildOnce()));
}

/** The run's, when there is one. */
export function runsPlatformFolder(): string | undefined {
  return process.env[VARIABLE];
}

/** vitest calls it before the first file, once for each project. */
export default async function setup(): Promise<void> {
  process.env[VARIABLE] ??= await buildOnce();
}

async function buildOnce(): Promise<string> {
  const out = join(tmpdir(), `thimble-test-platform-${process.getuid?.() ?? 0}`);
  mkdirSync(out, { recursive: true });
  const child = spawn(process.execPath, ['--no-node-snapshot', '--disable-warning=ExperimentalWarning', join(ROOT, 'isolates/platform/build.ts'), out], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (d: Buffer) => (output += d.toString()));
  await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return (JSON.parse(output) as { folder: string }).folder;
}
