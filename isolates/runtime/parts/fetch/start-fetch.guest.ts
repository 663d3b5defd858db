// "fetch(input, init)" (Fetch standard, section 5.6): a request to the host, which asks the sidecar; the answer's body stays outside until it is read.
import { MAX_HEAD_CHARACTERS, OP } from '../../abi.ts';
import { NO_BODY, OWN_KIND, cancelSink, handleBody, pump, sendBody } from '../../body.guest.ts';
import type { BodyState } from '../../body.guest.ts';
import { onAbort } from '../../events.guest.ts';
import type { AbortSignal } from '../../events.guest.ts';
import { serialiseHeaders } from '../../headers.guest.ts';
import type { Headers } from '../../headers.guest.ts';
import { expectSettlement, forgetEnded, forgetSettlement, hostError, nextId, op } from '../../host.guest.ts';
import type { Settled } from '../../host.guest.ts';
import { NativeNumber, NativeTypeError, RegExpPrototypeExec, StringPrototypeIndexOf, StringPrototypeSlice, deferred } from '../../primordials.guest.ts';
import type { RequestState } from '../../request.guest.ts';
import { fetchedResponse, responseParts } from '../../response.guest.ts';
import type { Response } from '../../response.guest.ts';
import { AbortGuard } from '../body/abort-guard.guest.ts';
import { fetchData } from './data-url.guest.ts';
import { checkIntegrity } from './integrity.guest.ts';
import { makeRequest } from './make-request.guest.ts';

/** What no request of a function may send: parts of a line that is not its own. */
// eslint-disable-next-line no-control-regex -- RFC 9110 section 5.5
const NOT_ON_WIRE = /[\u0000-\u0008\u000b-\u001f\u007f]/;

export async function startFetch(input: unknown, init: unknown, given: number): Promise<Response> {
  const request = makeRequest(input, init, given);
  const signal = request.follows;
  if (signal?.aborted === true) {
    cancelBody(request.body, signal.reason);
    throw signal.reason;
  }
  const scheme = StringPrototypeSlice(request.url, 0, StringPrototypeIndexOf(request.url, ':'));
  if (scheme !== 'http' && scheme !== 'https') {
    if (scheme !== 'data') throw hostError('egress_refused', `fetch can not reach addresses that begin with ${scheme}:`);
    return checkIntegrity(fetchData(request), request.details.integrity);
  }
  const response = await send(request, signal);
  return request.details.integrity === '' ? response : checkIntegrity(response, request.details.integrity);
}

async function send(request: RequestState, signal: AbortSignal | undefined): Promise<Response> {
  const fields = serialiseHeaders(request.headers as Headers);
  if (RegExpPrototypeExec(NOT_ON_WIRE, fields) !== null) throw new NativeTypeError('a header of the request holds a control character');
  const head = `${request.method}\n${request.url}\n${request.details.redirect}${fields === '' ? '' : `\n${fields}`}`;
  if (head.length > MAX_HEAD_CHARACTERS) throw new NativeTypeError('the headers of the request are too large');
  const out = sendBody(request.body);
  const id = nextId();
  const settled = expectSettlement(id);
  forgetEnded(op(OP.fetch, id, head, out.kind, out.value));
  if (out.source !== null) void pump(out.value as number, out.source);
  if (signal === undefined) return toResponse(await settled, undefined);
  return toResponse(await abortable(settled, signal, id, out.source === null ? 0 : (out.value as number)), signal);
}

function cancelBody(body: BodyState, reason: unknown): void {
  if (body.kind !== OWN_KIND.stream || body.stream === null || body.stream.locked) return;
  const { stream } = body;
  void (async () => {
    try {
      await stream.cancel(reason);
    } catch {
      // It is the stream's own affair why it could not be cancelled.
    }
  })();
}

/** @param sink  of the request's body, 0 for none */
function abortable(settled: Promise<Settled>, signal: AbortSignal, id: number, sink: number): Promise<Settled> {
  const outcome = deferred<Settled>();
  const undo = onAbort(signal, () => {
    forgetSettlement(id);
    op(OP.cancel, id);
    if (sink !== 0) cancelSink(sink, signal.reason);
    outcome.reject(signal.reason);
  });
  void (async () => {
    try {
      outcome.resolve(await settled);
    } catch (error) {
      outcome.reject(error);
    } finally {
      undo();
    }
  })();
  return outcome.promise;
}

/** `value`: status and, after a blank, reason phrase; final URL, redirected flag, then headers; `extra`: body handle or 0. */
function toResponse({ value, extra }: Settled, signal: AbortSignal | undefined): Response {
  const head = value as string;
  const handle = extra as number;
  const first = StringPrototypeIndexOf(head, '\n');
  const second = StringPrototypeIndexOf(head, '\n', first + 1);
  let third = StringPrototypeIndexOf(head, '\n', second + 1);
  if (third < 0) third = head.length;
  const guard = signal === undefined || handle === 0 ? null : new AbortGuard(signal, () => op(OP.bodyCancel, handle));
  const line = StringPrototypeSlice(head, 0, first);
  const response = fetchedResponse(
    NativeNumber(StringPrototypeSlice(line, 0, 3)),
    StringPrototypeSlice(line, 4),
    StringPrototypeSlice(head, first + 1, second),
    StringPrototypeSlice(head, second + 1, third) === '1',
    StringPrototypeSlice(head, third + 1),
    handle === 0 ? NO_BODY : handleBody(handle, guard),
  );
  if (guard !== null && responseParts(response).body === NO_BODY) guard.end();
  return response;
}
