// The business shape: `export async function name(ctx, ...args)`, called by POST /name with {"args": […]} or by an event.
import { USER_HEADER } from '../abi-shapes.ts';
import { readText } from '../body.guest.ts';
import { describeThrown } from '../errors.guest.ts';
import { findHeader } from '../headers.guest.ts';
import { log } from '../host.guest.ts';
import { Failure } from '../invocation.guest.ts';
import type { ExecutionContext, Handler } from '../invocation.guest.ts';
import { loaded } from '../module.guest.ts';
import { JSONParse, JSONStringify, NativeNumber, StringPrototypeIndexOf, StringPrototypeSlice, reflectApply } from '../primordials.guest.ts';
import { stateOfRequest } from '../request.guest.ts';
import type { Request, RequestState } from '../request.guest.ts';
import { Response } from '../response.guest.ts';
import { BusinessContext } from './shapes/business-context.guest.ts';
import { exportedFunction } from './shapes/exports.guest.ts';

const MAX_CODE_CHARACTERS = 128;
const isArray = Array.isArray;
const decode = decodeURIComponent;

/** POST /name with {"args": […]}. */
export const businessHandler: Handler = async (request, _env, ctx) => {
  const name = operationOf(request.url);
  const operation = name === undefined ? undefined : exportedFunction(name);
  if (operation === undefined) return new Failure('no_route', `the function exports no operation ${JSONStringify(name ?? '')}`);
  if (request.method !== 'POST') return new Failure('method_not_allowed', `${request.method} is not how operations are called`, '', '{"allow":"POST"}');
  let body: unknown;
  const text = await readText((stateOfRequest(request) as RequestState).body);
  try {
    body = JSONParse(text);
  } catch {
    return badRequest('the body must be JSON: {"args": […]}');
  }
  if (typeof body !== 'object' || body === null || isArray(body)) return badRequest('the body must be an object: {"args": […]}');
  const { args } = body as { args?: unknown };
  if (!isArray(args)) return badRequest('args must be an array');
  return callOperation(operation, args, request, ctx);
};

/** @returns a response, or a Failure: of `bad_response` when the result has no JSON form */
export async function callOperation(operation: (this: unknown, ...args: never[]) => unknown, args: unknown[], request: Request, ctx: ExecutionContext): Promise<Response | Failure> {
  const { headers } = request;
  const all: unknown[] = [new BusinessContext(ctx, loaded.environment, request, findHeader(headers, 'traceparent') ?? '', findHeader(headers, USER_HEADER) ?? '')];
  for (let i = 0; i < args.length; i++) all[i + 1] = args[i];
  let result: unknown;
  try {
    result = await reflectApply(operation, undefined, all);
  } catch (thrown) {
    return ofThrown(thrown);
  }
  let text: string | undefined;
  try {
    text = JSONStringify(result);
  } catch (thrown) {
    return new Failure('bad_response', `the result has no JSON form: ${describeThrown(thrown).message}`);
  }
  // What JSON leaves out (undefined, a function) is null: `result` is always there.
  return json(200, `{"result":${text ?? 'null'}}`, 'application/json');
}

/** The path's only segment. */
function operationOf(url: string): string | undefined {
  const path = StringPrototypeIndexOf(url, '/', StringPrototypeIndexOf(url, '//') + 2);
  const query = StringPrototypeIndexOf(url, '?');
  try {
    return path < 0 ? '' : decode(StringPrototypeSlice(url, path + 1, query < 0 ? url.length : query));
  } catch {
    return undefined;
  }
}

function badRequest(why: string): Failure {
  return new Failure('bad_request', why, '', JSONStringify({ why }));
}

/** An error with `status` (400 to 599) and `code` is an answer: both are kept, with its message. Every other one is `function_threw`. */
function ofThrown(thrown: unknown): Response | Failure {
  const { message, stack } = describeThrown(thrown);
  try {
    if (typeof thrown === 'object' && thrown !== null) {
      const { status, code, message: detail } = thrown as { status?: unknown; code?: unknown; message?: unknown };
      if (isStatus(status) && typeof code === 'string' && code !== '' && code.length <= MAX_CODE_CHARACTERS) {
        if (status >= 500) log('error', stack || message);
        const retryable = status === 429 || status === 502 || status === 503 || status === 504;
        return json(status, JSONStringify({ type: 'about:blank', title: code, status, code, detail: typeof detail === 'string' ? detail : '', retryable }), 'application/problem+json');
      }
    }
  } catch {
    // A getter of the thrown value threw: it says nothing that could be kept.
  }
  return new Failure('function_threw', message, stack);
}

function isStatus(value: unknown): value is number {
  return typeof value === 'number' && NativeNumber.isInteger(value) && value >= 400 && value <= 599;
}

function json(status: number, text: string, type: string): Response {
  return new Response(text, { status, headers: { 'content-type': type } });
}
