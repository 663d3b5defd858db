// fetch, and what plain handlers never do with requests and responses: making a Request, clones, redirects.
import { NO_BODY } from '../body.guest.ts';
import { cloneHeaders, parseHeaders } from '../headers.guest.ts';
import { loadPart } from '../parts.guest.ts';
import { NativeNumber } from '../primordials.guest.ts';
import type { Request, RequestState } from '../request.guest.ts';
import type { Response, ResponseState } from '../response.guest.ts';
import { URL } from '../url.guest.ts';
import type { BodyPart } from './body.guest.ts';
import { makeRequest } from './fetch/make-request.guest.ts';
import { startFetch } from './fetch/start-fetch.guest.ts';

export { makeRequest, startFetch };

export interface FetchPart {
  makeRequest(input: unknown, init: unknown, given: number): RequestState;
  startFetch(input: unknown, init: unknown, given: number): Promise<Response>;
  cloneRequest(request: Request, state: RequestState): RequestState;
  cloneResponse(response: Response, state: ResponseState): ResponseState;
  redirectTo(url: unknown, status: unknown): ResponseState;
}

export function cloneRequest(request: Request, state: RequestState): RequestState {
  const body = loadPart<BodyPart>('body').clone(state);
  return { ...state, headers: cloneHeaders(request.headers), body, signal: undefined, follows: request.signal };
}

export function cloneResponse(response: Response, state: ResponseState): ResponseState {
  const body = loadPart<BodyPart>('body').clone(state);
  return { ...state, headers: cloneHeaders(response.headers), body };
}

export function redirectTo(url: unknown, status: unknown): ResponseState {
  const { href } = new URL(`${url as string}`);
  const code = NativeNumber(status) & 0xffff;
  if (code !== 301 && code !== 302 && code !== 303 && code !== 307 && code !== 308) throw new RangeError(`${code} is no redirect status`);
  return { status: code, statusText: '', headers: parseHeaders(`location\n${href}`, true), headText: '', body: NO_BODY, url: '', redirected: false, type: 'default' };
}
