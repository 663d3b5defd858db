// Alert rules: put, deleted, found by what they watch. Webhooks are sealed at rest and never leave but to be called.
import { seal, unseal } from '../../core/crypto/index.ts';
import { PlatformError } from '../../core/errors/index.ts';
import type { RecordStore } from '../../core/ports/index.ts';
import { webhookSchema } from '../../core/schemas/index.ts';
import type { AlertPut, AlertRule, Webhook } from '../../core/schemas/index.ts';
import { KEYS, allOf, canonicalJson } from '../model/index.ts';
import type { Actor, Ledger, Written } from '../model/index.ts';
import { alertRecordSchema } from './records.ts';
import type { AlertRecord } from './records.ts';

export const MAX_RULES = 1_000;

export interface AlertRulesOptions {
  readonly store: RecordStore;
  readonly ledger: Ledger;
  /** Seals webhooks. undefined: none can be set or called. */
  readonly key: Buffer | undefined;
  /** Tenant of a function that exists. */
  readonly tenantOf: (fn: string) => string | undefined;
}

export class AlertRules {
  readonly #options: AlertRulesOptions;
  readonly #rules = new Map<string, AlertRecord>();
  /** Rules by what they watch; made anew after each change. */
  #byFunction = new Map<string, AlertRecord[]>();
  #byTenant = new Map<string, AlertRecord[]>();
  #ofAll: AlertRecord[] = [];
  #silent = new Map<string, AlertRecord[]>();

  constructor(options: AlertRulesOptions) {
    this.#options = options;
    for (const { key, value } of allOf(options.store, KEYS.alerts)) {
      const parsed = alertRecordSchema.safeParse(value);
      if (!parsed.success) throw new PlatformError('internal', undefined, { cause: new Error(`the record ${key} has a form of another release`) });
      this.#rules.set(parsed.data.id, parsed.data);
    }
    this.#index();
  }

  get size(): number {
    return this.#rules.size;
  }

  get(id: string): AlertRecord | undefined {
    return this.#rules.get(id);
  }

  /** @throws not_found */
  require(id: string): AlertRecord {
    const record = this.#rules.get(id);
    if (record === undefined) throw new PlatformError('not_found', { what: `alert ${id}` });
    return record;
  }

