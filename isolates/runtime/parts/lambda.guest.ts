// AWS Lambda behind API Gateway or a function URL: (event, context, callback), payload format 2.0, or 1.0 where THIMBLE_LAMBDA_PAYLOAD says so.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
import { Failure } from '../invocation.guest.ts';
import type { ExecutionContext, Handler } from '../invocation.guest.ts';
import { loaded } from '../module.guest.ts';
import { describeThrown } from '../errors.guest.ts';
import type { Request } from '../request.guest.ts';
import type { Response } from '../response.guest.ts';
import { about, deadlineOf, remainingOf } from './shapes/about.guest.ts';
import type { AnyFunction } from './shapes/exports.guest.ts';
import { callHandler, joined, listed, plainBody, plainRequest, toResponse } from './shapes/http.guest.ts';
import type { PlainBody, PlainRequest } from './shapes/http.guest.ts';

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';
const STAGE = '$default';

export function adapt(handler: AnyFunction): Handler {
  return async (request: Request, _env: unknown, ctx: ExecutionContext) => {
    const plain = plainRequest(request);
    const content = await plainBody(request);
    const isFirst = loaded.environment['THIMBLE_LAMBDA_PAYLOAD'] === '1.0';
    const result = await callHandler(handler, isFirst ? eventV1(plain, content) : eventV2(plain, content), contextOf(plain, ctx));
    return answer(result, isFirst);
  };
}

function answer(result: unknown, isFirst: boolean): Response | Failure {
  const hasStatus = typeof result === 'object' && result !== null && 'statusCode' in result;
  if (isFirst && !hasStatus) return new Failure('bad_response', 'a result of payload format 1.0 needs a statusCode');
  try {
    // Format 2.0: whatever has no statusCode is the body.
    return toResponse(hasStatus ? result : { body: typeof result === 'string' ? result : JSON.stringify(result ?? null) });
  } catch (thrown) {
    return new Failure('bad_response', describeThrown(thrown).message);
  }
}

function eventV2(plain: PlainRequest, { body, isBase64Encoded }: PlainBody): object {
  const { method, host, rawPath, path, rawQuery, query, headers, requestId, sourceIp, userAgent } = plain;
  const now = new Date();
  const cookies = headers.filter(([name]) => name === 'cookie').flatMap(([, value]) => value.split(';').map((one) => one.trim()));
  return {
    version: '2.0', routeKey: STAGE, rawPath, rawQueryString: rawQuery,
    ...(cookies.length === 0 ? {} : { cookies }),
    headers: joined(headers.filter(([name]) => name !== 'cookie'), ','),
    ...(query.length === 0 ? {} : { queryStringParameters: joined(query, ',') }),
    requestContext: {
      accountId: 'anonymous', apiId: about().name, domainName: host, domainPrefix: host.split('.')[0] ?? '',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp, userAgent },
      requestId, routeKey: STAGE, stage: STAGE, time: clfTime(now), timeEpoch: now.getTime(),
    },
    ...(body === null ? {} : { body }),
    isBase64Encoded,
  };
}

function eventV1(plain: PlainRequest, { body, isBase64Encoded }: PlainBody): object {
  const { method, host, path, query, headers, requestId, sourceIp, userAgent } = plain;
  const now = new Date();
  return {
    version: '1.0', resource: '/{proxy+}', path, httpMethod: method, headers: joined(headers, null), multiValueHeaders: listed(headers),
    queryStringParameters: query.length === 0 ? null : joined(query, null), multiValueQueryStringParameters: query.length === 0 ? null : listed(query),
    requestContext: {
      accountId: 'anonymous', apiId: about().name, domainName: host, domainPrefix: host.split('.')[0] ?? '', extendedRequestId: requestId, httpMethod: method,
      identity: { accessKey: null, accountId: null, caller: null, cognitoAuthenticationProvider: null, cognitoIdentityId: null, sourceIp, user: null, userAgent, userArn: null },
      path, protocol: 'HTTP/1.1', requestId, requestTime: clfTime(now), requestTimeEpoch: now.getTime(), resourceId: '', resourcePath: '/{proxy+}', stage: STAGE,
    },
    pathParameters: path === '/' ? null : { proxy: path.slice(1) }, stageVariables: null, body, isBase64Encoded,
  };
}

function contextOf({ requestId }: PlainRequest, ctx: ExecutionContext): object {
  const { name, version, memoryMb } = about();
  return {
    functionName: name, functionVersion: version, invokedFunctionArn: `arn:thimble:lambda:::function:${name}:${version}`, memoryLimitInMB: String(memoryMb), awsRequestId: requestId,
    logGroupName: `/thimble/${name}`, logStreamName: version, callbackWaitsForEmptyEventLoop: true, deadlineMs: deadlineOf(ctx),
    getRemainingTimeInMillis: () => Math.floor(remainingOf(ctx)),
  };
}

/** 12/Mar/2020:19:03:58 +0000, the time of access logs. */
function clfTime(at: Date): string {
  const iso = at.toISOString();
  const month = at.getUTCMonth() * 3;
  return `${iso.slice(8, 10)}/${MONTHS.slice(month, month + 3)}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`;
}
