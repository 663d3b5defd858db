// The shadow of a function: which version repeats its requests. It takes no traffic, and ends when traffic turns to it.
import { PlatformError } from '../../core/errors/index.ts';
import type { Shadow, ShadowRecord, Traffic } from '../../core/schemas/index.ts';
import type { Actor } from './audit.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Catalog } from './catalog.ts';
import type { Ledger, Written } from './ledger.ts';
import { KEYS } from './records.ts';
import type { FunctionRecord } from './records.ts';

/** Whether requests reach the version by a rule or by the split. */
export function takesTraffic(traffic: Traffic | null, version: number): boolean {
  return traffic !== null && (traffic.rules.some((rule) => rule.version === version) || traffic.split.some((part) => part.version === version && part.weight > 0));
}

/** The shadow that is left beside this traffic. */
export function shadowBeside(traffic: Traffic | null, shadow: ShadowRecord | null): ShadowRecord | null {
  return shadow !== null && takesTraffic(traffic, shadow.version) ? null : shadow;
}

export class Shadowing {
  readonly #catalog: Catalog;
  readonly #ledger: Ledger;

  constructor(catalog: Catalog, ledger: Ledger) {
    this.#catalog = catalog;
    this.#ledger = ledger;
  }

  /**
   * Replaces the shadow whole; counting begins anew. The same settings once more change nothing.
   *
   * @throws invalid  the function has no such version, or it takes traffic
   */
  set(actor: Actor, name: string, shadow: Shadow): Promise<Written<ShadowRecord>> {
    return this.#ledger.write(actor, (now) => {
      const { record, revision } = this.#catalog.require(name);
      this.#check(record, shadow.version);
      const { shadow: before } = record;
      if (before !== null && canonicalJson({ ...shadow, since: before.since }) === canonicalJson(before)) return { changes: null, revision, result: before };
      const next: ShadowRecord = { ...shadow, since: now };
      return {
        changes: [{ key: KEYS.function(name), value: { ...record, shadow: next, changedAt: now } }],
        audit: { action: 'shadow.set', target: name, before, after: next },
        result: next,
      };
    });
  }

  /** @throws not_found  the function has no shadow */
  end(actor: Actor, name: string): Promise<Written<ShadowRecord>> {
    return this.#ledger.write(actor, (now) => {
      const { record } = this.#catalog.require(name);
      const before = this.require(record);
      return {
        changes: [{ key: KEYS.function(name), value: { ...record, shadow: null, changedAt: now } }],
        audit: { action: 'shadow.end', target: name, before, after: null },
        result: before,
      };
    });
  }

  /** @throws not_found */
  require({ name, shadow }: FunctionRecord): ShadowRecord {
    if (shadow === null) throw new PlatformError('not_found', { what: `a shadow of function ${name}` });
    return shadow;
  }

  #check(record: FunctionRecord, version: number): void {
    const refuse = (message: string): never => {
      throw new PlatformError('invalid', { errors: [{ path: 'version', message }] });
    };
    if (version < record.firstVersion || !this.#catalog.digests(record.name).has(version)) refuse(`function ${record.name} has no version ${version}`);
    if (takesTraffic(record.traffic, version)) refuse(`version ${version} takes traffic: a shadow answers nobody`);
    if (record.emergency.forced === version) refuse(`version ${version} is forced: every request gets it`);
  }
}
