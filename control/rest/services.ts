// What endpoints work with: the parts of the control plane that REST reaches.
import type { Invoke } from '../../core/schemas/index.ts';
import type { RecordStore } from '../../core/ports/index.ts';
import type { Tokens } from '../access/index.ts';
import type { Backups } from '../backup/index.ts';
import type { Alerts } from '../alerts/index.ts';
import type { InvokeAnswer } from '../invoke/index.ts';
import type { LogStore } from '../logs/index.ts';
import type { AuditHead, Catalog, EmergencySwitches, Functions, Purge, Shadowing, Tenants, TrafficControl, VersionNames, Versions } from '../model/index.ts';
import type { SeriesReader } from '../sensing/index.ts';
import type { Rollouts } from '../rollouts/index.ts';
import type { ShadowStore } from '../shadows/index.ts';
import type { Snapshots } from '../snapshots/index.ts';
import type { FigureStore } from '../stats/index.ts';

export interface Services {
  readonly store: RecordStore;
  readonly tokens: Tokens;
  /** The end of the audit trail. */
  readonly auditHead: () => AuditHead;
  readonly catalog: Catalog;
  readonly functions: Functions;
  readonly tenants: Tenants;
  readonly versions: Versions;
  readonly versionNames: VersionNames;
  readonly purge: Purge;
  readonly backups: Backups;
  readonly traffic: TrafficControl;
  readonly rollouts: Rollouts;
  readonly emergency: EmergencySwitches;
  readonly shadowing: Shadowing;
  readonly shadows: ShadowStore;
  readonly snapshots: Snapshots;
  readonly logs: LogStore;
  readonly figures: FigureStore;
  readonly series: SeriesReader;
  readonly alerts: Alerts;
  /** Whether every connected gateway has applied the revision; waits a second at most. */
  readonly whenApplied: (revision: number) => Promise<boolean>;
  /** Runs an event of the function through the gateway. */
  readonly invoke: (name: string, body: Invoke) => Promise<InvokeAnswer>;
}
