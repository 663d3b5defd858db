// Every failure of the REST API as application/problem+json.
import { ERRORS, PROBLEM_CONTENT_TYPE, PlatformError, problem } from '../../core/errors/index.ts';
import type { ErrorSpec } from '../../core/errors/index.ts';
import { fieldErrors } from '../../core/schemas/index.ts';
import type { z } from 'zod';

/** More field errors than this tell nobody more. */
const MAX_FIELD_ERRORS = 100;
const MAX_MESSAGE_CHARACTERS = 500;
const MAX_PATH_CHARACTERS = 300;

export function problemResponse(error: PlatformError, extensions?: Readonly<Record<string, unknown>>): Response {
  const spec: ErrorSpec = ERRORS[error.code];
  const headers: Record<string, string> = { 'content-type': PROBLEM_CONTENT_TYPE, 'cache-control': 'no-store' };
  if (spec.retryAfterS !== undefined) headers['retry-after'] = String(spec.retryAfterS);
  if (error.code === 'unauthorized') headers['www-authenticate'] = 'Bearer';
  if (isNotAllowed(error)) headers['allow'] = error.params.allow;
  const more = isForbidden(error) ? { action: error.params.action, ...extensions } : extensions;
  return new Response(JSON.stringify(problem(error.code, error.params, more)), { status: spec.status, headers });
}

function isForbidden(error: PlatformError): error is PlatformError<'forbidden'> {
  return error.code === 'forbidden';
}

function isNotAllowed(error: PlatformError): error is PlatformError<'method_not_allowed'> {
  return error.code === 'method_not_allowed';
}

/** @throws invalid  naming every wrong field */
export function parseWith<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = fieldErrors(parsed.error)
    .slice(0, MAX_FIELD_ERRORS)
    .map(({ path, message }) => ({ path: short(path, MAX_PATH_CHARACTERS), message: short(message, MAX_MESSAGE_CHARACTERS) }));
  throw new PlatformError('invalid', { errors });
}

function short(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, characters)}…`;
}