  /** In order of their ids. */
  all(): AlertRecord[] {
    return [...this.#rules.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Rules that watch a function, those of its tenant and of all among them. */
  watching(fn: string): readonly AlertRecord[] {
    const own = this.#byFunction.get(fn) ?? NONE;
    if (this.#byTenant.size === 0 && this.#ofAll.length === 0) return own;
    const tenant = this.#options.tenantOf(fn);
    return tenant === undefined ? own : [...own, ...(this.#byTenant.get(tenant) ?? NONE), ...this.#ofAll];
  }

  /** Whether a rule watches a function. */
  watches({ rule }: AlertRecord, fn: string): boolean {
    if (rule.function !== undefined) return rule.function === fn;
    return rule.all === true || rule.tenant === this.#options.tenantOf(fn);
  }

  /** Rules of single functions that can become too much while nothing comes from the function. */
  get silent(): ReadonlyMap<string, readonly AlertRecord[]> {
    return this.#silent;
  }

  /** Where and how to tell; undefined: nowhere. @throws internal  it was sealed with another key */
  webhook(id: string): Webhook | undefined {
    const record = this.#rules.get(id);
    return record === undefined ? undefined : this.#open(record);
  }

  /** @throws invalid  there are too many rules; conflict  the node has no key for webhooks */
  async put(actor: Actor, id: string, put: AlertPut): Promise<Written<AlertRecord> & { readonly created: boolean }> {
    const { webhook, ...rule } = put;
    const { ledger, store } = this.#options;
    const written = await ledger.write(actor, (now) => {
      // As the last commit left it: what is in memory may be a turn behind.
      const stored = store.get(KEYS.alert(id));
      const old = stored === undefined ? undefined : alertRecordSchema.parse(stored.value);
      if (old === undefined && this.#rules.size >= MAX_RULES) throw new PlatformError('invalid', { errors: [{ path: 'id', message: `at most ${MAX_RULES} alerts` }] });
      const next = webhook === undefined || this.#same(old, webhook) ? (old?.webhook ?? null) : this.#seal(id, webhook, now);
      const record: AlertRecord = { id, rule, webhook: next, createdAt: old?.createdAt ?? now, changedAt: now };
      if (old !== undefined && canonicalJson({ ...old, changedAt: now }) === canonicalJson(record)) return { changes: null, revision: stored?.revision ?? 0, result: { record: old, created: false } };
      return {
        changes: [{ key: KEYS.alert(id), value: record }],
        audit: { action: 'alert.put', target: id, before: old === undefined ? null : shown(old), after: shown(record) },
        result: { record, created: old === undefined },
      };
    });
    const { record, created } = written.result;
    this.#rules.set(id, record);
    this.#index();
    return { result: record, revision: written.revision, created };
  }

  /** @throws not_found */
  async remove(actor: Actor, id: string): Promise<Written<undefined>> {
    const { ledger, store } = this.#options;
    const written = await ledger.write(actor, () => {
      const stored = store.get(KEYS.alert(id));
      if (stored === undefined) throw new PlatformError('not_found', { what: `alert ${id}` });
      return {
        changes: [{ key: KEYS.alert(id), remove: true }],
        audit: { action: 'alert.delete', target: id, before: shown(alertRecordSchema.parse(stored.value)), after: null },
        result: undefined,
      };
    });
    this.#rules.delete(id);
    this.#index();
    return written;
  }

  /** Sealing draws a new nonce: a webhook that is put again as it is keeps its box, so that it is no change. */
  #same(old: AlertRecord | undefined, webhook: Webhook | null): boolean {
    return webhook !== null && old !== undefined && canonicalJson(this.#open(old) ?? null) === canonicalJson(webhook);
  }

  #open({ id, webhook }: AlertRecord): Webhook | undefined {
    const { key } = this.#options;
    if (webhook === null || key === undefined) return undefined;
    try {
      return webhookSchema.parse(JSON.parse(unseal(key, purpose(id), webhook.sealed)));
    } catch {
      throw new PlatformError('internal', undefined, { cause: new Error(`the webhook of alert ${id} does not open with this node's key`) });
    }
  }

  #seal(id: string, webhook: Webhook | null, now: string): AlertRecord['webhook'] {
    if (webhook === null) return null;
    const { key } = this.#options;
    if (key === undefined) throw new PlatformError('conflict', { with: 'the tiers of this node: without the default one there is no key for webhooks' });
    return { origin: new URL(webhook.url).origin, signed: webhook.secret !== undefined, sealed: seal(key, purpose(id), JSON.stringify(webhook)), changedAt: now };
  }

  #index(): void {
    this.#byFunction = new Map();
    this.#byTenant = new Map();
    this.#ofAll = [];
    this.#silent = new Map();
    const add = (index: Map<string, AlertRecord[]>, key: string, record: AlertRecord): void => {
      const found = index.get(key);
      if (found === undefined) index.set(key, [record]);
      else found.push(record);
    };
    for (const record of this.#rules.values()) {
      if (record.rule.function !== undefined) add(this.#byFunction, record.rule.function, record);
      else if (record.rule.tenant !== undefined) add(this.#byTenant, record.rule.tenant, record);
      else this.#ofAll.push(record);
      if (record.rule.function !== undefined && WITHOUT_NEWS.has(record.rule.metric)) add(this.#silent, record.rule.function, record);
    }
  }
}

const WITHOUT_NEWS: ReadonlySet<AlertRule['metric']> = new Set(['requests', 'memory']);
const NONE: readonly AlertRecord[] = [];

const purpose = (id: string): string => `alert/${id}`;

/** What the audit trail holds of a rule: of its webhook, whither, and when it was set. */
function shown({ rule, webhook }: AlertRecord): AlertRule & { readonly webhook: unknown } {
  return { ...rule, webhook: webhook === null ? null : { origin: webhook.origin, signed: webhook.signed, changedAt: webhook.changedAt } };
}
