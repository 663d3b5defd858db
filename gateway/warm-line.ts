// What one host is asked to keep warm: one start at a time, so that a host that dies at it says which version it was.
import type { Target } from '../core/protocol/index.ts';

/** The connection of a host, as far as warm isolates are concerned. */
export interface WarmHost {
  readonly name: string;
  /** Tells the host of a target that no invocation will name. @returns its number */
  nameTarget(target: Target): number;
  forgetTarget(number: number): void;
  sendWarm(number: number, isolates: number): void;
}

/** An isolate of one version that one host is asked to keep. */
export interface Hold {
  readonly target: Target;
  /** Equal for equal targets. */
  readonly key: string;
  /** Called once: whether there is an isolate. */
  readonly onAnswer: (alive: boolean) => void;
}

/** A host that does not answer is not waited for: evaluating a module may take a second of CPU time. */
const ANSWER_MS = 5_000;
/** A version with which so many hosts have died is called before it is started again. */
const MAX_DEATHS = 2;
/** Versions remembered so. */
const MAX_SUSPECTS = 1_000;

/** Versions during whose start a host died. */
export class Suspects {
  readonly #deaths = new Map<string, number>();

  refuses(key: string): boolean {
    return (this.#deaths.get(key) ?? 0) >= MAX_DEATHS;
  }

  died(key: string): void {
    const deaths = (this.#deaths.get(key) ?? 0) + 1;
    this.#deaths.delete(key);
    this.#deaths.set(key, deaths);
    const [oldest] = this.#deaths.keys();
    if (this.#deaths.size > MAX_SUSPECTS && oldest !== undefined) this.#deaths.delete(oldest);
  }
}

interface Pending {
  readonly hold: Hold;
  readonly number: number;
  readonly timer: NodeJS.Timeout;
}

export class WarmLine {
  readonly #host: WarmHost;
  readonly #suspects: Suspects;
  /** Told to the host, by their number there. */
  readonly #held = new Map<Hold, number>();
  readonly #waiting = new Set<Hold>();
  #pending: Pending | undefined;
  #closed = false;

  constructor(host: WarmHost, suspects: Suspects) {
    this.#host = host;
    this.#suspects = suspects;
  }

  /** Holds that the host has, or will have. */
  get size(): number {
    return this.#held.size + this.#waiting.size;
  }

  /** @param soon  before those that wait */
  add(hold: Hold, soon: boolean): void {
    if (this.#closed || this.#suspects.refuses(hold.key)) {
      hold.onAnswer(false);
      return;
    }
    const behind = soon ? [...this.#waiting] : [];
    for (const one of behind) this.#waiting.delete(one);
    this.#waiting.add(hold);
    for (const one of behind) this.#waiting.add(one);
    this.#next();
  }

  /** The isolate is one like any other from now on. */
  remove(hold: Hold): void {
    if (this.#waiting.delete(hold)) return;
    const number = this.#held.get(hold);
    if (number === undefined) return;
    this.#held.delete(hold);
    if (!this.#closed) this.#host.forgetTarget(number);
  }

  /** The host's answer. */
  answered(number: number, isolates: number): void {
    if (this.#pending?.number === number) this.#settle(isolates > 0);
  }

  /** The host is gone. @param died  not by its own wish */
  close(died: boolean): void {
    if (this.#closed) return;
    this.#closed = true;
    if (died && this.#pending !== undefined) this.#suspects.died(this.#pending.hold.key);
    if (this.#pending !== undefined) this.#settle(false);
    for (const hold of this.#waiting) hold.onAnswer(false);
    this.#waiting.clear();
    this.#held.clear();
  }

  #settle(alive: boolean): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    clearTimeout(pending.timer);
    this.#pending = undefined;
    pending.hold.onAnswer(alive);
    this.#next();
  }

  #next(): void {
    if (this.#pending !== undefined || this.#closed) return;
    const [hold] = this.#waiting;
    if (hold === undefined) return;
    this.#waiting.delete(hold);
    const number = this.#host.nameTarget(hold.target);
    this.#held.set(hold, number);
    const timer = setTimeout(() => this.#settle(false), ANSWER_MS);
    timer.unref();
    this.#pending = { hold, number, timer };
    this.#host.sendWarm(number, 1);
  }
}
