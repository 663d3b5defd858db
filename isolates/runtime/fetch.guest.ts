// fetch: a request to the host, which asks the sidecar; the response's body stays outside until it is read.
import { MAX_HEAD_CHARACTERS, OP } from './abi.ts';
import { pump, sendBody } from './body.guest.ts';
import { onAbort } from './events.guest.ts';
import { serialiseHeaders } from './headers.guest.ts';
import { expectSettlement, forgetSettlement, nextId, op } from './host.guest.ts';
import { NativeTypeError, StringPrototypeIndexOf, StringPrototypeSlice, deferred } from './primordials.guest.ts';
import { Request, requestParts } from './request.guest.ts';
import type { RequestInit } from './request.guest.ts';
import { fetchedResponse } from './response.guest.ts';
import type { Response } from './response.guest.ts';
import type { Settled } from './host.guest.ts';

export async function fetch(input: unknown, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  const { body, signal } = requestParts(request);
  if (signal?.aborted === true) throw signal.reason;
  const fields = serialiseHeaders(request.headers);
  const head = `${request.method}\n${request.url}\n${request.redirect}${fields === '' ? '' : `\n${fields}`}`;
  if (head.length > MAX_HEAD_CHARACTERS) throw new NativeTypeError('the headers of the request are too large');
  const out = sendBody(body);
  const id = nextId();
  const settled = expectSettlement(id);
  op(OP.fetch, id, head, out.kind, out.value);
  if (out.source !== null) void pump(out.value as number, out.source);
  return toResponse(signal === undefined ? await settled : await abortable(settled, signal, id));
}

function abortable(settled: Promise<Settled>, signal: NonNullable<ReturnType<typeof requestParts>['signal']>, id: number): Promise<Settled> {
  const outcome = deferred<Settled>();
  const undo = onAbort(signal, () => {
    forgetSettlement(id);
    op(OP.cancel, id);
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

/** `value`: status, final URL, redirected flag, then headers; `extra`: body handle or 0. */
function toResponse({ value, extra }: Settled): Response {
  const head = value as string;
  const first = StringPrototypeIndexOf(head, '\n');
  const second = StringPrototypeIndexOf(head, '\n', first + 1);
  let third = StringPrototypeIndexOf(head, '\n', second + 1);
  if (third < 0) third = head.length;
  return fetchedResponse(
    Number(StringPrototypeSlice(head, 0, first)),
    StringPrototypeSlice(head, first + 1, second),
    StringPrototypeSlice(head, second + 1, third) === '1',
    StringPrototypeSlice(head, third + 1),
    extra as number,
  );
}
