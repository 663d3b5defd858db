// Which version a request gets: rules first, then the weighted split. Made once for each change of a route; pure: the same key gets the same
// version on every gateway and after every restart.
import type { Condition, Traffic } from '../schemas/index.ts';
import { hash32 } from './hash.ts';
import { PLACES, PlaceIndex } from './places.ts';
import type { Places } from './places.ts';

/** What rules and stickiness may look at; read on demand, since most functions have no rule. */
export interface RequestFacts {
  /** @param name  in lower case */
  header(name: string): string | undefined;
  cookie(name: string): string | undefined;
  query(name: string): string | undefined;
  user(): string | undefined;
  /** A number in [0, 1): where an unsticky request falls in the split. */
  random(): number;
}

/** Longer keys are none: what a browser keeps of a cookie (RFC 6265 section 6.1), and 3 µs of hashing. */
export const MAX_KEY_CHARACTERS = 4_096;

const SPACE = 0x1_0000_0000;

type Test = (facts: RequestFacts) => boolean;
type Draw = (id: string) => number;
type Read = (facts: RequestFacts) => string | undefined;

/** Hashes an id once, though every rule of a function may ask. */
function drawOf(seed: number): Draw {
  let last = '';
  let hash = hash32(last, seed);
  return (id) => {
    if (id !== last) {
      last = id;
      hash = hash32(id, seed);
    }
    return hash;
  };
}

/** All tests of a condition, in the order in which they cost. */
function testsOf(condition: Condition, draw: Draw): Test[] {
  const tests: Test[] = [];
  for (const [name, value] of Object.entries(condition.header ?? {})) {
    const lower = name.toLowerCase();
    tests.push((facts) => facts.header(lower) === value);
  }
  for (const [name, value] of Object.entries(condition.cookie ?? {})) tests.push((facts) => facts.cookie(name) === value);
  for (const [name, value] of Object.entries(condition.query ?? {})) tests.push((facts) => facts.query(name) === value);
  if (condition.user !== undefined) tests.push(userTest(condition.user, draw));
  if (condition.all !== undefined) {
    for (const part of condition.all) tests.push(...testsOf(part, draw));
  }
  if (condition.any !== undefined) {
    const parts = condition.any.map((part) => compileCondition(part, draw));
    tests.push((facts) => parts.some((part) => part(facts)));
  }
  return tests;
}

function userTest(user: NonNullable<Condition['user']>, draw: Draw): Test {
  const among = user.in === undefined ? undefined : new Set(user.in);
  // As a share of all hashes: who is in at 10 % is in at 20 %.
  const below = user.percent === undefined ? undefined : (user.percent / 100) * SPACE;
  return (facts) => {
    const id = facts.user();
    if (id === undefined || id.length > MAX_KEY_CHARACTERS) return false;
    if (among !== undefined && !among.has(id)) return false;
    return below === undefined || draw(id) < below;
  };
}

function compileCondition(condition: Condition, draw: Draw): Test {
  const tests = testsOf(condition, draw);
  const [only] = tests;
  return tests.length === 1 && only !== undefined ? only : (facts) => tests.every((test) => test(facts));
}

function keyReader(sticky: string): Read {
  if (sticky === 'user') return (facts) => facts.user();
  const name = sticky.slice(sticky.indexOf(':') + 1);
  if (sticky.startsWith('cookie:')) return (facts) => facts.cookie(name);
  const lower = name.toLowerCase();
  return (facts) => facts.header(lower);
}

export class Choice {
  readonly #rules: readonly { readonly test: Test; readonly version: number }[];
  readonly #places: PlaceIndex;
  readonly #key: Read | undefined;
  readonly #seed: number;

  /**
   * @param places  of the split's versions; null: derived from the split
   * @param salt  the function's name, so that the same users are not always the first ones everywhere
   */
  constructor(traffic: Traffic, places: Places | null, salt: string) {
    // Two draws: who is in a share of users says nothing of where they fall in the split.
    const draw = drawOf(hash32(`${salt}/rule`, 0));
    this.#rules = traffic.rules.map(({ when, version }) => ({ test: compileCondition(when, draw), version }));
    this.#places = new PlaceIndex(places, traffic.split);
    this.#key = traffic.sticky === undefined ? undefined : keyReader(traffic.sticky);
    this.#seed = hash32(`${salt}/split`, 0);
  }

  /** The version for this request. */
  of(facts: RequestFacts): number {
    for (const { test, version } of this.#rules) {
      if (test(facts)) return version;
    }
    const key = this.#key?.(facts);
    if (key === undefined || key === '' || key.length > MAX_KEY_CHARACTERS) return this.#places.at(Math.floor(facts.random() * PLACES));
    // Below 2^46: exact.
    return this.#places.at(Math.floor((hash32(key, this.#seed) * PLACES) / SPACE));
  }
}

/** The version that every request gets, as the traffic alone tells; 0: rules or weights decide. */
export function onlyVersionOf(traffic: Traffic): number {
  return traffic.rules.length > 0 ? 0 : (traffic.split.find(({ weight }) => weight === 100)?.version ?? 0);
}
