// The control plane's own model over a data folder whose node is not running: what it writes is what as many calls of the API would have left.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { BuildCache, Builder, TierFiles } from '../../control/builder/index.ts';
import { Catalog, Functions, Ledger, Tiers, Versions, canonicalJson } from '../../control/model/index.ts';
import { openLmdbStore } from '../../control/store/index.ts';
import { DEFAULT_TIER } from '../../core/config/index.ts';
import { createLogger } from '../../core/log/index.ts';
import type { RecordStore } from '../../core/ports/index.ts';

export const ACTOR = { name: 'bench', from: '' };

export interface OfflineControl {
  readonly store: RecordStore;
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly functions: Functions;
  readonly versions: Versions;
}

/** @param dataFolder  the node's THIMBLE_DATA: its store is opened by one process at a time */
export async function withControl<T>(dataFolder: string, run: (control: OfflineControl) => Promise<T>): Promise<T> {
  const store = openLmdbStore(join(dataFolder, 'control'));
  const builder = new Builder();
  try {
    const catalog = Catalog.load(store);
    const ledger = new Ledger({ store, catalog, onCommit: () => {} });
    const files = new TierFiles({ dataFolder, canonical: canonicalJson });
    await files.of(DEFAULT_TIER).prepare();
    // No function of a bench has a secret, so nothing is sealed with this key.
    const tiers = new Tiers({ keys: new Map([[DEFAULT_TIER, randomBytes(32)]]), catalog, files, logger: createLogger({ name: 'seed', level: 'warn' }) });
    const result = await run({ store, catalog, ledger, functions: new Functions({ catalog, ledger, tiers }), versions: new Versions({ store, catalog, ledger, builds: new BuildCache(builder), files }) });
    await ledger.idle();
    return result;
  } finally {
    await builder.stop();
    await store.close();
  }
}
