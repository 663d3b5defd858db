// Runs the tests of one upload, one invocation each, and says how each went.
import { randomToken } from '../../core/ids/index.ts';
import { z } from 'zod';
import type { GateError } from '../../core/schemas/index.ts';
import { Places } from './places.ts';
import type { Place } from './places.ts';
import type { TestAnswer, TestHost } from './test-host.ts';

const MAX_TESTS = 1_000;
const MAX_NAME_CHARACTERS = 1_024;
/** Evaluating the test files has a budget of CPU time of its own in the host; this is for what awaits. */
const LIST_MS = 10_000;

const described = z.object({ message: z.string().max(8_192), stack: z.string().max(16_384) });
const listed = z.object({ nonce: z.string(), tests: z.array(z.object({ name: z.string(), stack: z.string().max(16_384), wanted: z.boolean() })).max(MAX_TESTS) });
const ran = z.object({ nonce: z.string(), ms: z.number().optional(), error: described.optional() });

export interface TestItem extends Place {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly ms: number;
  readonly cpuMs: number;
}

export interface TestOutcome {
  readonly items: readonly TestItem[];
  readonly errors: readonly GateError[];
}

export interface TestRunOptions {
  readonly host: Pick<TestHost, 'invoke'>;
  /** Of the tests' bundle. */
  readonly target: number;
  readonly filename: string;
  readonly map: string;
  /** Limit of one test, from the function's `limits.wallMs`. */
  readonly wallMs: number;
  /** `performance.now()` at which the run is over. */
  readonly untilMs: number;
}

/** Never rejects for anything that a test does. */
export async function runTests(options: TestRunOptions): Promise<TestOutcome> {
  const { host, target, filename, map, untilMs } = options;
  const places = new Places(filename, map);
  // What answers must have read the order: an answer without this word was not made for it.
  const nonce = randomToken(16);
  const ask = (run: number | null, wallMs: number): Promise<TestAnswer> => host.invoke(target, JSON.stringify({ nonce, run }), Math.max(1, Math.min(wallMs, untilMs - performance.now())));
  const list = await ask(null, LIST_MS);
  const found = listed.safeParse(parsed(list));
  if (!found.success || found.data.nonce !== nonce) {
    return { items: [], errors: [failure('(collecting)', list.code === null ? 'the test files did not answer with their tests' : `the test files could not be evaluated: ${explain(list)}`, list.detail, places)] };
  }
  const items: TestItem[] = [];
  const errors: GateError[] = [];
  let wanted = 0;
  for (const [index, test] of found.data.tests.entries()) {
    const name = test.name.slice(0, MAX_NAME_CHARACTERS);
    const { place } = places.read(test.stack);
    if (!test.wanted) {
      items.push({ name, outcome: 'skipped', ms: 0, cpuMs: 0, ...place });
      continue;
    }
    wanted += 1;
    const startedMs = performance.now();
    const late = startedMs >= untilMs;
    const answer: TestAnswer = late ? { status: 0, code: 'wall_limit_exceeded', detail: '', body: '', cpuUs: 0 } : await ask(index, options.wallMs);
    const result = ran.safeParse(parsed(answer));
    const passed = result.success && result.data.nonce === nonce && result.data.error === undefined;
    items.push({ name, outcome: passed ? 'passed' : 'failed', ms: rounded(performance.now() - startedMs), cpuMs: rounded(answer.cpuUs / 1_000), ...place });
    if (passed) continue;
    const thrown = result.success ? result.data.error : undefined;
    const message = thrown?.message ?? (late ? 'the tests took too long in all' : answer.code === null ? 'the test did not answer as tests do' : explain(answer));
    errors.push({ ...failure(name, message, thrown?.stack ?? answer.detail, places, place) });
  }
  // Files that declare nothing would pass everything.
  if (wanted === 0) errors.push({ gate: 'tests', name: '(none)', message: 'tests were named, but none ran' });
  return { items, errors };
}

function failure(name: string, message: string, stack: string, places: Places, declared: Place = {}): GateError {
  const read = places.read(stack);
  const place = read.place.file === undefined ? declared : read.place;
  return { gate: 'tests', name, message, ...place, ...(stack === '' ? undefined : { stack: read.stack }) };
}

/** What a code of the platform means for a test. */
function explain({ code, detail }: TestAnswer): string {
  const [first = ''] = detail.split('\n', 1);
  switch (code) {
    case 'host_lost':
      return 'host_lost: the process that ran the tests ended';
    case 'wall_limit_exceeded':
      return 'wall_limit_exceeded: it did not end in time';
    default:
      return `${code ?? ''}${first === '' ? '' : `: ${first}`}`;
  }
}

function parsed({ status, body }: TestAnswer): unknown {
  if (status !== 200) return undefined;
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

const rounded = (ms: number): number => Math.round(ms * 1_000) / 1_000;
