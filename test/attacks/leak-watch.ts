// Whether processes keep something of each repetition: memory, descriptors, threads, measured between windows of repetitions.
import { setTimeout as sleep } from 'node:timers/promises';
import { allFigures } from './process-figures.ts';
import type { ProcessFigures } from './process-figures.ts';
import type { Stand } from './stand.ts';

/**
 * Growth over a window that is looked at again, MB. A heap that is collected when it likes sways by this much; one leaked isolate for each of
 * eighty repetitions is more than 80 MB, one request's body or buffer of 1 MB as well.
 */
const SWAY_MB = { host: 40, other: 24 } as const;
/** Descriptors and threads of connections and pools that come and go. */
const SWAY_COUNT = 12;
/** Of the repetitions, those before the first look: caches fill, code is compiled, pools reach their size. */
const WARM_UP = 0.2;
/** Collections and closing sockets have so long, milliseconds. */
const SETTLE_MS = 1_500;

type All = Readonly<Record<string, ProcessFigures & { readonly pid: number }>>;

export class LeakWatch {
  readonly #stand: Stand;
  readonly #repeats: number;
  /** What grew, in words; empty when nothing did. */
  found: readonly string[] = [];

  constructor(stand: Stand, repeats: number) {
    this.#stand = stand;
    this.#repeats = repeats;
  }

  /** Warm-up, a window, and a second one if the first shows growth: what stays flat then was no leak. */
  async run(once: (n: number) => Promise<void>): Promise<void> {
    const warmUp = Math.ceil(this.#repeats * WARM_UP);
    for (let n = 0; n < warmUp; n++) await once(n);
    const first = await this.#look();
    for (let n = warmUp; n < this.#repeats; n++) await once(n);
    const second = await this.#look();
    if (grown(first, second).length === 0) return;
    for (let n = warmUp; n < this.#repeats; n++) await once(n);
    this.found = grown(second, await this.#look());
  }

  async #look(): Promise<All> {
    await sleep(SETTLE_MS);
    return allFigures(await this.#stand.pids());
  }
}

/** Processes that lived through the whole window and hold more at its end. */
export function grown(before: All, after: All): string[] {
  return Object.entries(after).flatMap(([name, now]) => {
    const then = before[name];
    if (then === undefined || then.pid !== now.pid) return [];
    const allowedMb = name.startsWith('host') ? SWAY_MB.host : SWAY_MB.other;
    return [
      ...(now.ownMb - then.ownMb > allowedMb ? [`${name}: ${then.ownMb.toFixed(1)} to ${now.ownMb.toFixed(1)} MB`] : []),
      ...(now.descriptors - then.descriptors > SWAY_COUNT ? [`${name}: ${then.descriptors} to ${now.descriptors} descriptors`] : []),
      ...(now.threads - then.threads > SWAY_COUNT ? [`${name}: ${then.threads} to ${now.threads} threads`] : []),
    ];
  });
}
