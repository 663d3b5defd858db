// An operator's switches: kill a function, force a version of it, freeze it, freeze the node. Each is one commit with its reason in the audit trail.
import { PlatformError } from '../../core/errors/index.ts';
import type { RecordStore } from '../../core/ports/index.ts';
import { emergencyStateSchema, freezeStateSchema } from '../../core/schemas/index.ts';
import type { Emergency, EmergencyState, Freeze, FreezeState } from '../../core/schemas/index.ts';
import type { Actor } from './audit.ts';
import { canonicalJson } from './canonical-json.ts';
import type { Catalog } from './catalog.ts';
import { requirePassed } from './gates.ts';
import type { Frozen, Ledger, Written } from './ledger.ts';
import { KEYS } from './records.ts';

export const NO_EMERGENCY: EmergencyState = emergencyStateSchema.parse({});
const NO_FREEZE: FreezeState = freezeStateSchema.parse({ frozen: false });

/** What keeps a function as it is: the freeze of the node, or else its own; undefined: nothing. Rollouts under way ask this before each step. */
export function frozenBy(store: RecordStore, catalog: Catalog, name: string): Frozen | undefined {
  const node = nodeFreeze(store);
  if (node.frozen) return { what: 'the node', by: node.by, reason: node.reason };
  const { frozen, by, reason } = catalog.get(name)?.record.emergency ?? NO_EMERGENCY;
  return frozen ? { what: `function ${name}`, by, reason } : undefined;
}

function nodeFreeze(store: RecordStore): FreezeState {
  const found = store.get(KEYS.freeze);
  return found === undefined ? NO_FREEZE : freezeStateSchema.parse(found.value);
}

export interface EmergencySwitchesOptions {
  readonly store: RecordStore;
  readonly catalog: Catalog;
  readonly ledger: Ledger;
}

export class EmergencySwitches {
  readonly #options: EmergencySwitchesOptions;

  constructor(options: EmergencySwitchesOptions) {
    this.#options = options;
  }

  /** @see frozenBy */
  frozen(name: string): Frozen | undefined {
    const { store, catalog } = this.#options;
    return frozenBy(store, catalog, name);
  }

  /**
   * Replaces the switches of a function whole. Works whatever is frozen.
   *
   * @throws not_found
   * @throws invalid  the function has no such version to force
   * @throws gate_failed  the gates of the version to force have not passed
   */
  set(actor: Actor, name: string, emergency: Emergency): Promise<Written<EmergencyState>> {
    const { catalog, ledger } = this.#options;
    return ledger.write(actor, (now) => {
      const { record, revision } = catalog.require(name);
      const { by: _by, at: _at, ...former } = record.emergency;
      if (canonicalJson(former) === canonicalJson(emergency)) return { changes: null, revision, result: record.emergency };
      const { forced } = emergency;
      if (forced !== null && (forced < record.firstVersion || !catalog.digests(name).has(forced))) {
        throw new PlatformError('invalid', { errors: [{ path: 'forced', message: `function ${name} has no version ${forced}` }] });
      }
      if (forced !== null) requirePassed(catalog, name, [[forced, 'forced']]);
      const state: EmergencyState = { ...emergency, by: actor.name, at: now };
      return {
        changes: [{ key: KEYS.function(name), value: { ...record, emergency: state, changedAt: now } }],
        audit: { action: 'emergency.set', target: name, before: former, after: emergency },
        result: state,
      };
    });
  }

  get node(): FreezeState {
    return nodeFreeze(this.#options.store);
  }

  /** Freezes the node, or lets it go on: no function can be changed, none made and none deleted. */
  freeze(actor: Actor, freeze: Freeze): Promise<Written<FreezeState>> {
    const { store, catalog, ledger } = this.#options;
    return ledger.write(actor, (now) => {
      const former = nodeFreeze(store);
      if (former.frozen === freeze.frozen && former.reason === freeze.reason) return { changes: null, revision: catalog.revision, result: former };
      const state: FreezeState = { ...freeze, by: actor.name, at: now };
      return {
        changes: [{ key: KEYS.freeze, value: state }],
        audit: { action: 'freeze.set', target: 'node', before: { frozen: former.frozen, reason: former.reason }, after: freeze },
        result: state,
      };
    });
  }
}
