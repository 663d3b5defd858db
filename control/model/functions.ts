// Creating, changing and deleting functions.
import { DEFAULT_TIER } from '../../core/config/index.ts';
import { PlatformError } from '../../core/errors/index.ts';
import { limitsSchema } from '../../core/schemas/index.ts';
import type { FunctionPut, Trigger } from '../../core/schemas/index.ts';
import type { Actor } from './audit.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Catalog } from './catalog.ts';
import { NO_EMERGENCY } from './emergency.ts';
import type { Ledger, NoPlan, Plan, Written } from './ledger.ts';
import { KEYS } from './records.ts';
import type { FunctionRecord, RemovedRecord } from './records.ts';
import { mergeSecrets } from './secrets.ts';
import type { SecretKeys } from './secrets.ts';
import type { Brought, Tiers } from './tiers.ts';
import { describeTrigger } from './trigger-patterns.ts';
import { viewSecrets } from './views.ts';

/** Fields that PUT replaces whole when they are there. */
const REPLACED = ['tenant', 'tier', 'env', 'triggers', 'bindings', 'public', 'debug', 'keepWarm', 'shape', 'user', 'callers', 'fallback', 'skew', 'retention', 'gates'] as const;
type Settings = Pick<FunctionRecord, (typeof REPLACED)[number] | 'limits'>;

const DEFAULTS: Settings = {
  tenant: 'default',
  tier: DEFAULT_TIER,
  limits: limitsSchema.parse({}),
  env: {},
  triggers: [],
  bindings: {},
  public: true,
  debug: false,
  keepWarm: 0,
  shape: 'auto',
  user: null,
  callers: null,
  fallback: null,
  skew: null,
  retention: null,
  gates: null,
};

export interface PutResult {
  readonly created: boolean;
  readonly record: FunctionRecord;
}

export interface FunctionsOptions {
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly tiers: Tiers;
}

export class Functions {
  readonly #catalog: Catalog;
  readonly #ledger: Ledger;
  readonly #tiers: Tiers;

  constructor({ catalog, ledger, tiers }: FunctionsOptions) {
    this.#catalog = catalog;
    this.#ledger = ledger;
    this.#tiers = tiers;
  }

  /**
   * Creates the function or changes what `put` names. A put that changes nothing writes nothing.
   *
   * A name that was deleted starts anew: defaults, no traffic, no history; only its version numbers go on.
   *
   * Another tier takes all of the function there at once: files first, then, in one commit, tier and secrets.
   *
   * @throws conflict  another function has one of the triggers
   * @throws function_quota_exceeded  the tenant has all the functions that it may have
   * @throws invalid  the node has no such tier
   */
  async put(actor: Actor, name: string, put: FunctionPut): Promise<Written<PutResult>> {
    const { tier } = put;
    if (tier !== undefined) this.#tiers.check(tier);
    const write = (brought: Brought | undefined): Promise<Written<PutResult | undefined>> => this.#ledger.write(actor, (now) => this.#planPut(name, put, now, brought));
    for (;;) {
      const old = this.#catalog.get(name)?.record.tier;
      const written = tier === undefined || old === undefined || old === tier ? await write(undefined) : await this.#tiers.move(name, tier, write);
      const { result } = written;
      if (result !== undefined) return { ...written, result };
    }
  }

