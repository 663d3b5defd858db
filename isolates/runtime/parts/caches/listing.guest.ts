// Several cached responses in one reply: a line of JSON for each, an empty line, then their bodies one after the other.
import { BODY_KIND } from '../../abi.ts';
import { NO_BODY } from '../../body.guest.ts';
import type { BodyState } from '../../body.guest.ts';
import { decodeUtf8 } from '../../encoding.guest.ts';
import { loadPart } from '../../parts.guest.ts';
import { ArrayPrototypeSplice, JSONParse, TypedArrayPrototypeSubarray, Uint8ArrayPrototypeIndexOf, Uint8ArrayPrototypeSlice } from '../../primordials.guest.ts';
import type { Response } from '../../response.guest.ts';
import type { BodyPart } from '../body.guest.ts';

const LINE_FEED = 10;

/** @param make  a response of its lines and its body */
export async function responsesOf(reply: BodyState, make: (lines: readonly string[], body: BodyState) => Response): Promise<readonly Response[]> {
  if (reply === NO_BODY) return [];
  const bytes = await loadPart<BodyPart>('body').bytes({ body: reply, headers: undefined, headText: '' });
  const heads: (string | number)[][] = [];
  let at = 0;
  for (;;) {
    const end = Uint8ArrayPrototypeIndexOf(bytes, LINE_FEED, at);
    if (end <= at) break;
    heads[heads.length] = JSONParse(decodeUtf8(TypedArrayPrototypeSubarray(bytes, at, end))) as (string | number)[];
    at = end + 1;
  }
  at += 1;
  const responses: Response[] = [];
  for (let i = 0; i < heads.length; i++) {
    const head = heads[i] as (string | number)[];
    const length = head[0] as number;
    const value = Uint8ArrayPrototypeSlice(TypedArrayPrototypeSubarray(bytes, at, at + length));
    at += length;
    const body = length === 0 ? NO_BODY : { kind: BODY_KIND.bytes, value, type: '', used: false, stream: null, guard: null };
    responses[i] = make(ArrayPrototypeSplice(head, 1, head.length) as string[], body);
  }
  return responses;
}
