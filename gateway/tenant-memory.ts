// Memory quotas of tenants over all hosts: each host hears what the tenants' isolates on the others take, and keeps to what is left.
import type { TenantRow } from '../core/protocol/index.ts';
import type { HostLink } from './host-link.ts';

const MIB = 1_048_576;
/** Smaller changes are no news: sums are sent often. */
const STEP_BYTES = 256 * 1_024;

export interface MemoryQuota {
  readonly tenant: string;
  readonly memoryMb: number;
}

export class TenantMemory {
  /** What each host said last of the tenants that it was told of, bytes. */
  readonly #held = new Map<HostLink, ReadonlyMap<string, number>>();
  /** What each host was told last. */
  readonly #told = new Map<HostLink, string>();

  reported(link: HostLink, rows: readonly TenantRow[]): void {
    this.#held.set(link, new Map(rows.map(([tenant, , bytes]) => [tenant, bytes])));
  }

  closed(link: HostLink): void {
    this.#held.delete(link);
    this.#told.delete(link);
  }

  /** Tells hosts what has changed for them. @param quotas  of all tenants that have one */
  review(links: Iterable<HostLink>, quotas: readonly MemoryQuota[]): void {
    const sums = new Map<string, number>();
    for (const held of this.#held.values()) for (const [tenant, bytes] of held) sums.set(tenant, (sums.get(tenant) ?? 0) + bytes);
    for (const link of links) {
      const own = this.#held.get(link);
      const rows = quotas.map(({ tenant, memoryMb }): TenantRow => {
        const elsewhere = (sums.get(tenant) ?? 0) - (own?.get(tenant) ?? 0);
        return [tenant, memoryMb * MIB, Math.round(elsewhere / STEP_BYTES) * STEP_BYTES];
      });
      const text = rows.length === 0 ? '' : JSON.stringify(rows);
      if (text === (this.#told.get(link) ?? '')) continue;
      this.#told.set(link, text);
      link.tellTenants(rows);
    }
  }
}
