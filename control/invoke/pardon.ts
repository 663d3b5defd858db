// POST …/pardon: an operator's word that forgets what is held against a function.
import type { FunctionStanding } from '../stats/index.ts';
import type { Actor, Ledger, Written } from '../model/index.ts';
import type { Invoker } from './invoker.ts';

/**
 * Has the gateway forget the function's strikes, quarantine and penalty, and writes down who wanted it. The gateway comes first: a row of
 * the audit trail must not speak of what did not happen, and a pardon that is repeated since its row was lost does no harm.
 *
 * @param before  what was held against it, for the audit trail
 * @throws unavailable  no gateway, or it went away meanwhile
 * @throws not_found  the gateway does not know the function (yet)
 * @throws storage_failed  it is pardoned, and no row says so
 */
export async function pardonFunction(invoker: Invoker, ledger: Ledger, actor: Actor, name: string, before: FunctionStanding): Promise<Written<undefined>> {
  await invoker.pardon(name);
  return ledger.write(actor, () => ({ changes: [], audit: { action: 'function.pardon', target: name, before, after: null }, result: undefined }));
}
