// A repeated request on its way: an exchange like any other, that is never replayed and remembers why it failed.
import type { ErrorCode } from '../../core/errors/index.ts';
import type { Dispatcher } from '../dispatcher.ts';
import { Exchange } from '../exchange.ts';
import { MAX_REPLAYS } from '../exchange-phase.ts';
import type { Fate, RequestInfo } from '../exchange-phase.ts';
import type { Failure } from '../problem-answer.ts';
import type { Route, VersionTarget } from '../route.ts';
import type { ClientResponse } from '../uws.ts';

/** Failures that say nothing about the version: it was not run, or another one's deeds ended it. */
const NOT_ITS_OWN: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['overloaded', 'unavailable', 'quarantined', 'isolate_lost', 'tenant_memory_exceeded', 'protocol_violation', 'internal']);

export class ShadowExchange extends Exchange {
  /** What the platform answered in the version's place; '': nothing. */
  failure: ErrorCode | '' = '';
  #killedHost = false;

  constructor(dispatcher: Dispatcher, request: RequestInfo, route: Route, target: VersionTarget, response: ClientResponse) {
    super(dispatcher, request, route, target, response);
    this.replays = MAX_REPLAYS;
    // Its failures are what is looked for: nothing stands in for them, and nothing of it is kept to be given to callers.
    this.isServed = false;
  }

  /** Whether the failure is the version's own. */
  get blamed(): boolean {
    return this.failure === 'host_lost' ? this.#killedHost : !NOT_ITS_OWN.has(this.failure as ErrorCode);
  }

  override fail(failure: Failure, detail?: string | null, hostOver?: boolean, retryAfterS?: number): void {
    if (this.failure === '') this.failure = failure.code;
    super.fail(failure, detail, hostOver, retryAfterS);
  }

  override onHostLost(fate: Fate): void {
    this.#killedHost = fate === 'onThread';
    super.onHostLost(fate);
  }
}