  /** Takes the function off every gateway. Its versions, sources and audit rows stay. */
  delete(actor: Actor, name: string): Promise<Written<undefined>> {
    return this.#ledger.write(actor, (now) => {
      const { record } = this.#catalog.require(name);
      const removed: RemovedRecord = { name, tier: record.tier, lastVersion: record.lastVersion, removedAt: now };
      const { traffic, lastVersion } = record;
      return {
        changes: [
          { key: KEYS.function(name), remove: true },
          { key: KEYS.removed(name), value: removed },
        ],
        audit: { action: 'function.delete', target: name, before: { ...shown(record), traffic, lastVersion }, after: null },
        result: undefined,
      };
    });
  }

  /** The result is undefined when the files that the function needs in its new tier are not all there: then nothing is written. */
  #planPut(name: string, put: FunctionPut, now: string, brought: Brought | undefined): Plan<PutResult> | NoPlan<PutResult | undefined> {
    const entry = this.#catalog.get(name);
    const old = entry?.record;
    const base = old ?? this.#fresh(name, now);
    for (const trigger of put.triggers ?? []) this.#checkTrigger(trigger, name);
    const tier = put.tier ?? base.tier;
    if (entry !== undefined && tier !== base.tier && !this.#covered(name, tier, brought)) return { changes: null, revision: entry.revision, result: undefined };
    const sealed = mergeSecrets(this.#keys(base, tier), base, put.secrets ?? {});
    const next: FunctionRecord = { ...base, changedAt: now, secrets: sealed.secrets, secretNames: sealed.secretNames };
    if (put.limits !== undefined) next.limits = put.limits;
    for (const field of REPLACED) if (put[field] !== undefined) Object.assign(next, { [field]: put[field] });
    if (next.tenant !== old?.tenant) this.#checkQuota(next.tenant);
    const before = old === undefined ? {} : shown(old);
    const after = shown(next);
    const fields = Object.keys(after).filter((field) => canonicalJson(before[field]) !== canonicalJson(after[field]) || (field === 'secrets' && sealed.changed.length > 0));
    if (entry !== undefined && fields.length === 0) return { changes: null, revision: entry.revision, result: { created: false, record: entry.record } };
    const pick = (view: Readonly<Record<string, unknown>>): Record<string, unknown> => Object.fromEntries(fields.map((field) => [field, view[field]]));
    return {
      changes: [
        { key: KEYS.function(name), value: next },
        ...(old === undefined && base.lastVersion > 0 ? [{ key: KEYS.removed(name), remove: true as const }] : []),
      ],
      audit: {
        action: old === undefined ? 'function.create' : 'function.change',
        target: name,
        before: old === undefined ? null : pick(before),
        // A secret that got another value reads the same before and after: its name says that it changed.
        after: sealed.changed.length > 0 ? { ...pick(after), secretsChanged: sealed.changed } : pick(after),
      },
      result: { created: old === undefined, record: next },
    };
  }

  #covered(name: string, tier: string, brought: Brought | undefined): boolean {
    return brought?.tier === tier && this.#tiers.needed(name).isSubsetOf(brought.digests);
  }

  #keys(record: FunctionRecord, tier: string): SecretKeys {
    const from = this.#tiers.key(record.tier);
    const to = this.#tiers.key(tier);
    // A function whose tier is gone keeps it until it is given another: only what it seals is out of reach.
    if (to === undefined) throw new PlatformError('conflict', { with: `tier ${tier}, which this node has no more: name another tier` });
    return { from, to };
  }

  #fresh(name: string, now: string): FunctionRecord {
    const lastVersion = this.#catalog.removed(name)?.lastVersion ?? 0;
    return {
      ...DEFAULTS, name, secrets: '', secretNames: [], traffic: null, places: null, leftAt: {}, history: [], shadow: null, emergency: NO_EMERGENCY, aliases: {}, pinned: [], lastVersion, firstVersion: lastVersion + 1, createdAt: now, changedAt: now,
    };
  }

  #checkQuota(tenant: string): void {
    const limit = this.#catalog.tenant(tenant)?.quotas.functions ?? 0;
    if (limit > 0 && this.#catalog.functionsOf(tenant) >= limit) throw new PlatformError('function_quota_exceeded', { tenant, limit });
  }

  #checkTrigger(trigger: Trigger, name: string): void {
    const owner = this.#catalog.ownerOf(trigger, name);
    if (owner !== undefined) {
      throw new PlatformError('conflict', { with: `the trigger ${describeTrigger(owner.trigger)} of function ${owner.name}` });
    }
  }
}

/** What the audit trail may hold: the settings, of secrets only the names. */
function shown(record: FunctionRecord): Readonly<Record<string, unknown>> {
  const settings = Object.fromEntries(REPLACED.map((field) => [field, record[field]]));
  return { ...settings, limits: record.limits, secrets: viewSecrets(record.secretNames) };
}
