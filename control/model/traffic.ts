// Which versions are live: setting traffic, and going back.
import { PlatformError } from '../../core/errors/index.ts';
import { trafficSchema } from '../../core/schemas/index.ts';
import type { FieldError, Traffic } from '../../core/schemas/index.ts';
import type { Actor } from './audit.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Catalog } from './catalog.ts';
import { requirePassed } from './gates.ts';
import type { Ledger, Written } from './ledger.ts';
import { HISTORY_LIMIT, KEYS } from './records.ts';
import type { FunctionRecord } from './records.ts';
import { shadowBeside } from './shadow.ts';
import { succession } from './succession.ts';

/** The record with other traffic; what was live joins the history that rollback goes through. A shadow that traffic turns to ends. */
export function withTraffic(record: FunctionRecord, traffic: Traffic, now: string): FunctionRecord {
  const history = record.traffic === null ? record.history : [...record.history, record.traffic].slice(-HISTORY_LIMIT);
  return turnedTo(record, traffic, history, now);
}

/** The record with other traffic, and the history that it leaves. */
export function turnedTo(record: FunctionRecord, traffic: Traffic, history: readonly Traffic[], now: string): FunctionRecord {
  return { ...record, ...succession(record, traffic, now), history: [...history], shadow: shadowBeside(traffic, record.shadow) };
}

/** All traffic to one version. What keeps callers on a version stays; rules go, since they name versions that this one follows. */
export function allTo(version: number, record: FunctionRecord): Traffic {
  const { sticky } = record.traffic ?? {};
  return { rules: [], split: [{ version, weight: 100 }], ...(sticky === undefined ? undefined : { sticky }) };
}

export class TrafficControl {
  readonly #catalog: Catalog;
  readonly #ledger: Ledger;

  constructor(catalog: Catalog, ledger: Ledger) {
    this.#catalog = catalog;
    this.#ledger = ledger;
  }

  /**
   * Replaces the traffic of a function whole.
   *
   * @throws invalid  it names versions that the function does not have; nothing was changed
   * @throws gate_failed  it names versions whose gates have not passed
   */
  set(actor: Actor, name: string, traffic: Traffic): Promise<Written<Traffic>> {
    return this.#ledger.write(actor, (now) => {
      const { record, revision } = this.#catalog.require(name);
      this.#checkVersions(record, traffic);
      // A repeated call is no change, so that a rollback after it goes back to what was different.
      if (record.traffic !== null && canonicalJson(record.traffic) === canonicalJson(traffic)) return { changes: null, revision, result: traffic };
      return {
        changes: [{ key: KEYS.function(name), value: withTraffic(record, traffic, now) }],
        audit: { action: 'traffic.set', target: name, before: record.traffic, after: audited(record, traffic) },
        result: traffic,
      };
    });
  }

  /**
   * Puts back the traffic before the last change. Each further call goes one change further back: it never brings back what was rolled
   * back from, as a toggle would.
   *
   * @throws conflict  there is no earlier traffic
   */
  rollback(actor: Actor, name: string): Promise<Written<Traffic>> {
    return this.#ledger.write(actor, (now) => {
      const { record } = this.#catalog.require(name);
      const former = record.history.at(-1);
      if (former === undefined) throw new PlatformError('conflict', { with: `the history of function ${name}: it has no earlier traffic` });
      const traffic = trafficSchema.parse(former);
      const next = turnedTo(record, traffic, record.history.slice(0, -1), now);
      return {
        changes: [{ key: KEYS.function(name), value: next }],
        audit: { action: 'traffic.rollback', target: name, before: record.traffic, after: audited(record, traffic) },
        result: traffic,
      };
    });
  }

  #checkVersions(record: FunctionRecord, traffic: Traffic): void {
    const digests = this.#catalog.digests(record.name);
    const errors: FieldError[] = [];
    const check = (version: number, path: string): void => {
      if (version < record.firstVersion || !digests.has(version)) errors.push({ path, message: `function ${record.name} has no version ${version}` });
    };
    for (const [index, rule] of traffic.rules.entries()) check(rule.version, `rules[${index}].version`);
    for (const [index, part] of traffic.split.entries()) check(part.version, `split[${index}].version`);
    if (errors.length > 0) throw new PlatformError('invalid', { errors });
    requirePassed(this.#catalog, record.name, [
      ...traffic.rules.map((rule, index) => [rule.version, `rules[${index}].version`] as const),
      ...traffic.split.map((part, index) => [part.version, `split[${index}].version`] as const),
    ]);
  }
}

/** The new traffic, and the shadow that ends with it. */
function audited({ shadow }: FunctionRecord, traffic: Traffic): unknown {
  return shadow !== null && shadowBeside(traffic, shadow) === null ? { ...traffic, shadowEnded: shadow } : traffic;
}
