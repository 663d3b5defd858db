// Staged rollouts: starts them, lets them decide by themselves, and lets an operator's hand win.
import type { Logger } from '../../core/log/index.ts';
import { PlatformError } from '../../core/errors/index.ts';
import type { Change, RecordStore } from '../../core/ports/index.ts';
import type { RolloutPost } from '../../core/schemas/index.ts';
import { KEYS, allOf, canonicalJson, functionRecordSchema, requirePassed } from '../model/index.ts';
import type { Actor, Catalog, Companion, FunctionRecord, Ledger, Written } from '../model/index.ts';
import type { Series } from '../sensing/window.ts';
import { planDecision, planStart, recordChanges } from './plans.ts';
import { decided, isUnderWay, rolloutHeadSchema, rolloutRecordSchema } from './records.ts';
import type { Decision, Reason, RolloutHead, RolloutRecord, RolloutState } from './records.ts';
import { Watch } from './watch.ts';

/** What a rollout did just now, durably: for whoever notifies people. */
export interface RolloutEvent {
  readonly rollout: RolloutRecord;
  readonly decision: Decision;
}

export interface RolloutsOptions {
  readonly store: RecordStore;
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly series: Series;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** The rollout itself, in the audit trail and in its decisions. */
const SELF: Actor = { name: 'rollout', from: '' };
const NONE: RolloutHead = { last: 0, active: null };
const TICK_MS = 250;

export class Rollouts {
  readonly #options: Required<RolloutsOptions>;
  readonly #heads = new Map<string, RolloutHead>();
  readonly #watches = new Map<string, Watch>();
  readonly #listeners = new Set<(event: RolloutEvent) => void>();
  readonly #ended = new Map<RolloutState, number>();
  #started = 0;
  #timer: NodeJS.Timeout | undefined;
  #ticking: Promise<void> | undefined;

  /** Reads the rollouts under way from the store; they go on with `open`. */
  constructor(options: RolloutsOptions) {
    this.#options = { now: Date.now, ...options };
    const { store, series } = this.#options;
    for (const row of allOf(store, KEYS.rolloutHeads)) {
      const name = row.key.slice(KEYS.rolloutHeads.length);
      const head = rolloutHeadSchema.parse(row.value);
      this.#heads.set(name, head);
      if (head.active !== null) this.#watches.set(name, new Watch(this.get(name, head.active), series, this.#options.now()));
    }
  }

  /** Looks at every rollout under way four times a second from now on. */
  open(): void {
    this.#timer = setInterval(() => void (this.#ticking ??= this.tick().finally(() => (this.#ticking = undefined))), TICK_MS);
    this.#timer.unref();
  }

