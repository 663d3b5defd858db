// Reads a version's files: checked against the manifest, secrets opened with the tier's key. No control plane is needed for it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256Hex, unseal } from '../core/crypto/index.ts';
import { PlatformError } from '../core/errors/index.ts';
import type { Target } from '../core/protocol/index.ts';
import { BUNDLE_FILE, MANIFEST_FILE, versionFolder } from '../core/versions/index.ts';
import type { VersionManifest } from '../core/versions/index.ts';

export interface LoadedVersion {
  readonly code: string;
  /** Name of the bundle in stack traces. */
  readonly filename: string;
  /** Environment and secrets, as JSON. */
  readonly env: string;
}

/** Name of a version's bundle in stack traces. */
export function bundleName(target: Pick<Target, 'function' | 'version'>): string {
  return `${target.function}@${target.version}.js`;
}

/** A digest names a folder: nothing but what the builder makes may get into a path. */
const DIGEST = /^sha256-[0-9a-f]{64}$/;

/** @throws unavailable  the files are missing, damaged, or the secrets do not open */
export async function loadVersion(dataFolder: string, tierKey: Buffer, target: Target): Promise<LoadedVersion> {
  try {
    if (!DIGEST.test(target.digest)) throw new Error(`"${target.digest}" is not a digest`);
    const folder = versionFolder(dataFolder, target.tier, target.digest);
    const [code, manifestText] = await Promise.all([readFile(join(folder, BUNDLE_FILE), 'utf8'), readFile(join(folder, MANIFEST_FILE), 'utf8')]);
    const manifest = JSON.parse(manifestText) as VersionManifest;
    if (manifest.digest !== target.digest || sha256Hex(code) !== manifest.bundleSha256) throw new Error('the bundle does not match its manifest');
    const secrets = target.secrets === '' ? {} : (JSON.parse(unseal(tierKey, `secrets/${target.function}`, target.secrets)) as Record<string, string>);
    return { code, filename: bundleName(target), env: JSON.stringify({ ...manifest.env, ...secrets }) };
  } catch (cause) {
    throw new PlatformError('unavailable', { part: 'the version' }, { cause });
  }
}
