// What a new version is judged by. Each gate looks at one figure, second by second.
import { LogHistogram } from '../../core/metrics/index.ts';
import type { Gates } from '../../core/schemas/index.ts';
import type { Second, SideFigures } from './seconds.ts';
import { FadingHistogram, Wager, slowSide, tolerated } from './statistics/index.ts';

export const GATES = ['error_rate', 'latency_p50', 'latency_p99', 'cpu', 'memory'] as const;
export type GateName = (typeof GATES)[number];

/** Figures of both sides in this step, null where there are none, and the most that the new version may have beside live. */
export interface GateFigures {
  readonly unit: 'share' | 'ms' | 'bytes';
  readonly canary: number | null;
  readonly live: number | null;
  readonly limit: number | null;
}

export interface Gate {
  readonly name: GateName;
  /** Part of the whole rollout's chance of a false alarm that is this gate's; 0: it does not test, it compares levels. */
  readonly share: number;
  /** Absent where `share` is 0. */
  readonly wager: Wager | undefined;
  /** A level above its limit for long enough. */
  readonly exceeded: boolean;
  /** Live before the rollout, or while nothing may be judged: only what is usual is learned. */
  learn(live: SideFigures): void;
  /** @param settled  false: the canary is still getting warm */
  judge(second: Second, settled: boolean): void;
  beginStep(): void;
  figures(): GateFigures;
}

/** Requests of live that must have been seen before anything is wagered: what is usual must be known first. */
const KNOWN_AT = 50;
const KEEP_PER_SECOND = 0.98;
const US_PER_MS = 1_000;
const MIB = 1_048_576;

/** The gates that are on, in the order of GATES. */
export function gatesOf({ errorRate, latency, cpu, memory }: Gates): Gate[] {
  const gates: Gate[] = [];
  if (errorRate !== null) gates.push(new ErrorGate(errorRate.maxIncrease));
  if (latency !== null) {
    const slackUs = latency.slackMs * US_PER_MS;
    const common = { figure: 'wallUs', slackUs } as const;
    // The margins keep what only the last bucket of the quantile tells apart from being a regression.
    if (latency.p50 !== null) gates.push(new QuantileGate({ name: 'latency_p50', share: 0.23, quantile: 0.5, margin: 0.02, maxIncrease: latency.p50.maxIncrease, ...common }));
    if (latency.p99 !== null) gates.push(new QuantileGate({ name: 'latency_p99', share: 0.17, quantile: 0.99, margin: 0.005, maxIncrease: latency.p99.maxIncrease, ...common }));
  }
  if (cpu !== null) gates.push(new QuantileGate({ name: 'cpu', share: 0.1, quantile: 0.5, margin: 0.02, figure: 'cpuUs', maxIncrease: cpu.maxIncrease, slackUs: cpu.slackMs * US_PER_MS }));
  if (memory !== null) gates.push(new MemoryGate(memory.maxIncrease, memory.slackMb * MIB));
  return gates;
}

/** Failed requests; judged from the first second on. */
class ErrorGate implements Gate {
  readonly name = 'error_rate';
  readonly share = 0.5;
  readonly exceeded = false;
  readonly wager: Wager;
  readonly #maxIncrease: number;
  #seen = 0;
  #failed = 0;
  #canary = { n: 0, bad: 0 };
  #live = { n: 0, bad: 0 };

  constructor(maxIncrease: number) {
    this.#maxIncrease = maxIncrease;
    this.wager = new Wager(maxIncrease);
  }

  learn({ requests, failed }: SideFigures): void {
    this.#seen = this.#seen * KEEP_PER_SECOND + requests;
    this.#failed = this.#failed * KEEP_PER_SECOND + failed;
  }

