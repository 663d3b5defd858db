// The one way to change anything: plans run one after another, and each is committed together with its row of the audit trail.
import type { Change, RecordStore } from '../../core/ports/index.ts';
import { PlatformError } from '../../core/errors/index.ts';
import { AUDIT_START, auditRowSchema, chainRow } from './audit.ts';
import type { Actor, AuditEntry, AuditHead } from './audit.ts';
import type { Catalog } from './catalog.ts';
import { KEYS } from './records.ts';

/** What a change will do, decided on the state that it will be applied to. */
export interface Plan<T> {
  readonly changes: readonly Change[];
  readonly audit: AuditEntry;
  readonly result: T;
}

/** All is already as it should be: nothing is written and no row is added. */
export interface NoPlan<T> {
  readonly changes: null;
  readonly result: T;
  /** Revision that made it so. */
  readonly revision: number;
}

export interface Written<T> {
  readonly result: T;
  /** Of this commit, or of the one that had made it so before. */
  readonly revision: number;
}

/** Changes that another part makes because of a plan's: they go into the same commit. */
export interface Companion {
  readonly changes: readonly Change[];
  /** Called after the commit, before the next plan runs. */
  readonly committed: () => void;
}

/** Why nothing of a function can be changed now: the parameters of the error `frozen`. */
export interface Frozen {
  readonly what: string;
  readonly by: string;
  readonly reason: string;
}

/** Records of functions and of what they run: a freeze holds whatever would write them, also changes that are yet to be invented. */
const FREEZABLE = [KEYS.functions, KEYS.removedFunctions, KEYS.allVersions, KEYS.snapshotSwitches] as const;
/** Changes that pass: the switches that freeze and unfreeze, kill and force; and taking back a rollout, since no freeze may keep a bad version live. */
const PASSING: ReadonlySet<string> = new Set(['emergency.set', 'rollout.roll_back', 'rollout.abort']);

export interface LedgerOptions {
  readonly store: RecordStore;
  readonly catalog: Catalog;
  /** Called after each commit, before the next plan runs. */
  readonly onCommit: (previous: number, revision: number, names: readonly string[]) => void;
  /** What keeps the function as it is; default: nothing does. */
  readonly frozen?: (name: string) => Frozen | undefined;
  readonly now?: () => Date;
  /** Asked before each commit, on the state that it will be applied to. */
  readonly accompany?: (changes: readonly Change[], actor: Actor, now: string) => Companion | undefined;
}

export class Ledger {
  readonly #options: LedgerOptions;
  #head: AuditHead;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: LedgerOptions) {
    this.#options = options;
    this.#head = readHead(options.store);
  }

  /** Sequence number and hash of the last row of the audit trail. */
  get head(): AuditHead {
    return { sequence: this.#head.sequence, hash: this.#head.hash };
  }

  /**
   * Runs `plan` when every earlier write is over, and commits what it says. A plan that throws changes nothing, nor does the actor's guard.
   *
   * @throws storage_failed  the disk refused; nothing was changed
   * @throws frozen  it would change a function that an operator has frozen
   */
  write<T>(actor: Actor, plan: (now: string) => Plan<T> | NoPlan<T>): Promise<Written<T>> {
    const done = this.#tail.then(() => this.#run(actor, plan));
    this.#tail = done.catch(() => {});
    return done;
  }

  /** For what takes long before it is written. @throws frozen */
  admit(name: string): void {
    const frozen = this.#options.frozen?.(name);
    if (frozen !== undefined) throw new PlatformError('frozen', frozen);
  }

  /** Resolves when every write that was asked for is over. */
  async idle(): Promise<void> {
    await this.#tail;
  }

  async #run<T>(actor: Actor, plan: (now: string) => Plan<T> | NoPlan<T>): Promise<Written<T>> {
    const { store, catalog, onCommit } = this.#options;
    await actor.guard?.check();
    const time = (this.#options.now?.() ?? new Date()).toISOString();
    const planned = plan(time);
    if (planned.changes === null) return { result: planned.result, revision: planned.revision };
    const { audit, result } = planned;
    if (!PASSING.has(audit.action)) for (const name of functionsIn(planned.changes)) this.admit(name);
    const companion = this.#options.accompany?.(planned.changes, actor, time);
    const changes = companion === undefined ? planned.changes : [...planned.changes, ...companion.changes];
    const previous = catalog.revision;
    const row = chainRow(audit, actor, time, this.#head);
    const key = KEYS.auditRow(row.sequence);
    // The row must be new: should anything else ever write to this store, the chain stays whole and this write fails.
    const revision = await store.commit([...changes, ...(actor.guard?.joins() ?? []), { key, value: row }], [{ key, revision: 0 }]);
    this.#head = row;
    actor.guard?.committed();
    const names = catalog.apply(changes, revision);
    companion?.committed();
    onCommit(previous, revision, names);
    return { result, revision };
  }
}

/** Names of the functions that the changes would touch. */
function functionsIn(changes: readonly Change[]): Set<string> {
  const names = new Set<string>();
  for (const { key } of changes) {
    const prefix = FREEZABLE.find((one) => key.startsWith(one));
    const name = prefix === undefined ? undefined : key.slice(prefix.length).split('/', 1)[0];
    if (name !== undefined) names.add(name);
  }
  return names;
}

/** The last row: found by doubling and halving, since the port lists forwards only. */
function readHead(store: RecordStore): AuditHead {
  const has = (sequence: number): boolean => store.get(KEYS.auditRow(sequence)) !== undefined;
  if (!has(1)) return { sequence: 0, hash: AUDIT_START };
  let known = 1;
  let missing = 2;
  while (has(missing)) {
    known = missing;
    missing *= 2;
  }
  while (missing - known > 1) {
    const middle = Math.floor((known + missing) / 2);
    if (has(middle)) known = middle;
    else missing = middle;
  }
  const row = auditRowSchema.safeParse(store.get(KEYS.auditRow(known))?.value);
  if (!row.success) throw new PlatformError('internal', undefined, { cause: new Error('the last row of the audit trail has an unknown form') });
  return row.data;
}
