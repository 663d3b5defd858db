// Deploying: build, write the files, then commit; and reading what was deployed.
import { DEFAULT_TIER } from '../../core/config/index.ts';
import { sha256Hex } from '../../core/crypto/index.ts';
import { PlatformError } from '../../core/errors/index.ts';
import type { DeployGates, GatesReport } from '../../core/schemas/index.ts';
import type { RecordStore } from '../../core/ports/index.ts';
import { buildReportSchema } from '../builder/index.ts';
import type { BuildCache, BuildReport, Built, TierFiles } from '../builder/index.ts';
import type { Actor } from './audit.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Catalog } from './catalog.ts';
import { wishesOf } from './gates.ts';
import type { GateRunner, GateWishes } from './gates.ts';
import type { Ledger, Plan, Written } from './ledger.ts';
import { KEYS, sourcesRecordSchema, versionRecordSchema } from './records.ts';
import type { FunctionRecord, SourcesRecord, VersionRecord } from './records.ts';
import { allTo, withTraffic } from './traffic.ts';
import { diffVersions } from './version-diff.ts';
import type { DiffSide, VersionDiff } from './version-diff.ts';

const READ_AT_ONCE = 100;

export interface DeployRequest {
  /** New files, or the number of the version whose files are taken again. */
  readonly code: SourcesRecord | { readonly from: number };
  readonly message: string | null;
  /** Send all traffic to it; the first version gets it anyway. */
  readonly activate: boolean;
  /** false: version snapshots are switched off for it. Default true. */
  readonly snapshot?: boolean;
  /** What it is tried by; what is absent is as the function's setting says. */
  readonly gates?: DeployGates;
}

export interface Deployed {
  readonly record: VersionRecord;
  readonly report: BuildReport;
  readonly live: boolean;
  readonly gates: GatesReport | null;
}

/** What was made before the commit. */
interface Made {
  readonly sources: SourcesRecord;
  readonly sourcesDigest: string;
  readonly built: Built;
  /** Of the version's folder. */
  readonly digest: string;
  /** `pending`: it may get no traffic before its smoke requests are answered. */
  readonly gates: GatesReport | null;
}

export interface VersionsOptions {
  readonly store: RecordStore;
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly builds: BuildCache;
  readonly files: TierFiles;
  /** Runs after each deploy's commit; must resolve. */
  readonly afterDeploy?: (name: string) => Promise<void>;
  /** Absent: an upload with gates is refused. */
  readonly gates?: GateRunner;
}

export class Versions {
  readonly #options: VersionsOptions;

  constructor(options: VersionsOptions) {
    this.#options = options;
  }

  /**
   * Makes a version: when it resolves, its files are durable and it is committed. The environment is the function's at the commit.
   *
   * @throws build_failed  the files cannot be built; nothing was changed
   * @throws gate_failed  a gate did not hold: nothing was changed; or, with the version's number, only it was made, and gets no traffic
   * @throws not_found  the function, or the version to take files from, does not exist
   * @throws frozen
   */
  async deploy(actor: Actor, name: string, request: DeployRequest): Promise<Written<Deployed>> {
    const { catalog, ledger, builds, files, gates } = this.#options;
    const { record: before } = catalog.require(name);
    ledger.admit(name);
    const sources = 'from' in request.code ? this.sources(this.read(name, request.code.from)) : request.code;
    const wishes = wishesOf(before.gates, request.gates ?? {}, sources.files);
    const sourcesDigest = sha256Hex(canonicalJson(sources));
    const built = await builds.build(sourcesDigest, sources.files, sources.main);
    for (;;) {
      const candidate = catalog.require(name).record;
      const { env, bindings, tier } = candidate;
      const content = { bundle: built.bundle, map: built.map, env, bindings };
      const tierFiles = files.of(tier);
      const digest = tierFiles.digest(content);
      const release = tierFiles.hold(digest);
      try {
        await tierFiles.write(digest, content);
        if (wishes !== null && gates === undefined) throw new PlatformError('unavailable', { part: 'hosts for tests' });
        const report = wishes === null || gates === undefined ? null : await gates.before({ record: candidate, sources, bundle: built.bundle, digest }, wishes);
        const frozen = canonicalJson({ env, bindings, tier });
        const written = await ledger.write<Deployed | undefined>(actor, (now) => {
          const { record, revision } = catalog.require(name);
          // Environment or tier were changed while the files were written: they are for the old ones, so once more.
          if (canonicalJson({ env: record.env, bindings: record.bindings, tier: record.tier }) !== frozen) return { changes: null, revision, result: undefined };
          return this.#plan(actor, record, request, { sources, sourcesDigest, built, digest, gates: report }, now);
        });
        const { result, revision } = written;
        if (result === undefined) continue;
        try {
          return wishes !== null && gates !== undefined && report?.state === 'pending' ? await this.#smoke(gates, actor, name, request, wishes, { result, revision }) : { result, revision };
        } finally {
          await this.#options.afterDeploy?.(name);
        }
      } finally {
        release();
      }
    }
  }

