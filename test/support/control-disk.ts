// What is on disk after a control plane is gone, read without it.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { verifyTrail } from '../../control/model/index.ts';
import { openLmdbStore } from '../../control/store/index.ts';
import { sha256Hex } from '../../core/crypto/index.ts';
import { BUNDLE_FILE, MANIFEST_FILE, versionFolder } from '../../core/versions/index.ts';

/** null when the audit trail holds, else the first row that does not. */
export async function brokenAuditRow(data: string): Promise<number | null> {
  const store = openLmdbStore(join(data, 'control'));
  try {
    return verifyTrail(store);
  } finally {
    await store.close();
  }
}

/** Whether the files of a version are whole. */
export function isWholeOnDisk(data: string, digest: string, tier = 'default'): boolean {
  const folder = versionFolder(data, tier, digest);
  if (!existsSync(join(folder, MANIFEST_FILE))) return false;
  const manifest = JSON.parse(readFileSync(join(folder, MANIFEST_FILE), 'utf8')) as { readonly bundleSha256: string; readonly digest: string };
  return manifest.digest === digest && sha256Hex(readFileSync(join(folder, BUNDLE_FILE))) === manifest.bundleSha256;
}

export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Files below `folder` that hold `text` as UTF-8, UTF-16 or base64. */
export function filesHolding(folder: string, text: string): string[] {
  const forms = [Buffer.from(text), Buffer.from(text, 'utf16le'), Buffer.from(Buffer.from(text).toString('base64').slice(0, -4))];
  return filesBelow(folder).filter((path) => {
    const bytes = readFileSync(path);
    return forms.some((form) => bytes.includes(form));
  });
}

export function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}
