// Typed errors with stable codes.
export { ERRORS } from './table.ts';
export type { ErrorCode, ErrorParams, ErrorSpec, Fault } from './table.ts';
export { PlatformError, describe, isErrorCode, toPlatformError } from './platform-error.ts';
export { PROBLEM_CONTENT_TYPE, problem } from './problem.ts';
export type { Problem } from './problem.ts';
