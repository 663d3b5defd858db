// A test that may be looked at after every second: wealth that can only grow, on average, where the canary is worse than live.
import { blockEvidence } from './two-sample.ts';
import type { Side } from './two-sample.ts';

/** Increases of the share that are wagered on, each about 2.5 times the one before: the true one is never far from one of them. Most goes on those in the middle: greater ones need no help. */
const EFFECTS = [
  { increase: 0.004, part: 0.1 },
  { increase: 0.01, part: 0.15 },
  { increase: 0.025, part: 0.25 },
  { increase: 0.06, part: 0.25 },
  { increase: 0.15, part: 0.15 },
  { increase: 0.4, part: 0.1 },
] as const;

/** Of what is still in hand: wagered when a canary gets its first requests, and when it gets more. */
const START_STAKE = 0.8;
const STEP_STAKE = 0.25;
/** Seconds: in second k another `1 / (k + LATE)` of what is in hand is wagered, for canaries that go bad late. */
const LATE = 30;

/** Shares of 0 and 1 can't be wagered on: one surprise would be infinitely strong. */
const EDGE = 0.000_1;

/** Logarithms of the most that is won in a second and in all: far beyond what decides, and below what a number can't hold. */
const MOST_OF_SECOND = 100;
const MOST = 600;

/**
 * Testing by betting (Shafer 2021; Waudby-Smith and Ramdas 2024): wealth starts at 1, is wagered on what the next second will show, and is
 * multiplied by that second's e-value. While the null hypothesis holds, wealth is a supermartingale of non-negative values, so the chance
 * that it ever reaches 1/α is at most α, however often it is looked at (Ville 1939).
 *
 * Several increases are wagered on at once (a mixture), and a part stays in hand for later: a canary that was good for an hour has used up
 * the early wagers, not the late ones. Both are choices made before the second that they are about, which is all that the bound asks for.
 */
export class Wager {
  readonly #margin: number;
  readonly #staked: number[] = EFFECTS.map(() => 0);
  #inHand = 1;
  #seconds = 0;
  /** By how much wealth grew in the two seconds in which it grew most; the greater first. */
  #best: readonly [number, number] = [1, 1];

  /** @param margin  by how much the canary's share of bad requests may be above live's; 0 to 1 */
  constructor(margin: number) {
    this.#margin = margin;
  }

  /** 1 at the start. */
  get wealth(): number {
    return this.#inHand + this.#staked.reduce((sum, one) => sum + one, 0);
  }

  /**
   * What wealth would be without the two seconds that it won most in. A burst that is nobody's fault (a host that died, with all that ran on it)
   * lies in one or two: where it is all that speaks against a canary, this stays below 1.
   */
  get steady(): number {
    return this.wealth / (this.#best[0] * this.#best[1]);
  }

  /** The canary is about to get more requests. */
  raise(): void {
    this.#stake(this.#seconds === 0 ? START_STAKE : STEP_STAKE);
  }

  /**
   * One second of both sides.
   *
   * @param expected  live's share of bad requests, by what was known before this second
   */
  add(canary: Side, live: Side, expected: number): void {
    this.#seconds += 1;
    this.#stake(1 / (this.#seconds + LATE));
    if (canary.n === 0 || live.n === 0) return;
    const before = this.wealth;
    const base = Math.min(Math.max(expected, EDGE), 1 - 2 * EDGE);
    for (const [index, { increase }] of EFFECTS.entries()) {
      const alternative = { canary: Math.min(base + increase, 1 - EDGE), live: base };
      const won = Math.exp(Math.min(blockEvidence(canary, live, alternative, this.#margin), MOST_OF_SECOND));
      this.#staked[index] = Math.min((this.#staked[index] ?? 0) * won, Math.exp(MOST));
    }
    const growth = this.wealth / before;
    const [first, second] = this.#best;
    if (growth > first) this.#best = [growth, first];
    else if (growth > second) this.#best = [first, growth];
  }

  #stake(share: number): void {
    const amount = this.#inHand * share;
    this.#inHand -= amount;
    for (const [index, staked] of this.#staked.entries()) this.#staked[index] = staked + amount * (EFFECTS[index]?.part ?? 0);
  }
}
