// Epochs of the store: what tells revisions of one history from those of another.
import { newEpoch } from '../../core/ids/index.ts';
import type { RecordStore } from '../../core/ports/index.ts';
import { KEYS, storeRecordSchema } from './records.ts';
import type { StoreRecord } from './records.ts';

/** Gateways that were away for more lives of the control plane get the whole table. */
const MAX_FORMER = 16;

/**
 * Begins a life of the control plane on its store: draws an epoch and notes where the one before ended. A store that is put back to an
 * earlier state (a backup, a copied folder) starts anew from there under another epoch, so a gateway that has seen more of the old history
 * is never taken for one that lacks some of the new.
 */
export async function beginLife(store: RecordStore): Promise<StoreRecord> {
  const found = store.get(KEYS.store);
  const before = found === undefined ? undefined : storeRecordSchema.parse(found.value);
  const epoch = newEpoch();
  const record: StoreRecord = {
    epoch,
    origin: before === undefined ? epoch : before.origin || before.epoch,
    createdAt: before?.createdAt ?? new Date().toISOString(),
    former: before === undefined ? [] : [...before.former, { epoch: before.epoch, until: store.revision }].slice(-MAX_FORMER),
  };
  await store.commit([{ key: KEYS.store, value: record }], [{ key: KEYS.store, revision: found?.revision ?? 0 }]);
  return record;
}
