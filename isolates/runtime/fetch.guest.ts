// fetch, made on first touch.
import { loadPart } from './parts.guest.ts';
import type { FetchPart } from './parts/fetch.guest.ts';
import type { RequestInit } from './request.guest.ts';
import type { Response } from './response.guest.ts';

export async function fetch(input: unknown, init: RequestInit | undefined = undefined): Promise<Response> {
  return loadPart<FetchPart>('fetch').startFetch(input, init, arguments.length);
}
