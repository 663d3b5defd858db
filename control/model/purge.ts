// Taking old versions away: what may go, the commit that says so, and the files, which go after it.
import { setTimeout as sleep } from 'node:timers/promises';
import { PlatformError, toPlatformError } from '../../core/errors/index.ts';
import type { Logger } from '../../core/log/index.ts';
import type { Change } from '../../core/ports/index.ts';
import type { PurgePost, Traffic } from '../../core/schemas/index.ts';
import type { TierFiles } from '../builder/index.ts';
import type { Actor } from './audit.ts';
import { liveVersions } from './catalog.ts';
import type { Catalog } from './catalog.ts';
import type { Ledger } from './ledger.ts';
import { KEYS } from './records.ts';
import type { FunctionRecord } from './records.ts';

/** Why a version stays although it is older than those that are kept for their age. */
export const HOLDS = ['live', 'forced', 'shadow', 'alias', 'pinned', 'rollback', 'rollout'] as const;
export type Hold = (typeof HOLDS)[number];

export interface HeldVersion {
  readonly version: number;
  readonly by: readonly Hold[];
}

export interface Purged {
  /** How many of the newest were kept for their age. */
  readonly keep: number;
  readonly dryRun: boolean;
  /** What went, or would go: the oldest first. */
  readonly versions: readonly number[];
  /** What stays although it is older. */
  readonly held: readonly HeldVersion[];
  /** Sources that no version is made from any more. */
  readonly sources: number;
  /** Entries of the rollback history that name what went, and those before them. */
  readonly history: number;
  /** Of the last commit. */
  readonly revision: number;
}

export interface PurgeOptions {
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly files: TierFiles;
  readonly logger: Logger;
  /** Versions of the function that a rollout under way needs. */
  readonly inRollout?: (name: string) => Iterable<number>;
  /** After a commit: what memory holds of these versions can go. */
  readonly onPurged?: (name: string, versions: readonly number[]) => void;
  /** How long folders stay after the commit, milliseconds. Default 10,000. */
  readonly leaveMs?: number;
}

/** Retention's own actions in the audit trail. */
const SELF: Actor = { name: 'retention', from: '' };
/** Versions of one commit: some ten milliseconds during which nothing else is written. */
const MAX_AT_ONCE = 1_000;
/** A host may be about to load what a request was sent for just before. */
const LEAVE_MS = 10_000;

interface Step extends Omit<Purged, 'keep' | 'dryRun'> {
  /** More may go. */
  readonly unfinished: boolean;
}

export class Purge {
  readonly #options: PurgeOptions;

  constructor(options: PurgeOptions) {
    this.#options = options;
  }

  /**
   * Removes versions but for the newest `keep` and those that something holds; also of a deleted function, which keeps none unless it is told to.
   *
   * Each commit takes whole versions: record, report, snapshot records, switch, gates, and sources that nobody else uses. Files are no part of it: they go
   * afterwards, and the next start collects what a kill in between has left.
   *
   * @throws not_found  there never was a function of this name
   * @throws invalid  the function exists, and neither `keep` nor its retention says what stays
   */
  async run(actor: Actor, name: string, { keep: asked, dryRun }: PurgePost): Promise<Purged> {
    const keep = asked ?? this.#keepOf(name);
    const steps: Step[] = [];
    do steps.push(await this.#step(actor, name, keep, dryRun));
    while (steps.at(-1)?.unfinished === true);
    const { held, revision } = steps.at(-1) as Step;
    const sum = (of: (step: Step) => number): number => steps.reduce((total, step) => total + of(step), 0);
    return { keep, dryRun, held, revision, versions: steps.flatMap((step) => step.versions), sources: sum((step) => step.sources), history: sum((step) => step.history) };
  }

  /** After a deploy: what the function's retention does not keep goes. Never fails the deploy, which is over. */
  async retain(name: string): Promise<void> {
    const { catalog, logger } = this.#options;
    const retention = catalog.get(name)?.record.retention ?? null;
    // The usual case costs nothing: there is nothing beyond what is kept.
    if (retention === null || catalog.digests(name).size <= retention.keep) return;
    try {
      await this.run(SELF, name, { keep: retention.keep, dryRun: false });
    } catch (thrown) {
      logger.warn({ function: name, code: toPlatformError(thrown).code }, 'retention removed nothing: the next deploy tries again');
    }
  }

  #keepOf(name: string): number {
    const { catalog } = this.#options;
    if (catalog.get(name) === undefined && catalog.removed(name) !== undefined) return 0;
    const { retention } = catalog.require(name).record;
    if (retention === null) throw new PlatformError('invalid', { errors: [{ path: 'keep', message: 'must be given: the function has no retention' }] });
    return retention.keep;
  }