  /**
   * Versions in order of their numbers, also of a deleted function.
   *
   * @throws not_found  there never was a function of this name
   */
  list(name: string, after: number, limit: number): readonly VersionRecord[] {
    const { store, catalog } = this.#options;
    if (catalog.get(name) === undefined && catalog.removed(name) === undefined) catalog.require(name);
    const rows = store.list({ prefix: KEYS.versions(name), after: KEYS.version(name, after), limit });
    return rows.map((row) => versionRecordSchema.parse(row.value));
  }

  /** Every version after the number `after`, read as far as it is asked for. @throws not_found */
  *all(name: string, after: number): Generator<VersionRecord, undefined> {
    for (let last = after; ; ) {
      const rows = this.list(name, last, READ_AT_ONCE);
      yield* rows;
      const end = rows.at(-1);
      if (end === undefined) return undefined;
      last = end.version;
    }
  }

  /** @throws not_found */
  read(name: string, version: number): VersionRecord {
    const { store, catalog } = this.#options;
    if (catalog.get(name) === undefined && catalog.removed(name) === undefined) catalog.require(name);
    const row = store.get(KEYS.version(name, version));
    if (row === undefined) throw new PlatformError('not_found', { what: `version ${version} of function ${name}` });
    return versionRecordSchema.parse(row.value);
  }

  /**
   * Switches version snapshots on or off for one version: at the next cold start.
   *
   * @throws not_found
   */
  switchSnapshot(actor: Actor, name: string, version: number, enabled: boolean): Promise<Written<VersionRecord>> {
    const { store, catalog, ledger } = this.#options;
    return ledger.write(actor, () => {
      const { revision } = catalog.require(name);
      const record = this.read(name, version);
      const key = KEYS.snapshotSwitch(name, version);
      const wasEnabled = store.get(key) === undefined;
      if (wasEnabled === enabled) return { changes: null, revision, result: record };
      return {
        changes: [enabled ? { key, remove: true } : { key, value: { enabled: false } }],
        audit: { action: 'version.snapshot', target: `${name}@${version}`, before: { enabled: wasEnabled }, after: { enabled } },
        result: record,
      };
    });
  }

  /** What its build made; null for a version of an earlier release. */
  report(name: string, version: number): BuildReport | null {
    const row = this.#options.store.get(KEYS.report(name, version));
    return row === undefined ? null : buildReportSchema.parse(row.value);
  }

  /**
   * What differs from one version to another.
   *
   * @throws not_found
   */
  async diff(name: string, from: number, to: number): Promise<VersionDiff> {
    const side = (version: number): DiffSide => {
      const record = this.read(name, version);
      return { record, sources: this.sources(record), report: this.report(name, version) };
    };
    return await diffVersions(side(from), side(to));
  }

  /**
   * The source map of its bundle, as it lies in the version's folder.
   *
   * @throws not_found  there is no such version, or its files are gone
   */
  async map(name: string, version: number): Promise<string> {
    const { catalog, files } = this.#options;
    const { digest } = this.read(name, version);
    const map = await files.of(catalog.tierOf(name) ?? DEFAULT_TIER).map(digest);
    if (map === undefined) throw new PlatformError('not_found', { what: `the source map of version ${version} of function ${name}` });
    return map;
  }

