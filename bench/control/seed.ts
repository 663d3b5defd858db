// Fills a data folder with many functions of several versions each: real builds for a few, and the rest as copies of their records, written
// through the control plane's own store and ledger, so that audit trail, revisions and files are what as many calls would have left.
import { KEYS } from '../../control/model/index.ts';
import { functionRecordSchema, versionRecordSchema } from '../../control/model/records.ts';
import type { FunctionRecord, VersionRecord } from '../../control/model/records.ts';
import type { Change, RecordStore } from '../../core/ports/index.ts';
import { KINDS, sourceOf } from '../density/cases.ts';
import { ACTOR, withControl } from '../lib/offline-control.ts';

/** Different environments of each kind: as many version folders as all of them together. */
const TEAMS = 25;
/** Functions written in one commit. */
const BATCH = 200;

export interface Sizes {
  readonly functions: number;
  /** Of each function; traffic goes to the newest one. */
  readonly versions: number;
}

export const nameOf = (i: number): string => `fn-${i}`;

interface Template {
  readonly record: FunctionRecord;
  readonly versions: readonly VersionRecord[];
}

/** @param dataFolder  of a node that is not running: the store is opened by one process at a time */
export async function seedCatalogue(dataFolder: string, { functions, versions }: Sizes): Promise<void> {
  await withControl(dataFolder, async ({ store, ledger, functions: settings, versions: deploys }) => {
    const templates: Template[] = [];
    for (let i = 0; i < Math.min(functions, KINDS.length * TEAMS); i++) {
      const kind = KINDS[i % KINDS.length] ?? KINDS[0];
      const name = nameOf(i);
      await settings.put(ACTOR, name, { tenant: `team-${i % TEAMS}`, env: { TEAM: `team-${i % TEAMS}` }, triggers: [{ type: 'http', path: `/${name}/:id` }], user: 'header:x-user-id' });
      await deploys.deploy(ACTOR, name, { code: { files: { 'main.ts': sourceOf(kind) }, main: 'main.ts' }, message: null, activate: true });
      for (let n = 1; n < versions; n++) await deploys.deploy(ACTOR, name, { code: { from: n }, message: `version ${n + 1}`, activate: true });
      templates.push(readTemplate(store, name, versions));
    }
    for (let from = templates.length; from < functions; from += BATCH) {
      const names = Array.from({ length: Math.min(BATCH, functions - from) }, (_, k) => from + k);
      await ledger.write(ACTOR, () => ({
        changes: names.flatMap((i) => copyOf(templates[i % templates.length], nameOf(i))),
        audit: { action: 'bench.seed', target: `${nameOf(from)} and ${names.length - 1} more`, before: null, after: null },
        result: null,
      }));
    }
  });
}

function readTemplate(store: RecordStore, name: string, versions: number): Template {
  return {
    record: functionRecordSchema.parse(store.get(KEYS.function(name))?.value),
    versions: Array.from({ length: versions }, (_, n) => versionRecordSchema.parse(store.get(KEYS.version(name, n + 1))?.value)),
  };
}

function copyOf(template: Template | undefined, name: string): Change[] {
  if (template === undefined) throw new Error('there is nothing to copy');
  const record: FunctionRecord = { ...template.record, name, triggers: [{ type: 'http', path: `/${name}/:id` }] };
  return [{ key: KEYS.function(name), value: record }, ...template.versions.map((version) => ({ key: KEYS.version(name, version.version), value: version }))];
}
