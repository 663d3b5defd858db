// Gates before traffic: what an upload is tried by, before its commit and before its first request.
import type { TestHosts } from '../../core/config/index.ts';
import { PlatformError } from '../../core/errors/index.ts';
import type { Logger } from '../../core/log/index.ts';
import type { Target } from '../../core/protocol/index.ts';
import type { GateError, GatesReport, Smoke } from '../../core/schemas/index.ts';
import type { Builder, TierFiles } from '../builder/index.ts';
import type { Candidate, GateRunner, GateWishes } from '../model/index.ts';
import { judgeCeilings, measureSizes, measureStarts, needsStart } from './ceilings.ts';
import type { Measured } from './ceilings.ts';
import { runSmoke } from './smoke.ts';
import type { SmokeOptions } from './smoke.ts';
import { TestHost } from './test-host.ts';
import { runTests } from './test-run.ts';
import type { TestOutcome } from './test-run.ts';
import { Turns } from './turns.ts';

/** Each takes a core while it runs; a deploy without tests waits for none of them. */
const AT_ONCE = 2;
const WAITING_PER_TENANT = 8;
/** All tests of one upload, from the start of their host. */
const RUN_MS = 60_000;
/** One test; less where the function's own wall limit is. */
const TEST_MS = 30_000;
/** The test library is no part of the function: its memory comes on top, and what a first use of it takes must not count. */
const LIBRARY_MB = 16;
const MIN_CPU_MS = 50;
/** No version of the function: what runs here has a number of its own. */
const TESTS_VERSION = 1_000;
const MAX_ITEMS = 500;
const MAX_ERRORS = 50;
const MAX_STACK_CHARACTERS = 4_096;

export interface GatesOptions {
  readonly builder: Pick<Builder, 'buildTests'>;
  readonly files: TierFiles;
  readonly dataFolder: string;
  /** A socket of the node. */
  readonly socket: string;
  /** Sends one request to a version through the gateway's dispatcher. */
  readonly send: (name: string, version: number, request: Parameters<SmokeOptions['send']>[0]) => ReturnType<SmokeOptions['send']>;
  readonly whenApplied: (revision: number) => Promise<boolean>;
  readonly logger: Logger;
}

export class Gates implements GateRunner {
  readonly #options: GatesOptions;
  readonly #turns = new Turns({ atOnce: AT_ONCE, waitingPerTenant: WAITING_PER_TENANT });
  readonly #running = new Set<TestHost>();
  readonly #counts = { passed: 0, failed: 0 };
  #hosts: TestHosts | undefined;
  #closed = false;

  constructor(options: GatesOptions) {
    this.#options = options;
  }

  /** Uploads that passed, and those that did not. */
  get counts(): Readonly<{ passed: number; failed: number }> {
    return this.#counts;
  }

  /** Hosts for tests that run now. */
  get running(): number {
    return this.#running.size;
  }

  /** How hosts for tests are started here; said by the supervisor. */
  setHosts(hosts: TestHosts): void {
    this.#hosts = hosts;
  }

  async before(candidate: Candidate, wishes: GateWishes): Promise<GatesReport> {
    const { tests, smoke, ceilings } = wishes;
    const startedMs = performance.now();
    let measured: Measured = await measureSizes(candidate.bundle, ceilings);
    let outcome: TestOutcome | null = null;
    if (tests.length > 0 || needsStart(ceilings)) {
      const ran = await this.#turns.take(candidate.record.tenant, () => this.#run(candidate, wishes));
      measured = { ...measured, ...ran.measured };
      outcome = ran.outcome;
    }
    const judged = Object.keys(ceilings).length === 0 ? null : judgeCeilings(ceilings, measured);
    const errors = bounded([...(judged?.errors ?? []), ...(outcome?.errors ?? [])]);
    if (errors.length > 0) {
      this.#failed(candidate.record.name, errors);
      throw new PlatformError('gate_failed', { errors });
    }
    if (smoke.length === 0) this.#counts.passed += 1;
    return { state: smoke.length > 0 ? 'pending' : 'passed', tests: outcome === null ? null : summarise(outcome, performance.now() - startedMs), smoke: null, ceilings: judged === null ? null : [...judged.rows], errors: [] };
  }

