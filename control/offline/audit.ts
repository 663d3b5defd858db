// Checks an audit trail without a control plane: that of a data folder, or an exported file.
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { ChainCheck, checkTrail } from '../model/index.ts';
import type { AuditHead, TrailVerdict } from '../model/index.ts';
import { openLmdbStore } from '../store/index.ts';

/**
 * Checks the trail in a data folder. It only reads, and may do so while the node runs.
 *
 * @param remembered  a head that was noted earlier: the trail must go through it
 * @throws storage_failed  there is no store in the folder, or it cannot be read
 */
export async function verifyDataFolder(dataFolder: string, remembered?: AuditHead): Promise<TrailVerdict> {
  const store = openLmdbStore(join(dataFolder, 'control'), { readOnly: true });
  try {
    return await checkTrail(store, remembered);
  } finally {
    await store.close();
  }
}

export interface FileVerdict extends TrailVerdict {
  /** Number of the first row: an export need not begin with the first one; null: the file has none. */
  readonly first: number | null;
}

/** Checks an export, line by line. @throws the error of node:fs when the file cannot be read */
export async function verifyExport(file: string, remembered?: AuditHead): Promise<FileVerdict> {
  const check = new ChainCheck(remembered, true);
  let first: number | null = null;
  const handle = await open(file);
  try {
    for await (const line of handle.readLines()) {
      if (line === '') continue;
      const row = parsed(line);
      first ??= sequenceOf(row);
      if (!check.add(row)) break;
    }
  } finally {
    await handle.close();
  }
  return { ...check.verdict(), first };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    // No row: the check says so.
    return undefined;
  }
}

function sequenceOf(row: unknown): number | null {
  return typeof row === 'object' && row !== null && 'sequence' in row && typeof row.sequence === 'number' ? row.sequence : null;
}
