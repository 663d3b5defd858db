// Budgets, deadlines and delays count on clocks that nobody sets: `Date.now()` jumps with the machine's time, and only stamps what people or HTTP read.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const DATA_PLANE = ['core', 'gateway', 'isolates', 'sidecar', 'supervisor'];

/** Files that may read the wall clock, and what for. */
const STAMPS: Readonly<Record<string, string>> = {
  'core/log/index.ts': 'time of a log line',
  'gateway/explanations.ts': 'time of a log row',
  'gateway/figure-clock.ts': 'which second figures are of',
  'gateway/shadow/shadows.ts': 'time of a listed difference',
  'gateway/route-file.ts': 'age of a file',
  'gateway/skew-pin.ts': 'ages of cookies, which outlive processes',
  'gateway/strikes.ts': 'times that are shown: until when a function rests',
  'isolates/log-sink.ts': 'time of a log row',
  'isolates/operations/clock-area.ts': 'Date of functions',
  'supervisor/log-output.ts': 'time of a log line',
  'sidecar/engine/tally.ts': 'time of a log row',
  'sidecar/clients/cache/cache-client.ts': 'freshness by HTTP dates (RFC 9111)',
  'sidecar/clients/cache/cache-store.ts': 'freshness by HTTP dates (RFC 9111)',
  'sidecar/clients/cache/freshness.ts': 'freshness by HTTP dates (RFC 9111)',
};
/** A call or a hand-over; a word in a comment is neither. */
const WALL_CLOCK = /\bDate\.now\b|\bnew Date\(\)/;

it('no budget, deadline or delay of the data plane reads the wall clock', () => {
  const found = DATA_PLANE.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      // What runs inside isolates has the function's own clock.
      .filter((file) => file.endsWith('.ts') && !file.startsWith('runtime/'))
      .map((file) => `${folder}/${file}`)
      .filter((file) => readFileSync(join(ROOT, file), 'utf8').split('\n').some((line) => WALL_CLOCK.test(line.replace(/\/\/.*|^\s*\/?\*.*/, '')))),
  );
  expect(found.filter((file) => STAMPS[file] === undefined)).toEqual([]);
});
