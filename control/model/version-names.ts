// What people say about versions: pins, which keep one, and aliases, which are movable names.
import { PlatformError } from '../../core/errors/index.ts';
import type { Actor } from './audit.ts';
import type { Catalog } from './catalog.ts';
import { requirePassed } from './gates.ts';
import type { Ledger, Written } from './ledger.ts';
import { KEYS } from './records.ts';
import type { FunctionRecord } from './records.ts';

/** Both are in the route table of every gateway. */
const MAX_ALIASES = 100;
const MAX_PINNED = 1_000;

export class VersionNames {
  readonly #catalog: Catalog;
  readonly #ledger: Ledger;

  constructor(catalog: Catalog, ledger: Ledger) {
    this.#catalog = catalog;
    this.#ledger = ledger;
  }

  /**
   * Keeps a version from every purge and reachable by its number, until it is unpinned or the function is deleted.
   *
   * @throws not_found  no such function or version
   * @throws conflict  as many versions are pinned as may be
   */
  pin(actor: Actor, name: string, version: number, pinned: boolean): Promise<Written<{ readonly pinned: boolean }>> {
    return this.#ledger.write(actor, (now) => {
      const { record, revision } = this.#catalog.require(name);
      if (!this.#catalog.digests(name).has(version)) throw new PlatformError('not_found', { what: `version ${version} of function ${name}` });
      const was = record.pinned.includes(version);
      if (was === pinned) return { changes: null, revision, result: { pinned } };
      if (pinned && record.pinned.length >= MAX_PINNED) throw new PlatformError('conflict', { with: `the ${MAX_PINNED} versions of function ${name} that are pinned already: unpin one first` });
      const others = record.pinned.filter((one) => one !== version);
      const next: FunctionRecord = { ...record, pinned: pinned ? [...others, version].toSorted((a, b) => a - b) : others, changedAt: now };
      return {
        changes: [{ key: KEYS.function(name), value: next }],
        audit: { action: 'version.pin', target: `${name}@${version}`, before: { pinned: was }, after: { pinned } },
        result: { pinned },
      };
    });
  }

  /**
   * Points an alias at a version: from now on `ALIAS--NAME.…` answers with it.
   *
   * @throws not_found  no such function
   * @throws invalid  the function has no such version that a gateway could reach
   * @throws gate_failed  its gates have not passed
   * @throws conflict  it has as many aliases as it may have
   */
  setAlias(actor: Actor, name: string, alias: string, version: number): Promise<Written<{ readonly alias: string; readonly version: number }>> {
    return this.#ledger.write(actor, (now) => {
      const { record, revision } = this.#catalog.require(name);
      const result = { alias, version };
      const before = aliased(record, alias);
      if (before === version) return { changes: null, revision, result };
      if (version < record.firstVersion || !this.#catalog.digests(name).has(version)) {
        throw new PlatformError('invalid', { errors: [{ path: 'version', message: `function ${name} has no version ${version}` }] });
      }
      requirePassed(this.#catalog, name, [[version, 'version']]);
      if (before === null && Object.keys(record.aliases).length >= MAX_ALIASES) throw new PlatformError('conflict', { with: `the ${MAX_ALIASES} aliases that function ${name} has already: remove one first` });
      const next: FunctionRecord = { ...record, aliases: inOrder({ ...record.aliases, [alias]: version }), changedAt: now };
      return {
        changes: [{ key: KEYS.function(name), value: next }],
        audit: { action: 'alias.set', target: name, before: { [alias]: before }, after: { [alias]: version } },
        result,
      };
    });
  }

  /** @throws not_found  no such function or alias */
  removeAlias(actor: Actor, name: string, alias: string): Promise<Written<{ readonly alias: string }>> {
    return this.#ledger.write(actor, (now) => {
      const { record } = this.#catalog.require(name);
      const before = aliased(record, alias);
      if (before === null) throw new PlatformError('not_found', { what: `alias ${alias} of function ${name}` });
      const aliases = Object.fromEntries(Object.entries(record.aliases).filter(([one]) => one !== alias));
      return {
        changes: [{ key: KEYS.function(name), value: { ...record, aliases, changedAt: now } }],
        audit: { action: 'alias.remove', target: name, before: { [alias]: before }, after: { [alias]: null } },
        result: { alias },
      };
    });
  }
}

function aliased({ aliases }: FunctionRecord, alias: string): number | null {
  return Object.hasOwn(aliases, alias) ? (aliases[alias] ?? null) : null;
}

function inOrder(aliases: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(aliases).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
