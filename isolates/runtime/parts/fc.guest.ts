// Alibaba Cloud Function Compute with an HTTP trigger: (event, context, callback), the event being its JSON form, as text.
// https://www.alibabacloud.com/help/en/functioncompute/fc-3-0/user-guide/http-trigger-invoking-function
import { console } from '../console.guest.ts';
import { describeThrown } from '../errors.guest.ts';
import { Failure } from '../invocation.guest.ts';
import type { ExecutionContext, Handler } from '../invocation.guest.ts';
import type { Request } from '../request.guest.ts';
import type { Response } from '../response.guest.ts';
import { about, remainingOf } from './shapes/about.guest.ts';
import type { AnyFunction } from './shapes/exports.guest.ts';
import { callHandler, joined, plainBody, plainRequest, toResponse } from './shapes/http.guest.ts';
import type { PlainBody, PlainRequest } from './shapes/http.guest.ts';

export function adapt(handler: AnyFunction): Handler {
  return async (request: Request, _env: unknown, ctx: ExecutionContext) => {
    const plain = plainRequest(request);
    // The platform's Node runtime gives a Buffer; text does for both ways in which handlers read it, JSON.parse(event) and event.toString().
    const result = await callHandler(handler, JSON.stringify(eventOf(plain, await plainBody(request))), contextOf(plain, ctx));
    return answer(result);
  };
}

function answer(result: unknown): Response | Failure {
  try {
    const parsed = typeof result === 'string' ? parsedAnswer(result) : result;
    if (typeof parsed === 'object' && parsed !== null && 'statusCode' in parsed) return toResponse(parsed);
    return toResponse({ body: typeof result === 'string' ? result : JSON.stringify(result ?? null) });
  } catch (thrown) {
    return new Failure('bad_response', describeThrown(thrown).message);
  }
}

/** A callback may be given the answer as JSON. */
function parsedAnswer(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function eventOf(plain: PlainRequest, { body, isBase64Encoded }: PlainBody): object {
  const { method, host, rawPath, path, query, headers, requestId, sourceIp, userAgent } = plain;
  const now = new Date();
  return {
    version: 'v1', rawPath, body: body ?? '', isBase64Encoded, headers: joined(headers, ','), queryParameters: joined(query, null),
    requestContext: {
      accountId: 'anonymous', domainName: host, domainPrefix: host.split('.')[0] ?? '', http: { method, path, protocol: 'HTTP/1.1', sourceIp, userAgent },
      requestId, time: now.toISOString(), timeEpoch: String(now.getTime()),
    },
  };
}

function contextOf({ requestId }: PlainRequest, ctx: ExecutionContext): object {
  const { name, version, memoryMb } = about();
  const logger = { debug: console.debug, info: console.info, log: console.log, warn: console.warn, error: console.error };
  return {
    requestId, region: '', accountId: 'anonymous', credentials: {}, qualifier: version, logger,
    function: { name, handler: 'index.handler', memory: memoryMb, timeout: Math.ceil(remainingOf(ctx) / 1_000) },
    service: { name: '', logProject: '', logStore: '', qualifier: version, versionId: version },
    tracing: { openTracingSpanContext: '', jaegerEndpoint: '', spanBaggages: {} },
  };
}