  async smoke(name: string, version: number, requests: readonly Smoke[], revision: number): Promise<{ readonly rows: NonNullable<GatesReport['smoke']>; readonly errors: readonly GateError[] }> {
    const { send, whenApplied } = this.#options;
    await whenApplied(revision);
    const { rows, errors } = await runSmoke(requests, { send: (request) => send(name, version, request) });
    if (errors.length > 0) this.#failed(name, errors);
    else this.#counts.passed += 1;
    return { rows: [...rows], errors: bounded(errors) };
  }

  /** Ends what runs: its deploys fail. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#running].map((host) => host.stop()));
  }

  /** Names alone: what a test says may hold anything. */
  #failed(name: string, errors: readonly GateError[]): void {
    this.#counts.failed += 1;
    this.#options.logger.info({ function: name, code: 'gate_failed', failures: errors.slice(0, 5).map(({ gate, name: what }) => `${gate}: ${what.slice(0, 100)}`), count: errors.length }, 'an upload did not pass its gates');
  }

  async #run({ record, sources, digest }: Candidate, { tests, ceilings }: GateWishes): Promise<{ readonly measured: Measured; readonly outcome: TestOutcome | null }> {
    const { builder, files, dataFolder, socket, logger } = this.#options;
    const hosts = this.#hosts;
    if (hosts === undefined || this.#closed) throw new PlatformError('unavailable', { part: 'hosts for tests' });
    const { name, tenant, tier, limits, shape, env } = record;
    const built = tests.length === 0 ? undefined : await builder.buildTests(sources.files, tests);
    const tierFiles = files.of(tier);
    const content = built === undefined ? undefined : { bundle: built.bundle, map: built.map, env, bindings: {} };
    // A folder like a version's, so that the host may read no other than hosts may; no record names it, so a start of the node would remove it too.
    const folder = content === undefined ? '' : tierFiles.digest(content);
    const release = content === undefined ? undefined : tierFiles.hold(folder);
    let host: TestHost | undefined;
    try {
      if (content !== undefined) await tierFiles.write(folder, content);
      const untilMs = performance.now() + RUN_MS;
      host = await TestHost.start({ hosts, dataFolder, socket, tier, wasm: limits.wasm });
      this.#running.add(host);
      const target: Target = { function: name, version: 1, digest, tenant, tier, debug: true, shape, cpuMs: limits.cpuMs, memoryMb: limits.memoryMb, subrequests: limits.subrequests, wasm: limits.wasm, shadow: false, secrets: '' };
      const overdue = setTimeout(() => void host?.stop(), RUN_MS + 5_000);
      try {
        const measured = needsStart(ceilings) ? ((await measureStarts(host, target)) ?? {}) : {};
        if (built === undefined) return { measured, outcome: null };
        const number = host.target({ ...target, version: TESTS_VERSION, digest: folder, shape: 'fetch', cpuMs: Math.max(limits.cpuMs, MIN_CPU_MS), memoryMb: limits.memoryMb + LIBRARY_MB });
        const outcome = await runTests({ host, target: number, filename: `${name}@${TESTS_VERSION}.js`, map: built.map, wallMs: Math.min(limits.wallMs, TEST_MS), untilMs });
        if (outcome.errors.some(({ message }) => message.includes('host_lost'))) logger.warn({ function: name, errors: host.errors }, 'a host for tests ended before its tests did');
        return { measured, outcome };
      } finally {
        clearTimeout(overdue);
      }
    } finally {
      if (host !== undefined) {
        await host.stop();
        this.#running.delete(host);
      }
      release?.();
      if (content !== undefined) await tierFiles.remove(folder, () => false).catch(() => {});
    }
  }
}

function summarise({ items }: TestOutcome, ms: number): NonNullable<GatesReport['tests']> {
  const count = (outcome: string): number => items.filter((item) => item.outcome === outcome).length;
  return { passed: count('passed'), failed: count('failed'), skipped: count('skipped'), ms: Math.round(ms), items: items.slice(0, MAX_ITEMS).map((item) => ({ ...item })) };
}

function bounded(errors: readonly GateError[]): GateError[] {
  return errors.slice(0, MAX_ERRORS).map((error) => (error.stack === undefined ? error : { ...error, stack: error.stack.slice(0, MAX_STACK_CHARACTERS) }));
}