  async #step(actor: Actor, name: string, keep: number, dryRun: boolean): Promise<Step> {
    const { catalog, ledger } = this.#options;
    let tier = '';
    let digests: string[] = [];
    const written = await ledger.write(actor, (now) => {
      const record = catalog.get(name)?.record;
      if (record === undefined && catalog.removed(name) === undefined) catalog.require(name);
      const holds = record === undefined ? new Map<number, Hold[]>() : holdsOf(record, this.#options.inRollout?.(name) ?? []);
      const all = [...catalog.digests(name).keys()];
      const old = all.slice(0, Math.max(0, all.length - keep));
      const free = old.filter((version) => !holds.has(version));
      const versions = dryRun ? free : free.slice(0, MAX_AT_ONCE);
      const held = old.flatMap((version) => (holds.has(version) ? [{ version, by: holds.get(version) ?? [] }] : []));
      const sources = this.#unused(name, versions);
      const history = record === undefined ? [] : stillWhole(record.history, new Set(versions));
      const result = { versions, held, sources: sources.length, history: (record?.history.length ?? 0) - history.length, unfinished: versions.length < free.length };
      if (dryRun || versions.length === 0) return { changes: null, revision: catalog.revision, result };
      tier = catalog.tierOf(name) ?? '';
      digests = versions.map((version) => catalog.digests(name).get(version) ?? '');
      const gone: Change[] = versions.flatMap((version) => keysOf(name, version)).map((key) => ({ key, remove: true }));
      return {
        changes: [
          ...gone,
          ...sources.map((digest) => ({ key: KEYS.sources(digest), remove: true as const })),
          ...(record === undefined ? [] : [{ key: KEYS.function(name), value: { ...record, history, changedAt: now } }]),
        ],
        audit: { action: 'version.purge', target: name, before: { versions: ranges(versions), count: versions.length, historyEntries: result.history }, after: { keep } },
        result,
      };
    });
    if (digests.length > 0) {
      this.#options.onPurged?.(name, written.result.versions);
      void this.#removeFolders(tier, new Set(digests));
    }
    return { ...written.result, revision: written.revision };
  }

  /** Sources that only these versions were made from. */
  #unused(name: string, versions: readonly number[]): string[] {
    const { catalog } = this.#options;
    const going = new Map<string, number>();
    for (const version of versions) {
      const digest = catalog.sourcesOf(name, version) ?? '';
      going.set(digest, (going.get(digest) ?? 0) + 1);
    }
    return [...going].filter(([digest, count]) => catalog.usesOf(digest) === count).map(([digest]) => digest);
  }

  async #removeFolders(tier: string, digests: ReadonlySet<string>): Promise<void> {
    const { catalog, files, logger, leaveMs = LEAVE_MS } = this.#options;
    await sleep(leaveMs, undefined, { ref: false });
    for (const digest of digests) {
      try {
        // Another version may have the same content, or one that is being deployed now.
        await files.of(tier).remove(digest, () => catalog.needs(tier, digest));
      } catch (thrown) {
        // The next start collects it.
        logger.warn({ code: toPlatformError(thrown).code, digest, tier }, 'the folder of a purged version cannot be removed');
      }
    }
  }
}

/** Every version that must stay, with all that hold it. */
export function holdsOf(record: FunctionRecord, inRollout: Iterable<number>): Map<number, Hold[]> {
  const holds = new Map<number, Hold[]>();
  const hold = (by: Hold, versions: Iterable<number>): void => {
    for (const version of new Set(versions)) holds.set(version, [...(holds.get(version) ?? []), by]);
  };
  const { traffic, emergency, shadow, aliases, pinned, history } = record;
  if (traffic !== null) hold('live', versionsOf(traffic));
  if (emergency.forced !== null) hold('forced', [emergency.forced]);
  if (shadow !== null) hold('shadow', [shadow.version]);
  hold('alias', Object.values(aliases));
  hold('pinned', pinned);
  // What one call of rollback brings back is always there.
  const last = history.at(-1);
  if (last !== undefined) hold('rollback', versionsOf(last));
  hold('rollout', inRollout);
  // Whatever else must be reachable.
  hold('live', [...liveVersions(record)].filter((version) => !holds.has(version)));
  return holds;
}

function versionsOf({ rules, split }: Traffic): number[] {
  return [...rules, ...split].map((part) => part.version);
}

/** The end of the history that names no version that goes: going back one by one never skips a change, it ends earlier. */
function stillWhole(history: readonly Traffic[], going: ReadonlySet<number>): Traffic[] {
  return history.slice(history.findLastIndex((traffic) => versionsOf(traffic).some((version) => going.has(version))) + 1);
}

function keysOf(name: string, version: number): string[] {
  return [KEYS.version(name, version), KEYS.report(name, version), KEYS.snapshot(name, version), KEYS.snapshotSwitch(name, version), KEYS.gateReport(name, version), KEYS.gateBlock(name, version)];
}

/** `1-4,7`: what an audit row can hold of a thousand numbers. */
export function ranges(numbers: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const number of numbers) {
    const last = parts.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(',');
}
