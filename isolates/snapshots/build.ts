// Program: makes the code cache of a version's bundle, and its snapshot if that is earned. Runs tenant code; killed when it takes too long.
import { EARNED_MS, buildJobSchema, eagerBundle, touchesSecret } from '../../core/versions/index.ts';
import type { BuildJob, BuildMessage, SnapshotReason } from '../../core/versions/index.ts';
import { PLATFORM_FILES } from '../platform/load.ts';
import { ENTER, PENDING } from '../runtime/abi.ts';
import type { Observed } from '../runtime/abi-snapshots.ts';
import { bundleName } from '../version-files.ts';
import { Vm, externalBytes, makeCodeCache } from '../vm.ts';
import { BuildHost } from './build-host.ts';
import { thisEngine } from './engine.ts';
import { freeze } from './freeze.ts';
import { cpuMs, end, openPlatform, say, takeJob } from './program.ts';
import type { ProgramPlatform } from './program.ts';

/** Evaluations with, and without, the code cache. */
const MAX_ROUNDS = 12;
/** No more of them when they have taken so long in all: the kernel's account of a running thread lags by up to 10 ms. */
const ENOUGH_MS = 60;
/** A code cache that saves less is not worth reading, milliseconds of CPU time. */
const CACHE_SAVES_MS = 0.3;
const MIN_CACHED_CHARACTERS = 4_096;
const DETAIL_CHARACTERS = 2_048;

/** In the order in which they are told. */
const TOUCH_REASONS = ['fetch', 'timer', 'random', 'clock', 'intl', 'wasm', 'finalization', 'unavailable', 'host'] as const;

interface Version {
  readonly job: BuildJob;
  readonly bundle: string;
  readonly filename: string;
}

interface Seen {
  readonly error: string;
  readonly touched: ReadonlySet<string>;
  readonly environment: readonly string[];
  readonly host: BuildHost;
}

function makeVm({ platform }: ProgramPlatform, { job }: Version): Vm {
  return new Vm(platform, job.memoryMb, false);
}

/** An entry that evaluates, with the microtasks that follow. @returns '' or the error */
function evaluateBy(vm: Vm, kind: number, { job }: Version): string {
  const text = (result: unknown): string => (typeof result === 'string' ? result : 'the runtime gave no answer');
  try {
    const first = text(vm.enter(kind, 0, JSON.stringify(job.environment), job.shape, undefined));
    return first === PENDING ? text(vm.enter(ENTER.loaded, 0, undefined, undefined, undefined)) : first;
  } catch (thrown) {
    // A rejection that nobody handles, a limit, or a defect: none of it is for a heap to keep.
    return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  }
}

function observe(on: ProgramPlatform, version: Version): Seen {
  const vm = makeVm(on, version);
  const host = new BuildHost(vm);
  try {
    vm.define(version.bundle, version.filename);
  } catch (thrown) {
    return { error: String(thrown), touched: new Set(), environment: [], host };
  }
  const error = evaluateBy(vm, ENTER.observe, version);
  const told = vm.isDisposed ? undefined : vm.enter(ENTER.observed, 0, undefined, undefined, undefined);
  const { touched, environment } = typeof told === 'string' ? (JSON.parse(told) as Observed) : { touched: [], environment: [] };
  vm.dispose();
  return { error, touched: new Set([...touched, ...host.touched]), environment, host };
}

/** Milliseconds of compiling and evaluating: the shortest round, or the CPU time of all by their number where that is less. */
function measure(on: ProgramPlatform, version: Version, code: string, cache: unknown): number {
  let best = Infinity;
  let cpu = 0;
  let rounds = 0;
  for (let wall = 0; rounds < MAX_ROUNDS && wall < ENOUGH_MS; rounds++) {
    const vm = makeVm(on, version);
    void new BuildHost(vm);
    const before = cpuMs();
    const startedMs = performance.now();
    vm.define(code, version.filename, cache);
    evaluateBy(vm, ENTER.load, version);
    const tookMs = performance.now() - startedMs;
    cpu += cpuMs() - before;
    best = Math.min(best, tookMs);
    wall += tookMs;
    vm.dispose();
  }
  return Math.min(best, cpu / rounds);
}

/** The code cache if it helps, and how long evaluation takes at its best. */
function measureBoth(on: ProgramPlatform, version: Version): { readonly cache: Uint8Array; readonly evaluateMs: number } {
  const none = new Uint8Array(0);
  const plainMs = measure(on, version, version.bundle, null);
  if (version.bundle.length < MIN_CACHED_CHARACTERS) return { cache: none, evaluateMs: plainMs };
  const code = eagerBundle(version.bundle);
  const cache = makeCodeCache(code, version.filename, on.files.get(PLATFORM_FILES.snapshot) ?? none);
  const cachedMs = cache.length === 0 ? Infinity : measure(on, version, code, externalBytes(cache));
  return cachedMs + CACHE_SAVES_MS <= plainMs ? { cache, evaluateMs: cachedMs } : { cache: none, evaluateMs: plainMs };
}

function firstReason({ job }: Version, seen: Seen, evaluateMs: number): SnapshotReason | undefined {
  if (job.withheld !== null) return job.withheld as SnapshotReason;
  // Said first: for most functions nothing needs to change.
  if (seen.error === '' && evaluateMs < job.earnedMs) return 'not_earned';
  if (touchesSecret(seen.environment, job.secretNames)) return 'touches_secret';
  for (const touch of TOUCH_REASONS) if (seen.touched.has(touch)) return `touches_${touch}`;
  return seen.error === '' ? undefined : 'threw';
}

function build(version: Version): void {
  const { job, bundle, filename } = version;
  const on = openPlatform(job.platformFolder);
  const engine = thisEngine(on?.platform.key ?? '');
  const none = new Uint8Array(0);
  const built = (message: Omit<Extract<BuildMessage, { kind: 'built' }>, 'kind' | 'engine'>, cache: Uint8Array = none, blob: Uint8Array = none): void =>
    say({ kind: 'built', engine, ...message, detail: message.detail.slice(0, DETAIL_CHARACTERS) } satisfies BuildMessage, [cache, blob]);
  if (on === undefined) return built({ reason: 'no_platform', detail: job.platformFolder, evaluateMs: 0, environment: [] });
  say({ kind: 'stage', stage: 'observe' } satisfies BuildMessage);
  const seen = observe(on, version);
  say({ kind: 'stage', stage: 'measure' } satisfies BuildMessage);
  const { cache, evaluateMs } = seen.error === '' ? measureBoth(on, version) : { cache: none, evaluateMs: EARNED_MS };
  const reason = firstReason(version, seen, evaluateMs);
  const environment = [...seen.environment];
  if (reason !== undefined) return built({ reason, detail: seen.error, evaluateMs, environment }, cache);
  say({ kind: 'stage', stage: 'freeze' } satisfies BuildMessage);
  const { parts, answers } = seen.host;
  const result = freeze({ files: on.files, bundle, filename, environment: job.environment, parts, answers });
  if ('blob' in result) built({ reason: null, detail: '', evaluateMs, environment }, cache, result.blob);
  else built({ reason: result.reason, detail: result.detail, evaluateMs, environment }, cache);
}

const { json, bytes } = takeJob();
const job = buildJobSchema.parse(json);
build({ job, bundle: bytes[0]?.toString('utf8') ?? '', filename: bundleName(job) });
end();
