// The one error class: a code of the table, its parameters, and a cause that never leaves the node.
import { ERRORS } from './table.ts';
import type { ErrorCode, ErrorParams, ErrorSpec } from './table.ts';

type Args<C extends ErrorCode> = ErrorParams<C> extends undefined
  ? [params?: undefined, options?: { readonly cause?: unknown }]
  : [params: ErrorParams<C>, options?: { readonly cause?: unknown }];

/** A named failure. Callers branch on `code`: prototypes do not survive sockets and isolates. */
export class PlatformError<C extends ErrorCode = ErrorCode> extends Error {
  readonly code: C;
  readonly params: ErrorParams<C>;

  constructor(code: C, ...[params, options]: Args<C>) {
    super(describe(code, params as ErrorParams<C>), options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PlatformError';
    this.code = code;
    this.params = params as ErrorParams<C>;
  }

  get spec(): ErrorSpec {
    return ERRORS[this.code];
  }
}

/** The message of a code with its parameters. */
export function describe<C extends ErrorCode>(code: C, params: ErrorParams<C>): string {
  return (ERRORS[code].message as (p: ErrorParams<C>) => string)(params);
}

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value);
}

/** Anything thrown, as a PlatformError: what is not one already becomes `internal` with the original as cause. */
export function toPlatformError(thrown: unknown): PlatformError {
  return thrown instanceof PlatformError ? thrown : new PlatformError('internal', undefined, { cause: thrown });
}
