// What an isolate says went wrong. The platform's own code says it, but in the tenant's heap, where `toJSON` of any object may be the
// tenant's: nothing is taken over that has not exactly the form of its code's parameters.
import { isErrorCode } from '../core/errors/index.ts';

type Params = Readonly<Record<string, unknown>> | null;

export interface GivenFailure {
  readonly code: string;
  readonly message: string;
  readonly stack: string;
  /** Parameters of the code (core/errors). */
  readonly params: Params;
}

/** Parameters as JSON, characters: the outcomes of a queue's batch are the longest. */
const MAX_PARAMS_CHARACTERS = 65_536;
const MAX_TEXT_CHARACTERS = 1_000;
const MAX_ITEMS = 1_000;

const clip = (value: unknown): string => (typeof value === 'string' ? value.slice(0, MAX_TEXT_CHARACTERS) : 'unknown');
const record = (value: unknown): Readonly<Record<string, unknown>> => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {});
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value.slice(0, MAX_ITEMS) : []);

/** Codes that the runtime may give, each with what is kept of its parameters; all others are for the host to decide. */
const KEPT: Readonly<Record<string, (params: Readonly<Record<string, unknown>>, message: string) => Params>> = {
  bad_response: (_params, message) => ({ why: message }),
  bad_request: ({ why }) => ({ why: clip(why) }),
  method_not_allowed: () => ({ allow: 'POST' }),
  no_route: () => null,
  invalid: ({ errors }) => ({ errors: list(errors).map((error) => ({ path: clip(record(error)['path']), message: clip(record(error)['message']) })) }),
  function_threw: ({ outcome }) => (outcome === undefined ? null : { outcome: keptOutcome(record(outcome)) }),
};

/** What a handler that threw has decided nevertheless: about its messages, or its repetition. */
function keptOutcome({ messages, retry }: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (typeof retry === 'boolean') return { retry };
  return {
    messages: list(messages).map((message) => {
      const { id, outcome, delaySeconds } = record(message);
      return { id: clip(id), outcome: outcome === 'ack' ? 'ack' : 'retry', ...(Number.isSafeInteger(delaySeconds) ? { delaySeconds } : {}) };
    }),
  };
}

/** @param params  JSON of an object, or '' for none */
export function givenFailure(code: unknown, message: unknown, stack: unknown, params: unknown): GivenFailure {
  const known = isErrorCode(code) && Object.hasOwn(KEPT, code) ? code : 'function_threw';
  const text = String(message);
  return { code: known, message: text, stack: String(stack), params: KEPT[known]?.(parsed(params), text) ?? null };
}

function parsed(text: unknown): Readonly<Record<string, unknown>> {
  if (typeof text !== 'string' || text === '' || text.length > MAX_PARAMS_CHARACTERS) return {};
  try {
    return record(JSON.parse(text));
  } catch {
    return {};
  }
}