  sources(record: VersionRecord): SourcesRecord {
    return sourcesRecordSchema.parse(this.#options.store.get(KEYS.sources(record.sources))?.value);
  }

  #plan(actor: Actor, record: FunctionRecord, request: DeployRequest, { sources, sourcesDigest, built, digest, gates }: Made, now: string): Plan<Deployed> {
    const { name } = record;
    const version = record.lastVersion + 1;
    const made: VersionRecord = {
      version,
      digest,
      bytes: Buffer.byteLength(built.bundle),
      buildMs: built.buildMs,
      message: request.message,
      from: 'from' in request.code ? request.code.from : null,
      main: sources.main,
      sources: sourcesDigest,
      env: record.env,
      bindings: record.bindings,
      createdAt: now,
      createdBy: actor.name,
    };
    const pending = gates?.state === 'pending';
    const live = !pending && (request.activate || record.traffic === null);
    const counted: FunctionRecord = { ...record, lastVersion: version };
    const next = live ? withTraffic(counted, allTo(version, record), now) : counted;
    const key = KEYS.sources(sourcesDigest);
    const { message, from, bytes } = made;
    return {
      changes: [
        { key: KEYS.version(name, version), value: made },
        { key: KEYS.report(name, version), value: built.report },
        ...(this.#options.store.get(key) === undefined ? [{ key, value: sources }] : []),
        { key: KEYS.function(name), value: next },
        ...(gates === null ? [] : [{ key: KEYS.gateReport(name, version), value: gates }]),
        ...(pending ? [{ key: KEYS.gateBlock(name, version), value: { blocked: true } }] : []),
        ...(request.snapshot === false ? [{ key: KEYS.snapshotSwitch(name, version), value: { enabled: false } }] : []),
      ],
      audit: {
        action: 'version.create',
        target: `${name}@${version}`,
        before: live ? { traffic: record.traffic } : null,
        after: { digest, bytes, message, from, ...(gates === null ? undefined : { gates: gates.state }), ...(live ? { traffic: next.traffic } : undefined) },
      },
      result: { record: made, report: built.report, live, gates },
    };
  }

  /**
   * The version is there and has no traffic: its smoke requests decide, in a second commit. Should the node end between the two, the version stays without.
   *
   * @throws gate_failed  with its number
   */
  async #smoke(gates: GateRunner, actor: Actor, name: string, request: DeployRequest, { smoke }: GateWishes, { result: deployed, revision }: Written<Deployed>): Promise<Written<Deployed>> {
    const { ledger, catalog } = this.#options;
    const { version } = deployed.record;
    const { rows, errors } = await gates.smoke(name, version, smoke, revision);
    const state = errors.length === 0 ? 'passed' : 'failed';
    const report: GatesReport = { ...(deployed.gates ?? { tests: null, ceilings: null }), state, smoke: rows, errors: [...errors] };
    const written = await ledger.write<Deployed>(actor, (now) => {
      const { record } = catalog.require(name);
      if (!catalog.digests(name).has(version)) throw new PlatformError('conflict', { with: `a purge that took version ${version} while its smoke requests ran` });
      // Deleted and made anew meanwhile: the version belongs to the former one.
      const live = state === 'passed' && version >= record.firstVersion && (request.activate || record.traffic === null);
      const next = live ? withTraffic(record, allTo(version, record), now) : record;
      return {
        changes: [
          { key: KEYS.gateReport(name, version), value: report },
          ...(state === 'passed' ? [{ key: KEYS.gateBlock(name, version), remove: true as const }] : []),
          ...(live ? [{ key: KEYS.function(name), value: next }] : []),
        ],
        audit: {
          action: 'version.gates',
          target: `${name}@${version}`,
          before: { gates: 'pending', ...(live ? { traffic: record.traffic } : undefined) },
          after: { gates: state, ...(live ? { traffic: next.traffic } : undefined) },
        },
        result: { ...deployed, live, gates: report },
      };
    });
    if (state === 'failed') throw new PlatformError('gate_failed', { errors, version });
    return written;
  }
}
