// Checks a copied store whole: its chain of audit rows, and which version folders belong to it.
import { PlatformError } from '../../core/errors/index.ts';
import type { RecordStore } from '../../core/ports/index.ts';
import { Catalog, KEYS, checkTrail, storeRecordSchema } from '../model/index.ts';
import type { BackupContent } from './manifest.ts';

export interface CheckedStore extends Pick<BackupContent, 'audit' | 'functions' | 'versions'> {
  readonly epoch: number;
  readonly revision: number;
  /** Folders that its versions need. */
  readonly folders: readonly { readonly tier: string; readonly digest: string }[];
}

/**
 * Reads the whole store, with turns for others between pieces of the audit trail.
 *
 * @throws backup_invalid  the chain of audit rows is broken, or it is no store of a node
 * @throws internal  a record has an unknown form
 */
export async function checkStore(store: RecordStore): Promise<CheckedStore> {
  const found = store.get(KEYS.store);
  if (found === undefined) throw new PlatformError('backup_invalid', { why: 'its store is of no node' });
  const catalog = Catalog.load(store);
  const folders = catalog.tiers().flatMap((tier) => [...catalog.digestsOf(tier)].map((digest) => ({ tier, digest })));
  const { head, broken, why } = await checkTrail(store);
  if (broken !== null) throw new PlatformError('backup_invalid', { why: `the audit trail in its store is broken at row ${broken}: ${why ?? ''}` });
  return { audit: { sequence: head.sequence, hash: head.hash }, functions: catalog.size, versions: catalog.versionCount, epoch: storeRecordSchema.parse(found.value).epoch, revision: store.revision, folders };
}
