// Builds the in-isolate platform once per Node, V8, flags and runtime source: bundle, lazy parts with V8's code cache, startup snapshot.
// Run as a process of its own (`node --no-node-snapshot platform/build.ts FOLDER`): createSnapshot aborts the process when it fails.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { syncFolder } from '../../core/files/index.ts';
import { sha256Hex } from '../../core/crypto/index.ts';
import { makeCodeCache, makeSnapshot } from '../vm.ts';
import { LAZY_PARTS, PLATFORM_FILES, readPlatform } from './load.ts';
import type { PlatformManifest } from './load.ts';

const runtimeFolder = join(dirname(fileURLToPath(import.meta.url)), '..', 'runtime');
const require = createRequire(import.meta.url);

/** Everything that a snapshot depends on; V8 refuses some mismatches and crashes on others. */
export function platformKey(): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([process.version, process.versions.v8, process.arch, process.platform, process.execArgv]));
  for (const name of ['isolated-vm', 'web-streams-polyfill', 'esbuild']) hash.update(packageVersion(name));
  for (const file of readdirSync(runtimeFolder).filter((f) => /\.(?:ts|js)$/.test(f)).toSorted()) {
    hash.update(file).update('\0').update(readFileSync(join(runtimeFolder, file)));
  }
  return hash.digest('hex').slice(0, 32);
}

function packageVersion(name: string): string {
  let folder = dirname(require.resolve(name));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return `${name}@${String((JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version?: string }).version)}`;
}

function entryFile(name: string): string {
  const typescript = join(runtimeFolder, `${name}.guest.ts`);
  return existsSync(typescript) ? typescript : join(runtimeFolder, `${name}.guest.js`);
}

async function bundle(name: string): Promise<string> {
  const result = await build({
    entryPoints: [entryFile(name)],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2023',
    // Class names are API; the rest shrinks, since the text sits in every isolate's heap.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'silent',
  });
  const [file] = result.outputFiles;
  if (file === undefined) throw new Error('esbuild gave no output');
  return file.text;
}

/** The runtime and its lazy parts, bundled, without a snapshot. */
export async function bundlePlatform(): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>([[PLATFORM_FILES.runtime, Buffer.from(await bundle('main'))]]);
  for (const part of LAZY_PARTS) files.set(`${part}.js`, Buffer.from(await bundle(`lazy-${part}`)));
  return files;
}

/** Builds into `FOLDER/<key>` unless a sound one is there. @returns the folder */
export async function buildPlatform(outFolder: string): Promise<string> {
  const folder = join(outFolder, platformKey());
  if (readPlatform(folder) !== undefined) return folder;
  const files = await bundlePlatform();
  const text = (name: string): string => files.get(name)?.toString('utf8') ?? '';
  for (const part of LAZY_PARTS) files.set(`${part}.cache`, Buffer.from(makeCodeCache(text(`${part}.js`), part)));
  files.set(PLATFORM_FILES.snapshot, Buffer.from(makeSnapshot(text(PLATFORM_FILES.runtime))));
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
