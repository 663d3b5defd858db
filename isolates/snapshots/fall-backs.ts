// Which versions could not start from their snapshot, and why: said once in the log, counted by reason, told to the control plane.
import type { Logger } from '../../core/log/index.ts';
import type { HostFigures, Target } from '../../core/protocol/index.ts';
import type { SnapshotReason } from '../../core/versions/index.ts';

type Row = HostFigures['snapshots']['fallen'][number];

/** Versions that are told of at once; the first go first. */
const MAX_ROWS = 200;
const MAX_LOGGED = 10_000;

export class FallBacks {
  readonly #logger: Logger;
  readonly #counts: Record<string, number> = {};
  readonly #rows = new Map<string, Row>();
  readonly #logged = new Set<string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Times that a version was loaded without its snapshot, by reason. */
  get counts(): Readonly<Record<string, number>> {
    return this.#counts;
  }

  /** Those since the last call. */
  takeRows(): Row[] {
    const rows = [...this.#rows.values()];
    this.#rows.clear();
    return rows;
  }

  add(target: Target, sha256: string, reason: SnapshotReason): void {
    this.#counts[reason] = (this.#counts[reason] ?? 0) + 1;
    const { function: fn, version, digest } = target;
    const key = `${fn}@${version} ${sha256} ${reason}`;
    if (!this.#logged.has(key)) this.#logger.warn({ function: fn, version, digest, reason }, 'a version snapshot is not used: the module is evaluated');
    if (this.#logged.size >= MAX_LOGGED) this.#logged.clear();
    this.#logged.add(key);
    this.#rows.set(key, { function: fn, version, digest, sha256, reason });
    for (const oldest of this.#rows.keys()) {
      if (this.#rows.size <= MAX_ROWS) break;
      this.#rows.delete(oldest);
    }
  }
}