  /** Resolves when no decision of a rollout is being written. Those under way go on at the next start. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#ticking;
  }

  /** How many are running and paused now, and how many of this life of the process have started and ended, by how. */
  get counts(): { readonly running: number; readonly paused: number; readonly started: number; readonly ended: ReadonlyMap<RolloutState, number> } {
    const states = [...this.#watches.values()].map(({ record }) => record.state);
    const running = states.filter((state) => state === 'running').length;
    return { running, paused: states.length - running, started: this.#started, ended: this.#ended };
  }

  /** Versions that must not be purged. */
  versionsInUse(name: string): ReadonlySet<number> {
    const record = this.#watches.get(name)?.record;
    return new Set(record === undefined ? [] : [record.version, ...[...record.base.split, ...record.base.rules].map((part) => part.version)]);
  }

  /** The rollout of the function that is under way. */
  watchOf(name: string): Watch | undefined {
    return this.#watches.get(name);
  }

  /** @returns what ends the subscription */
  subscribe(listener: (event: RolloutEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** @throws not_found */
  get(name: string, number: number): RolloutRecord {
    const row = this.#options.store.get(KEYS.rollout(name, number));
    if (row === undefined) throw new PlatformError('not_found', { what: `rollout ${number} of function ${name}` });
    return rolloutRecordSchema.parse(row.value);
  }

  /** The newest first, below `before`. */
  list(name: string, before: number, limit: number): readonly RolloutRecord[] {
    const rollouts: RolloutRecord[] = [];
    for (let number = Math.min(before - 1, this.#heads.get(name)?.last ?? 0); number > 0 && rollouts.length < limit; number--) {
      const row = this.#options.store.get(KEYS.rollout(name, number));
      // Older ones than this are no longer kept.
      if (row === undefined) break;
      rollouts.push(rolloutRecordSchema.parse(row.value));
    }
    return rollouts;
  }

  /**
   * @throws not_found  no such function
   * @throws invalid  the function has no such version
   * @throws gate_failed  its gates have not passed
   * @throws frozen
   * @throws conflict  a rollout is under way, a switch is thrown, or there is no other version to compare with
   */
  start(actor: Actor, name: string, post: RolloutPost): Promise<Written<RolloutRecord>> {
    const { catalog, ledger } = this.#options;
    return ledger.write(actor, (now) => {
      const { record: owner } = catalog.require(name);
      if (post.version < owner.firstVersion || !catalog.digests(name).has(post.version)) {
        throw new PlatformError('invalid', { errors: [{ path: 'version', message: `function ${name} has no version ${post.version}` }] });
      }
      requirePassed(catalog, name, [[post.version, 'version']]);
      this.#refuseHeld(owner);
      return planStart(owner, this.#heads.get(name) ?? NONE, post, actor.name, now);
    });
  }

  /** Stays at its weight until it is resumed; the gates go on watching. */
  pause(actor: Actor, name: string, number: number): Promise<Written<RolloutRecord>> {
    return this.#decide(actor, name, number, 'pause', { code: 'by_hand', message: `paused by ${actor.name}` });
  }

  /** The hold of the step starts anew; what was seen stays. */
  resume(actor: Actor, name: string, number: number): Promise<Written<RolloutRecord>> {
    return this.#decide(actor, name, number, 'resume', null);
  }

  /** Takes the new version off at once. */
  abort(actor: Actor, name: string, number: number): Promise<Written<RolloutRecord>> {
    return this.#decide(actor, name, number, 'abort', { code: 'by_hand', message: `aborted by ${actor.name}` });
  }

  /** Reads what has come, and carries out what is to be done. Never rejects: what the disk refuses is tried again at the next one. */
  async tick(): Promise<void> {
    await Promise.all([...this.#watches.values()].map(async (watch) => {
      const { function: name, number, step, steps } = watch.record;
      try {
        watch.read();
        const advice = watch.advice(this.#options.now());
        if (advice === undefined) return;
        if (advice.action !== 'promote') await this.#act(watch, advice.action, step, advice.reason);
        else if (step + 1 === steps.length || (step + 2 === steps.length && steps[step + 1]?.holdMs === 0)) await this.#act(watch, 'finish', steps.length - 1, null);
        else await this.#act(watch, 'promote', step + 1, null);
      } catch (thrown) {
        this.#options.logger.error({ err: thrown, function: name, rollout: number }, 'a decision about a rollout could not be written');
      }
    }));
  }

  /**
   * What a change by others means for rollouts, for the same commit: other traffic or none ends a rollout, a switch that was thrown
   * pauses it. An operator's hand always wins.
   */
  accompany(changes: readonly Change[], actor: Actor, now: string): Companion | undefined {
    const own = changes.filter((change) => !('remove' in change) && change.key.startsWith(KEYS.rollouts));
    const further = own.length > 0 ? [] : this.#consequences(changes, actor, now);
    const records = [...own.map((change) => rolloutRecordSchema.parse('value' in change ? change.value : undefined)), ...further];
    if (records.length === 0) return undefined;
    return {
      changes: further.flatMap(recordChanges),
      committed: () => {
        for (const record of records) this.#follow(record);
      },
    };
  }

  #consequences(changes: readonly Change[], actor: Actor, now: string): RolloutRecord[] {
    const ends = (watch: Watch, action: 'supersede' | 'pause', reason: Reason): RolloutRecord => decided(watch.record, { action, step: watch.record.step, by: actor.name, reason, now, seen: watch.seen() });
    return changes.flatMap((change) => {
      if (change.key === KEYS.freeze) {
        if (!isFrozen(change)) return [];
        return [...this.#watches.values()].filter(({ record }) => record.state === 'running').map((watch) => ends(watch, 'pause', { code: 'frozen', message: `the node was frozen by ${actor.name}` }));
      }
      if (!change.key.startsWith(KEYS.functions)) return [];
      const name = change.key.slice(KEYS.functions.length);
      const watch = this.#watches.get(name);
      if (watch === undefined) return [];
      if ('remove' in change) return [ends(watch, 'supersede', { code: 'function_deleted', message: `the function was deleted by ${actor.name}` })];
      const next = functionRecordSchema.parse(change.value);
      const before = this.#options.catalog.get(name)?.record;
      if (canonicalJson(next.traffic) !== canonicalJson(before?.traffic)) return [ends(watch, 'supersede', { code: 'traffic_changed', message: `the traffic was changed by ${actor.name}` })];
      const switched = heldBy(next);
      return switched === undefined || watch.record.state !== 'running' ? [] : [ends(watch, 'pause', { code: switched, message: `the function was ${SWITCHED[switched]} by ${actor.name}` })];
    });
  }

  #follow(record: RolloutRecord): void {
    const { function: name, number } = record;
    const watch = this.#watches.get(name);
    const underWay = isUnderWay(record);
    this.#heads.set(name, { last: number, active: underWay ? number : null });
    if (!underWay) this.#watches.delete(name);
    else if (watch === undefined) this.#watches.set(name, new Watch(record, this.#options.series, this.#options.now()));
    else watch.follow(record);
    const decision = record.decisions.at(-1);
    if (decision === undefined) return;
    if (decision.action === 'start') this.#started += 1;
    if (!underWay) this.#ended.set(record.state, (this.#ended.get(record.state) ?? 0) + 1);
    const level = decision.action === 'roll_back' ? 'warn' : 'info';
    this.#options.logger[level]({ function: name, rollout: number, version: record.version, ...decision, reason: decision.reason?.code, why: decision.reason?.message }, 'a rollout has decided');
    for (const listener of this.#listeners) this.#notify(listener, { rollout: record, decision });
  }

  #notify(listener: (event: RolloutEvent) => void, event: RolloutEvent): void {
    try {
      listener(event);
    } catch (thrown) {
      this.#options.logger.error({ err: thrown, function: event.rollout.function }, 'what listens to rollouts has failed');
    }
  }

  #decide(actor: Actor, name: string, number: number, action: 'pause' | 'resume' | 'abort', reason: Reason | null): Promise<Written<RolloutRecord>> {
    const { catalog, ledger } = this.#options;
    return ledger.write(actor, (now) => {
      const { record: owner, revision } = catalog.require(name);
      const watch = this.#watches.get(name);
      const record = watch?.record.number === number ? watch.record : this.get(name, number);
      if (watch === undefined || !isUnderWay(record)) throw new PlatformError('conflict', { with: `the state of rollout ${number} of function ${name}: it is ${record.state}` });
      // A repeated call is no change.
      if (record.state === (action === 'pause' ? 'paused' : 'running') && action !== 'abort') return { changes: null, revision, result: record };
      if (action === 'resume') this.#refuseHeld(owner);
      return planDecision(owner, record, { action, step: record.step, by: actor.name, reason, now, seen: watch.seen() });
    });
  }

  /** Carries out what `watch` advised, unless somebody else decided meanwhile. */
  async #act(watch: Watch, action: 'promote' | 'finish' | 'roll_back' | 'pause', step: number, reason: Reason | null): Promise<void> {
    const { catalog, ledger } = this.#options;
    const advised = watch.record;
    await ledger.write(SELF, (now) => {
      const { function: name } = advised;
      const owner = catalog.get(name)?.record;
      if (owner === undefined || this.#watches.get(name)?.record !== advised) return { changes: null, revision: catalog.revision, result: advised };
      return planDecision(owner, advised, { action, step, by: SELF.name, reason, now, seen: watch.seen() });
    });
  }

  /**
   * @throws frozen
   * @throws conflict  a switch is thrown under which no rollout may go on
   */
  #refuseHeld(owner: FunctionRecord): void {
    this.#options.ledger.admit(owner.name);
    const switched = heldBy(owner);
    if (switched !== undefined) throw new PlatformError('conflict', { with: `the emergency switches of function ${owner.name}: it is ${SWITCHED[switched]}` });
  }
}

const SWITCHED = { frozen: 'frozen', killed: 'switched off', forced: 'forced to one version' } as const;

function heldBy({ emergency }: FunctionRecord): keyof typeof SWITCHED | undefined {
  if (emergency.killed) return 'killed';
  if (emergency.frozen) return 'frozen';
  return emergency.forced === null ? undefined : 'forced';
}

function isFrozen(row: Change | { readonly value: unknown }): boolean {
  return 'value' in row && typeof row.value === 'object' && row.value !== null && 'frozen' in row.value && row.value.frozen === true;
}
