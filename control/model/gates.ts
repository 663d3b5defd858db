// What the model knows of gates: which an upload has to pass, which versions have not, and that those get no traffic.
import { PlatformError } from '../../core/errors/index.ts';
import type { Ceilings, FieldError, GateError, DeployGates, GatesReport, Smoke } from '../../core/schemas/index.ts';
import { gatesReportSchema } from '../../core/schemas/index.ts';
import type { RecordStore } from '../../core/ports/index.ts';
import type { Catalog } from './catalog.ts';
import { KEYS } from './records.ts';
import type { FunctionRecord, SourcesRecord } from './records.ts';

export interface GateWishes {
  readonly tests: readonly string[];
  readonly smoke: readonly Smoke[];
  readonly ceilings: Ceilings;
}

/** What was made and is not committed. */
export interface Candidate {
  readonly record: FunctionRecord;
  readonly sources: SourcesRecord;
  readonly bundle: string;
  /** Of the version's folder, which is written. */
  readonly digest: string;
}

/** Runs gates (control/gates/). */
export interface GateRunner {
  /** Sizes, starts and tests. @returns a report without errors. @throws gate_failed, build_failed (of the tests), unavailable, overloaded */
  before(candidate: Candidate, wishes: GateWishes): Promise<GatesReport>;
  /** Smoke requests to a committed version. @param revision  of its commit */
  smoke(name: string, version: number, requests: readonly Smoke[], revision: number): Promise<{ readonly rows: NonNullable<GatesReport['smoke']>; readonly errors: readonly GateError[] }>;
}

/** What an upload is tried by: each part as the upload says, else as the function's setting does. null: nothing. @throws invalid  a test file is not among the files */
export function wishesOf(setting: DeployGates | null, upload: DeployGates, files: Readonly<Record<string, string>>): GateWishes | null {
  const wishes: GateWishes = { tests: upload.tests ?? setting?.tests ?? [], smoke: upload.smoke ?? setting?.smoke ?? [], ceilings: upload.ceilings ?? setting?.ceilings ?? {} };
  const errors: FieldError[] = wishes.tests.flatMap((path, index) =>
    Object.hasOwn(files, path) ? [] : [{ path: `tests[${index}]`, message: upload.tests === undefined ? `the function's setting gates names ${path}, which is not one of files` : 'must name one of files' }]);
  if (errors.length > 0) throw new PlatformError('invalid', { errors });
  return wishes.tests.length + wishes.smoke.length + Object.keys(wishes.ceilings).length === 0 ? null : wishes;
}

/** How the gates of a version went; null: it had none. */
export function gatesReport(store: RecordStore, name: string, version: number): GatesReport | null {
  const row = store.get(KEYS.gateReport(name, version));
  return row === undefined ? null : gatesReportSchema.parse(row.value);
}

/**
 * Refuses versions whose gates have not passed. Everything that gives a version traffic asks here.
 *
 * @param wanted  version numbers with the field that names each
 * @throws gate_failed
 */
export function requirePassed(catalog: Pick<Catalog, 'blocked'>, name: string, wanted: readonly (readonly [version: number, path: string])[]): void {
  const blocked = catalog.blocked(name);
  const errors = wanted.filter(([version]) => blocked.has(version)).map(([version, path]) => ({ gate: 'version', name: path, message: `version ${version} has not passed its gates: deploy its files again` }));
  if (errors.length > 0) throw new PlatformError('gate_failed', { errors });
}
