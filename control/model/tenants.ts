// Tenants: the owners of functions, and the quotas of what all their functions together may take.
import { PlatformError } from '../../core/errors/index.ts';
import type { Quotas } from '../../core/schemas/index.ts';
import type { Actor } from './audit.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Catalog } from './catalog.ts';
import type { Ledger, Written } from './ledger.ts';
import { KEYS, NO_QUOTAS } from './records.ts';
import type { TenantRecord } from './records.ts';

export class Tenants {
  readonly #catalog: Catalog;
  readonly #ledger: Ledger;
  readonly #onChange: () => void;

  /** @param onChange  after a commit that changed quotas */
  constructor(catalog: Catalog, ledger: Ledger, onChange: () => void) {
    this.#catalog = catalog;
    this.#ledger = ledger;
    this.#onChange = onChange;
  }

  /** A tenant exists once it has a function or quotas. @throws not_found */
  require(name: string): TenantRecord {
    const record = this.#catalog.tenant(name);
    if (record !== undefined) return record;
    if (this.#catalog.functionsOf(name) === 0) throw new PlatformError('not_found', { what: `tenant ${name}` });
    return { name, quotas: NO_QUOTAS, changedAt: null };
  }

  /**
   * Replaces the quotas of a tenant whole; what it has already stays, also above them. All its functions change with it, in one revision.
   * Quotas that are all 0 are none.
   */
  async put(actor: Actor, name: string, quotas: Quotas): Promise<Written<TenantRecord>> {
    const written = await this.#ledger.write(actor, (now) => {
      const old = this.#catalog.tenant(name);
      if (old !== undefined && canonicalJson(old.quotas) === canonicalJson(quotas)) return { changes: null, revision: this.#catalog.revision, result: old };
      const record: TenantRecord = { name, quotas, changedAt: now };
      return {
        changes: [{ key: KEYS.tenant(name), value: record }],
        audit: { action: 'tenant.quotas', target: name, before: old?.quotas ?? null, after: quotas },
        result: record,
      };
    });
    this.#onChange();
    return written;
  }
}
