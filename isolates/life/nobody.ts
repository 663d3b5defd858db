// The start of an isolate that no caller waits for: an invocation like any other, whose answers go nowhere.
import { Invocation } from '../invocation.ts';
import type { Caller } from '../invocation.ts';
import type { TargetState } from '../targets.ts';

/** Its epoch in the journal is 0, which no gateway has: whoever reads it after a death blames no request. */
const NOBODY: Caller = { peer: undefined, backlogBytes: 0, sentBytes: 0, takenBytes: 0, send: () => {}, flush: () => {} };

export function startFor(state: TargetState): Invocation {
  return new Invocation(0, NOBODY, state, '@start', null, Number.POSITIVE_INFINITY);
}
