// Temporary folders that go when the test that asked for them is over.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export function useTempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'thimble-control-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
