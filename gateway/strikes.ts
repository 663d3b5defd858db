// The ledger of strikes: who took one and for what, what became of it, and who hears of it. In memory: a gateway that restarts begins clean.
import { kindOfGroup } from '../core/config/index.ts';
import type { DeathCause } from '../core/config/index.ts';
import type { ErrorCode } from '../core/errors/index.ts';
import type { Logger } from '../core/log/index.ts';
import type { StandingChange, StandingFigures, StrikeReason } from '../core/protocol/index.ts';
import type { Exchange } from './exchange.ts';
import type { Explanations } from './explanations.ts';
import type { FunctionGate } from './function-gate.ts';
import type { Failure } from './problem-answer.ts';
import { PENALTY_RUNG, STRIKES, Standing } from './standing.ts';
import type { Change } from './standing.ts';

export interface StrikesOptions {
  readonly logger: Logger;
  /** Writes into functions' own logs. */
  readonly explanations: Explanations;
  /** The function was quarantined, or runs on other hosts from now on: what hosts have not begun for it shall come back. */
  readonly recall: (gate: FunctionGate, exceptId: number) => void;
  /** Whether this is still the gate of a function that exists. */
  readonly present: (gate: FunctionGate) => boolean;
  /** There are no penalty hosts. Default false. */
  readonly lastResort?: boolean;
  /** Default: performance.now. */
  readonly now?: () => number;
}

/** Functions in one report; those that are quarantined or on penalty hosts come first. */
const MAX_REPORTED = 1_000;

/** Whether a failure that a host reports means that an isolate died of this invocation. What the caller can bring about at no cost to others is none. */
export function strikeReason(code: string, params: Readonly<Record<string, unknown>> | null): StrikeReason | undefined {
  if (code === 'cpu_limit_exceeded' || code === 'memory_limit_exceeded') return code;
  // Not what the handler threw: the module itself cannot start, and each attempt costs an isolate.
  return code === 'function_threw' && params?.['start'] === true ? 'start' : undefined;
}

export class Strikes {
  readonly #options: StrikesOptions;
  readonly #now: () => number;
  /** Functions that something is held against. */
  readonly #gates = new Set<FunctionGate>();
  readonly #strikes: Partial<Record<StrikeReason, number>> = {};
  readonly #changes: Partial<Record<StandingChange, number>> = {};

  constructor(options: StrikesOptions) {
    this.#options = options;
    this.#now = options.now ?? ((): number => performance.now());
  }

  /** The refusal at the door of a function that something is held against; undefined: it may come in. */
  refusal(standing: Standing, nowMs: number): { readonly failure: Failure; readonly retryAfterS: number } | undefined {
    return standing.refuses(nowMs) ? this.#refusal(standing, nowMs) : undefined;
  }

  /** The refusal of a request that was admitted before the quarantine began; undefined: it may go to a host. */
  blocked(standing: Standing, id: number): { readonly failure: Failure; readonly retryAfterS: number } | undefined {
    return standing.blocks(id) ? this.#refusal(standing, this.#now()) : undefined;
  }

