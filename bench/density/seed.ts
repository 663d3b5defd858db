// Fills a data folder with deployed functions before its node starts: through the control plane's own model, builder and store, in this
// process. What lies on disk afterwards is what as many calls of the API would have left: versions, sources, traffic, a whole audit trail.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { BuildCache, Builder, TierFiles } from '../../control/builder/index.ts';
import { Catalog, Functions, Ledger, Tiers, Versions, canonicalJson } from '../../control/model/index.ts';
import { openLmdbStore } from '../../control/store/index.ts';
import { DEFAULT_TIER } from '../../core/config/index.ts';
import { createLogger } from '../../core/log/index.ts';
import { sourceOf } from './cases.ts';
import type { DensityCase } from './cases.ts';

const ACTOR = { name: 'bench', from: '' };

export interface Seeded {
  readonly ms: number;
  /** Different bundle and environment: folders on disk. */
  readonly versionFolders: number;
}

/**
 * Deploys every case. The node must not be running: the store is opened by one process at a time.
 *
 * @param dataFolder  the node's THIMBLE_DATA
 */
export async function seedFunctions(dataFolder: string, cases: readonly DensityCase[]): Promise<Seeded> {
  const startedMs = performance.now();
  const store = openLmdbStore(join(dataFolder, 'control'));
  const builder = new Builder();
  try {
    const catalog = Catalog.load(store);
    const ledger = new Ledger({ store, catalog, onCommit: () => {} });
    const files = new TierFiles({ dataFolder, canonical: canonicalJson });
    await files.of(DEFAULT_TIER).prepare();
    // No function of the bench has a secret, so nothing is sealed with this key.
    const tiers = new Tiers({ keys: new Map([[DEFAULT_TIER, randomBytes(32)]]), catalog, files, logger: createLogger({ name: 'seed', level: 'warn' }) });
    const functions = new Functions({ catalog, ledger, tiers });
    const versions = new Versions({ store, catalog, ledger, builds: new BuildCache(builder), files });
    for (const { name, kind, env } of cases) {
      await functions.put(ACTOR, name, { tenant: env['TEAM'] ?? 'default', env: { ...env } });
      await versions.deploy(ACTOR, name, { code: { files: { 'main.ts': sourceOf(kind) }, main: 'main.ts' }, message: null, activate: true });
    }
    await ledger.idle();
    return { ms: performance.now() - startedMs, versionFolders: catalog.digestsOf(DEFAULT_TIER).size };
  } finally {
    await builder.stop();
    await store.close();
  }
}
