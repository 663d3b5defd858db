// Results as NDJSON, one object a line, units in the keys; and what the floors are checked against.
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type ResultRow = Readonly<Record<string, string | number | boolean | null | readonly number[] | Readonly<Record<string, number>>>>;

/** Collects rows, writes each at once (a run that fails keeps what it had), and answers the figures that floors name. */
export class Results {
  readonly file: string;
  readonly #figures = new Map<string, number>();

  constructor(folder: string, startedAt: Date) {
    mkdirSync(folder, { recursive: true });
    this.file = join(folder, `${startedAt.toISOString().replaceAll(':', '-').slice(0, 19)}.ndjson`);
    writeFileSync(this.file, '');
  }

  add(kind: string, row: ResultRow): void {
    appendFileSync(this.file, `${JSON.stringify({ kind, ...row })}\n`);
  }

  /** Names a figure that a floor may ask for. */
  figure(name: string, value: number): void {
    this.#figures.set(name, value);
    this.add('figure', { name, value });
  }

  get figures(): ReadonlyMap<string, number> {
    return this.#figures;
  }
}
