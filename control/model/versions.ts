// Deploying: build, write the files, then commit; and reading what was deployed.
import { DEFAULT_TIER } from '../../core/config/index.ts';
import { sha256Hex } from '../../core/crypto/index.ts';
import { PlatformError } from '../../core/errors/index.ts';
import type { RecordStore } from '../../core/ports/index.ts';
import { buildReportSchema } from '../builder/index.ts';
import type { BuildCache, BuildReport, Built, TierFiles } from '../builder/index.ts';
import type { Actor } from './audit.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Catalog } from './catalog.ts';
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
}

export interface Deployed {
  readonly record: VersionRecord;
  readonly report: BuildReport;
  readonly live: boolean;
}

/** What was made before the commit. */
interface Made {
  readonly sources: SourcesRecord;
  readonly sourcesDigest: string;
  readonly built: Built;
  /** Of the version's folder. */
  readonly digest: string;
}

export interface VersionsOptions {
  readonly store: RecordStore;
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly builds: BuildCache;
  readonly files: TierFiles;
  /** Runs after each deploy's commit; must resolve. */
  readonly afterDeploy?: (name: string) => Promise<void>;
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
   * @throws not_found  the function, or the version to take files from, does not exist
   * @throws frozen
   */
  async deploy(actor: Actor, name: string, request: DeployRequest): Promise<Written<Deployed>> {
    const { catalog, ledger, builds, files } = this.#options;
    catalog.require(name);
    ledger.admit(name);
    const sources = 'from' in request.code ? this.sources(this.read(name, request.code.from)) : request.code;
    const sourcesDigest = sha256Hex(canonicalJson(sources));
    const built = await builds.build(sourcesDigest, sources.files, sources.main);
    for (;;) {
      const { env, bindings, tier } = catalog.require(name).record;
      const content = { bundle: built.bundle, map: built.map, env, bindings };
      const tierFiles = files.of(tier);
      const digest = tierFiles.digest(content);
      const release = tierFiles.hold(digest);
      try {
        await tierFiles.write(digest, content);
        const frozen = canonicalJson({ env, bindings, tier });
        const written = await ledger.write<Deployed | undefined>(actor, (now) => {
          const { record, revision } = catalog.require(name);
          // Environment or tier were changed while the files were written: they are for the old ones, so once more.
          if (canonicalJson({ env: record.env, bindings: record.bindings, tier: record.tier }) !== frozen) return { changes: null, revision, result: undefined };
          return this.#plan(actor, record, request, { sources, sourcesDigest, built, digest }, now);
        });
        const { result } = written;
        if (result !== undefined) {
          await this.#options.afterDeploy?.(name);
          return { ...written, result };
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

  #plan(actor: Actor, record: FunctionRecord, request: DeployRequest, { sources, sourcesDigest, built, digest }: Made, now: string): Plan<Deployed> {
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
    const live = request.activate || record.traffic === null;
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
        ...(request.snapshot === false ? [{ key: KEYS.snapshotSwitch(name, version), value: { enabled: false } }] : []),
      ],
      audit: {
        action: 'version.create',
        target: `${name}@${version}`,
        before: live ? { traffic: record.traffic } : null,
        after: { digest, bytes, message, from, ...(live ? { traffic: next.traffic } : undefined) },
      },
      result: { record: made, report: built.report, live },
    };
  }
}
