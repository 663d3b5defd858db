// Builds the in-isolate platform once per Node, V8, flags and runtime source: bundle, parts with V8's code cache, startup snapshot.
// Run as a process of its own (`node --no-node-snapshot platform/build.ts FOLDER`): createSnapshot aborts the process when it fails.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { syncFolder } from '../../core/files/index.ts';
import { sha256Hex } from '../../core/crypto/index.ts';
import { RUNTIME_FILE, makeCodeCache, makeSnapshot } from '../vm.ts';
import { bundleAll, runtimeFolder } from './bundle.ts';
import { PLATFORM_FILES, partFiles, partOf, readPlatform } from './load.ts';
import type { PlatformManifest } from './load.ts';

const require = createRequire(import.meta.url);

/** Everything that a snapshot depends on; V8 refuses some mismatches and crashes on others. */
export function platformKey(): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([process.version, process.versions.v8, process.arch, process.platform, process.execArgv]));
  for (const name of BUNDLED_PACKAGES) hash.update(packageVersion(name));
  const here = dirname(fileURLToPath(import.meta.url));
  for (const file of readdirSync(here).toSorted()) hash.update(readFileSync(join(here, file)));
  for (const file of readdirSync(runtimeFolder, { recursive: true, encoding: 'utf8' }).filter((f) => /\.(?:ts|js)$/.test(f)).toSorted()) {
    hash.update(file).update('\0').update(readFileSync(join(runtimeFolder, file)));
  }
  return hash.digest('hex').slice(0, 32);
}

/** What makes or becomes part of the platform besides our own files. */
const BUNDLED_PACKAGES = ['isolated-vm', 'esbuild', 'web-streams-polyfill', 'urlpattern-polyfill'];

function packageVersion(name: string): string {
  let folder = dirname(require.resolve(name));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return `${name}@${String((JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version?: string }).version)}`;
}

/** The runtime and its parts, bundled, without a snapshot. */
export async function bundlePlatform(): Promise<Map<string, Buffer>> {
  const { runtime, freezing, parts } = await bundleAll();
  const files = new Map<string, Buffer>([[PLATFORM_FILES.runtime, Buffer.from(runtime)], [PLATFORM_FILES.freezing, Buffer.from(freezing)]]);
  for (const [part, code] of parts) files.set(partFiles(part).code, Buffer.from(code));
  return files;
}

/** Builds into `FOLDER/<key>` unless a sound one is there. @returns the folder */
export async function buildPlatform(outFolder: string): Promise<string> {
  const folder = join(outFolder, platformKey());
  if (readPlatform(folder) !== undefined) return folder;
  const files = await bundlePlatform();
  const text = (name: string): string => files.get(name)?.toString('utf8') ?? '';
  const snapshot = Buffer.from(makeSnapshot([{ code: text(PLATFORM_FILES.runtime), filename: RUNTIME_FILE }]));
  files.set(PLATFORM_FILES.snapshot, snapshot);
  for (const name of Array.from(files.keys())) {
    const part = partOf(name);
    if (part !== undefined) files.set(partFiles(part).cache, Buffer.from(makeCodeCache(text(name), `thimble:${part}`, snapshot)));
  }
  const manifest: PlatformManifest = {
    format: 1,
    node: process.version,
    v8: process.versions.v8,
    files: Object.fromEntries([...files].map(([name, bytes]) => [name, sha256Hex(bytes)])),
  };
  const beside = `${folder}.${process.pid}.tmp`;
  mkdirSync(beside, { recursive: true, mode: 0o700 });
  for (const [name, bytes] of files) writeFileSync(join(beside, name), bytes, { flush: true });
  writeFileSync(join(beside, PLATFORM_FILES.manifest), JSON.stringify(manifest), { flush: true });
  rmSync(folder, { recursive: true, force: true });
  renameSync(beside, folder);
  syncFolder(outFolder);
  return folder;
}

const [, script, outFolder] = process.argv;
if (script !== undefined && fileURLToPath(import.meta.url) === script && outFolder !== undefined) {
  const folder = await buildPlatform(outFolder);
  process.stdout.write(`${JSON.stringify({ folder })}\n`, () => process.kill(process.pid, 'SIGKILL'));
}
