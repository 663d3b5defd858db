// Fills a data folder with deployed functions before its node starts: through the control plane's own model, builder and store, in this
// process. What lies on disk afterwards is what as many calls of the API would have left: versions, sources, traffic, a whole audit trail.
import { DEFAULT_TIER } from '../../core/config/index.ts';
import { ACTOR, withControl } from '../lib/offline-control.ts';
import { sourceOf } from './cases.ts';
import type { DensityCase } from './cases.ts';

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
  return withControl(dataFolder, async ({ catalog, functions, versions }) => {
    for (const { name, kind, env } of cases) {
      await functions.put(ACTOR, name, { tenant: env['TEAM'] ?? 'default', env: { ...env } });
      await versions.deploy(ACTOR, name, { code: { files: { 'main.ts': sourceOf(kind) }, main: 'main.ts' }, message: null, activate: true });
    }
    return { ms: performance.now() - startedMs, versionFolders: catalog.digestsOf(DEFAULT_TIER).size };
  });
}