  /** A request of such a function has come in. */
  entered(standing: Standing, exchange: Exchange): void {
    if (!standing.entered(exchange.id, this.#now())) return;
    const { function: name, version } = exchange.target.frame;
    this.#count('probed');
    this.#options.logger.info({ function: name, version, request: exchange.requestId, probes: standing.probes }, 'a quarantined function is probed');
  }

  /** A request of such a function is over. */
  left(standing: Standing, exchange: Exchange): void {
    if (standing.left(exchange.id, exchange.cpuUs > 0, this.#now()) === 'released') this.#tell(exchange, standing, 'released', 'info', 'out of quarantine: a request ran and was not killed');
  }

  /** A host reports that an isolate died of this invocation. */
  killed(exchange: Exchange, reason: StrikeReason): void {
    const standing = this.#struck(exchange, reason);
    this.#apply(exchange, standing, standing.killed(exchange.id, this.#now()));
  }

  /** The invocation was on the thread of a host when that died. */
  killedHost(exchange: Exchange, cause: DeathCause): void {
    const standing = this.#struck(exchange, 'host_lost', cause);
    // A kill from outside may have hit anyone, and so may one silence: they raise suspicion, no more.
    if (cause === 'outside' || (cause === 'silent' && !standing.suspected(this.#now()))) {
      this.#apply(exchange, standing, standing.killed(exchange.id, this.#now()));
      return;
    }
    if (this.#options.lastResort === true) {
      this.#apply(exchange, standing, standing.killed(exchange.id, this.#now(), STRIKES, PENALTY_RUNG));
      return;
    }
    const onPenaltyHost = exchange.link !== null && kindOfGroup(exchange.link.group) === 'penalty';
    for (const change of standing.killedHost(exchange.id, this.#now(), onPenaltyHost)) this.#apply(exchange, standing, change);
  }

  /** Other code or other limits of the function run from now on. */
  changed(gate: FunctionGate): void {
    const { standing } = gate;
    if (standing === null) return;
    standing.changed(this.#now());
    if (!standing.quarantined && !standing.penalised) return;
    this.#count('changed');
    this.#options.logger.info({ function: gate.name, quarantined: standing.quarantined, penalised: standing.penalised }, 'a function was changed: its next request shows whether it is better');
  }

  /** An operator's word. @returns whether anything was held against the function */
  pardon(gate: FunctionGate): boolean {
    const { standing } = gate;
    if (standing === null) return false;
    this.#forget(gate);
    this.#count('pardoned');
    this.#options.logger.info({ function: gate.name, strikes: standing.total, quarantined: standing.quarantined, penalised: standing.penalised }, 'a function is pardoned');
    this.#options.explanations.tell(gate.name, 0, '', 'info', 'pardoned by an operator: nothing is held against the function any more');
    return true;
  }

  /** What has passed by itself. Called now and then. */
  review(): void {
    const now = this.#now();
    for (const gate of this.#gates) {
      const { standing } = gate;
      if (standing === null || !this.#options.present(gate)) {
        this.#forget(gate);
        continue;
      }
      if (standing.review(now) === 'returned') {
        this.#count('returned');
        this.#options.logger.info({ function: gate.name }, 'a function is back from penalty hosts');
        this.#options.explanations.tell(gate.name, 0, '', 'info', 'back on ordinary hosts: no host was lost for the whole term');
      }
      if (standing.goodAt(now)) this.#forget(gate);
    }
  }

  /** The present state, for the control plane. Counts grow until the gateway ends. */
  figures(): StandingFigures {
    const now = this.#now();
    const offset = Date.now() - now;
    const at = (ms: number): number => Math.max(0, Math.round(ms + offset));
    const functions = [...this.#gates].flatMap((gate) => (gate.standing === null ? [] : [{ name: gate.name, standing: gate.standing }]));
    const urgency = ({ quarantined, penalised }: Standing): number => (quarantined ? 2 : 0) + (penalised ? 1 : 0);
    if (functions.length > MAX_REPORTED) functions.sort((a, b) => urgency(b.standing) - urgency(a.standing));
    return {
      strikes: { ...this.#strikes },
      changes: { ...this.#changes },
      quarantined: functions.filter(({ standing }) => standing.quarantined).length,
      penalised: functions.filter(({ standing }) => standing.penalised).length,
      functions: functions.slice(0, MAX_REPORTED).map(({ name, standing: s }) => ({
        function: name,
        quarantined: s.quarantined,
        strikes: s.strikesAt(now),
        total: s.total,
        quarantines: s.quarantines,
        probes: s.probes,
        probeAtMs: s.quarantined ? at(s.probeDueMs) : null,
        penaltySinceMs: s.penalised ? at(s.penaltySinceMs) : null,
        penaltyUntilMs: s.penalised ? at(s.penaltyUntilMs) : null,
        reason: s.lastCode,
        version: s.lastVersion,
        atMs: at(s.lastAtMs),
      })),
    };
  }

  #struck(exchange: Exchange, reason: StrikeReason, cause?: DeathCause): Standing {
    const { gate } = exchange.route;
    const standing = (gate.standing ??= new Standing());
    this.#gates.add(gate);
    const { function: name, version } = exchange.target.frame;
    standing.lastCode = reason;
    standing.lastVersion = version;
    standing.lastAtMs = this.#now();
    this.#strikes[reason] = (this.#strikes[reason] ?? 0) + 1;
    // While it is quarantined only the probe counts; what was under way before is no news.
    if (!standing.quarantined || reason === 'host_lost') {
      this.#options.logger.warn({ function: name, version, request: exchange.requestId, reason, ...(cause === undefined ? {} : { cause, host: exchange.link?.name }), strikes: standing.total }, 'a function takes a strike');
    }
    return standing;
  }

  #apply(exchange: Exchange, standing: Standing, change: Change): void {
    if (change === undefined) return;
    if (change === 'quarantined') {
      const waitS = Math.ceil((standing.probeDueMs - this.#now()) / 1_000);
      this.#tell(exchange, standing, change, 'error', `quarantined after ${standing.total} strikes, the last for ${standing.lastCode}: requests get 503, and one is let through after ${waitS} s`);
    } else if (change === 'penalised') {
      this.#tell(exchange, standing, change, 'error', 'runs on penalty hosts from now on: it has killed its host');
    }
    this.#options.recall(exchange.route.gate, exchange.id);
  }

  #tell(exchange: Exchange, standing: Standing, change: NonNullable<Change>, level: 'error' | 'info', text: string): void {
    const { function: name, version } = exchange.target.frame;
    this.#count(change);
    const line = { function: name, version, request: exchange.requestId, change, reason: standing.lastCode, strikes: standing.total };
    this.#options.logger[level === 'error' ? 'warn' : 'info'](line, text);
    this.#options.explanations.tell(name, version, exchange.requestId, level, text);
  }

  #count(change: StandingChange): void {
    this.#changes[change] = (this.#changes[change] ?? 0) + 1;
  }

  #forget(gate: FunctionGate): void {
    gate.standing = null;
    this.#gates.delete(gate);
  }

  #refusal(standing: Standing, nowMs: number): { readonly failure: { readonly code: ErrorCode; readonly params: Readonly<Record<string, unknown>> }; readonly retryAfterS: number } {
    const leftMs = Math.max(0, standing.probeDueMs - nowMs);
    return {
      failure: { code: 'quarantined', params: { strikes: standing.total, until: new Date(Date.now() + leftMs) } },
      retryAfterS: Math.max(1, Math.ceil(leftMs / 1_000)),
    };
  }
}
