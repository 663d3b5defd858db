// Version snapshots for tests: built and tried by the real programs, put where hosts find them.
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Builder } from '../../control/builder/index.ts';
import { SnapshotFiles } from '../../control/snapshots/index.ts';
import { makeSnapshot } from '../../control/snapshots/make.ts';
import type { Made } from '../../control/snapshots/make.ts';
import { sha256Hex } from '../../core/crypto/index.ts';
import { snapshotFile, versionFolder } from '../../core/versions/index.ts';
import type { BuildJob, SnapshotFile } from '../../core/versions/index.ts';
import { snapshotPrograms } from './control-plane.ts';
import { platformFolder } from './platform-folder.ts';
import type { BundleSettings, TestHost } from './isolates-host.ts';

const builder = new Builder();

/** The bundle of one TypeScript file, as the control plane builds it. */
export async function bundleOf(source: string): Promise<string> {
  return (await builder.build({ 'index.ts': source }, 'index.ts')).bundle;
}

/** What a build makes of a bundle; however little its evaluation takes. */
export async function make(bundle: string, job: Partial<BuildJob> = {}, signal: AbortSignal = new AbortController().signal): Promise<Made> {
  return await makeSnapshot(snapshotPrograms(), {
    platformFolder: await platformFolder(), function: 'f', version: 1, shape: 'auto', environment: {}, secretNames: [], memoryMb: 64, earnedMs: 0, withheld: null, ...job,
  }, bundle, signal);
}

export interface Deployed {
  readonly target: number;
  readonly made: Made;
  readonly digest: string;
  /** Of the snapshot's description. */
  readonly file: string;
  readonly folder: string;
}

let names = 0;
/** By what they were made of but the name: a build takes a second. */
const known = new Map<string, Promise<Made>>();

/** Deploys a version with its snapshot. @throws Error  it has none */
export async function deployFrozen(host: TestHost, source: string, settings: BundleSettings = {}, job: Partial<BuildJob> = {}): Promise<Deployed> {
  const deployed = await deployMade(host, source, settings, job);
  if (deployed.made.reason !== null) throw new Error(`no snapshot: ${deployed.made.reason} ${deployed.made.detail}`);
  return deployed;
}

/** The same for a version that may have none. */
export async function deployMade(host: TestHost, source: string, settings: BundleSettings = {}, job: Partial<BuildJob> = {}): Promise<Deployed> {
  names += 1;
  const { function: fn = `frozen-${names}`, version = 1, tenant = 'default', env = {}, shape = 'auto', memoryMb = 64 } = settings;
  const bundle = await bundleOf(source);
  const wanted = { environment: env, shape, memoryMb, ...job };
  const key = JSON.stringify([bundle, version, wanted]);
  const making = known.get(key) ?? make(bundle, { function: fn, version, ...wanted });
  known.set(key, making);
  const made = await making;
  const parent = join(host.folder, 'versions', 'default');
  mkdirSync(parent, { recursive: true });
  const digest = `sha256-${sha256Hex(bundle + JSON.stringify(env) + fn)}`;
  const folder = versionFolder(host.folder, 'default', digest);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'bundle.js'), bundle);
  writeFileSync(join(folder, 'bundle.js.map'), '{"version":3,"sources":[],"names":[],"mappings":""}');
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ format: 1, digest, bundleSha256: sha256Hex(bundle), env, bindings: {}, builtAt: '' }));
  const files = new SnapshotFiles(host.folder, 'default');
  const { engine, codeCache, blob, sha256, heapBytes } = made;
  if (engine !== null && codeCache.length > 0) await files.publishCodeCache(digest, { format: 1, bundleSha256: sha256Hex(bundle), engine, sha256: sha256Hex(codeCache), bytes: codeCache.length }, codeCache);
  if (engine !== null && made.reason === null) {
    await files.publish({ format: 1, tenant, function: fn, version, digest, engine, environment: [...made.environment], sha256, bytes: blob.length, heapBytes }, blob);
  }
  const target = host.target({
    function: fn, version, digest, tenant, tier: 'default', debug: false, shape, cpuMs: 50, memoryMb, subrequests: 50, wasm: false, secrets: '', shadow: false, ...withoutBundle(settings),
  });
  return { target, made, digest, file: snapshotFile(folder, fn, version), folder };
}

function withoutBundle(settings: BundleSettings): Partial<BundleSettings> {
  const { env, map, ...rest } = settings;
  void env;
  void map;
  return rest;
}

export function readDescription(file: string): SnapshotFile {
  return JSON.parse(readFileSync(file, 'utf8')) as SnapshotFile;
}

/** Path of the one blob of a version. */
export function blobOf(folder: string): string {
  const [blob] = readdirSync(join(folder, 'snapshots')).filter((name) => name.endsWith('.bin'));
  return join(folder, 'snapshots', blob ?? 'none');
}
