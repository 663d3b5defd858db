// `ctx` of a business function: who asks, trace, log, deadline. Nothing of HTTP. Its type for authors: types/context.d.ts.
import { MAX_FIELDS_CHARACTERS, SHAPES } from '../../abi-shapes.ts';
import { op } from '../../host.guest.ts';
import { invocationOf } from '../../invocation.guest.ts';
import type { ExecutionContext } from '../../invocation.guest.ts';
import { JSONStringify, NativeString, ObjectFreeze, StringPrototypeSlice, StringPrototypeSplit } from '../../primordials.guest.ts';
import type { Request } from '../../request.guest.ts';
import { deadlineOf, remainingOf } from './about.guest.ts';

const decode = decodeURIComponent;

interface Trace { readonly traceparent: string; readonly traceId: string; readonly spanId: string }
interface Deadline { readonly epochMs: number; remainingMs(): number }
type LogMethod = (message: unknown, fields?: unknown) => void;
interface Logger { readonly debug: LogMethod; readonly info: LogMethod; readonly warn: LogMethod; readonly error: LogMethod }

export class BusinessContext {
  readonly #ctx: ExecutionContext;
  readonly #request: Request;
  #deadline: Deadline | undefined;
  readonly user: string | null;
  readonly trace: Trace;
  readonly env: Readonly<Record<string, string>>;
  readonly logger: Logger;

  constructor(ctx: ExecutionContext, env: Readonly<Record<string, string>>, request: Request, traceparent: string, user: string) {
    this.#ctx = ctx;
    this.#request = request;
    this.env = env;
    this.user = user === '' ? null : decode(user);
    this.trace = traceOf(traceparent);
    const id = invocationOf(ctx);
    const at = (level: string): LogMethod => (message, fields) => void op(SHAPES.log, id, level, NativeString(message), fieldsText(fields));
    this.logger = ObjectFreeze({ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') });
  }

  get deadline(): Deadline {
    const ctx = this.#ctx;
    return (this.#deadline ??= ObjectFreeze({ epochMs: deadlineOf(ctx), remainingMs: () => remainingOf(ctx) }));
  }

  /** Aborts when the caller went away or the wall limit struck. */
  get signal(): unknown {
    return this.#request.signal;
  }

  waitUntil(promise: unknown): void {
    this.#ctx.waitUntil(promise);
  }
}

/** https://www.w3.org/TR/trace-context/#traceparent-header */
function traceOf(traceparent: string): Trace {
  const parts = StringPrototypeSplit(traceparent, '-');
  return ObjectFreeze({ traceparent, traceId: parts[1] ?? '', spanId: parts[2] ?? '' });
}

function fieldsText(fields: unknown): string {
  if (fields === undefined || fields === null) return '';
  try {
    const text = JSONStringify(fields) ?? '';
    return text.length <= MAX_FIELDS_CHARACTERS ? text : JSONStringify({ truncated: StringPrototypeSlice(text, 0, MAX_FIELDS_CHARACTERS) });
  } catch {
    // A log line must never fail the call that writes it.
    return '{"unserialisable":true}';
  }
}