  judge({ canary, live }: Second): void {
    // Half a failure in one request more than was seen: what never failed may.
    const expected = (this.#failed + 0.5) / (this.#seen + 1);
    const sides = [canary, live].map(({ requests, failed }) => ({ n: requests, bad: Math.min(failed, requests) }));
    const [ofCanary, ofLive] = sides;
    if (ofCanary === undefined || ofLive === undefined) return;
    if (this.#seen >= KNOWN_AT) this.wager.add(ofCanary, ofLive, expected);
    this.#canary = plus(this.#canary, ofCanary);
    this.#live = plus(this.#live, ofLive);
    this.learn(live);
  }

  beginStep(): void {
    this.wager.raise();
    this.#canary = { n: 0, bad: 0 };
    this.#live = { n: 0, bad: 0 };
  }

  figures(): GateFigures {
    const share = ({ n, bad }: { readonly n: number; readonly bad: number }): number | null => (n === 0 ? null : bad / n);
    const live = share(this.#live);
    return { unit: 'share', canary: share(this.#canary), live, limit: live === null ? null : Math.min(1, live + this.#maxIncrease) };
  }
}

interface QuantileGateOptions {
  readonly name: GateName;
  readonly share: number;
  readonly quantile: number;
  /** How many more of the canary's requests may be above the bound, as a share of all. */
  readonly margin: number;
  readonly figure: 'wallUs' | 'cpuUs';
  readonly maxIncrease: number;
  readonly slackUs: number;
}

/**
 * A quantile of a time, tested as a share: of the canary's requests no more may be above the tolerated bound than of live's are above live's own
 * quantile. The bound is taken from the past, so it is known before the second that it is applied to.
 */
class QuantileGate implements Gate {
  readonly name: GateName;
  readonly share: number;
  readonly exceeded = false;
  readonly wager: Wager;
  readonly #options: QuantileGateOptions;
  readonly #usual = new FadingHistogram();
  readonly #canary = new LogHistogram();
  readonly #live = new LogHistogram();

  constructor(options: QuantileGateOptions) {
    this.name = options.name;
    this.share = options.share;
    this.#options = options;
    this.wager = new Wager(options.margin);
  }

  learn(live: SideFigures): void {
    this.#usual.add(live[this.#options.figure]);
  }

  judge({ canary, live }: Second, settled: boolean): void {
    const { figure, quantile, maxIncrease, slackUs } = this.#options;
    if (settled) {
      if (this.#usual.total >= KNOWN_AT) {
        const bucket = this.#usual.bucketOf(quantile);
        // A canary has fewer requests for each isolate that must start: its cold starts are left out, live's are not.
        const ofCanary = slowSide(canary[figure], tolerated(bucket, maxIncrease, slackUs), canary.coldStarts);
        this.wager.add(ofCanary, slowSide(live[figure], bucket), this.#usual.shareAbove(bucket));
      }
      this.#canary.addPairs(canary[figure]);
      this.#live.addPairs(live[figure]);
    }
    this.learn(live);
  }

  beginStep(): void {
    this.wager.raise();
    this.#canary.clear();
    this.#live.clear();
  }

  figures(): GateFigures {
    const { quantile, maxIncrease, slackUs } = this.#options;
    const ms = (histogram: LogHistogram): number | null => (histogram.total === 0 ? null : Math.round(histogram.quantile(quantile)) / US_PER_MS);
    const live = ms(this.#live);
    return { unit: 'ms', canary: ms(this.#canary), live, limit: live === null ? null : Math.round(Math.max(live * (1 + maxIncrease), live + slackUs / US_PER_MS) * US_PER_MS) / US_PER_MS };
  }
}

/** Seconds in a row above the limit: one garbage collection more or less is no verdict. */
const SECONDS_ABOVE = 10;

/** Memory of an isolate is a level that moves slowly, not a sample of independent requests: no test of chance fits it, so it is held against a limit far away. */
class MemoryGate implements Gate {
  readonly name = 'memory';
  readonly share = 0;
  readonly wager = undefined;
  readonly #maxIncrease: number;
  readonly #slackBytes: number;
  #above = 0;
  #canary: number | null = null;
  #live: number | null = null;

  constructor(maxIncrease: number, slackBytes: number) {
    this.#maxIncrease = maxIncrease;
    this.#slackBytes = slackBytes;
  }

  get exceeded(): boolean {
    return this.#above >= SECONDS_ABOVE;
  }

  learn(): void {
    // Nothing: it compares the present only.
  }

  judge({ canary, live }: Second, settled: boolean): void {
    this.#canary = canary.isolates > 0 ? canary.memoryBytes / canary.isolates : null;
    this.#live = live.isolates > 0 ? live.memoryBytes / live.isolates : null;
    const { limit } = this.figures();
    this.#above = settled && limit !== null && this.#canary !== null && this.#canary > limit ? this.#above + 1 : 0;
  }

  beginStep(): void {
    this.#above = 0;
  }

  figures(): GateFigures {
    const live = this.#live;
    return { unit: 'bytes', canary: this.#canary, live, limit: live === null ? null : Math.max(live * (1 + this.#maxIncrease), live + this.#slackBytes) };
  }
}

function plus(a: { readonly n: number; readonly bad: number }, b: { readonly n: number; readonly bad: number }): { n: number; bad: number } {
  return { n: a.n + b.n, bad: a.bad + b.bad };
}
