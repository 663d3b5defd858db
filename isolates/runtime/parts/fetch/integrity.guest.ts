// Subresource Integrity, section 3.3: an answer with other bytes than its caller expects is a network error.
import { MAX_CROSSING, BODY_KIND } from '../../abi.ts';
import { BODY_OP } from '../../abi-bodies.ts';
import { op } from '../../host.guest.ts';
import { loadPart } from '../../parts.guest.ts';
import { NativeTypeError, NativeUint8Array, RegExpPrototypeExec, StringPrototypeReplace, StringPrototypeSplit, TypedArrayPrototypeSubarray, exactBytes } from '../../primordials.guest.ts';
import { responseParts } from '../../response.guest.ts';
import type { Response } from '../../response.guest.ts';
import type * as Base64 from '../base64.guest.ts';
import type { BodyPart } from '../body.guest.ts';

const SPACES = /[\t\n\f\r ]+/g;
const ITEM = /^(sha256|sha384|sha512)-([A-Za-z0-9+/_-]+={0,2})(?:\?|$)/;
const DASHES = /-/g;
const UNDERSCORES = /_/g;
const PADDING = /=+$/;
const { fromCharCode } = String;

interface Expected {
  readonly algorithm: string;
  /** Base64 without padding. */
  readonly digests: readonly string[];
}

/** The digests of the strongest algorithm that is named; undefined when none is. */
function parse(integrity: string): Expected | undefined {
  const items = StringPrototypeSplit(StringPrototypeReplace(integrity, SPACES, ' '), ' ');
  let algorithm = '';
  let digests: string[] = [];
  for (let i = 0; i < items.length; i++) {
    const found = RegExpPrototypeExec(ITEM, items[i] as string) as string[] | null;
    if (found === null) continue;
    const name = found[1] as string;
    if (name > algorithm) {
      algorithm = name;
      digests = [];
    }
    if (name === algorithm) digests[digests.length] = plain(found[2] as string);
  }
  return algorithm === '' ? undefined : { algorithm, digests };
}

function plain(base64: string): string {
  return StringPrototypeReplace(StringPrototypeReplace(StringPrototypeReplace(base64, DASHES, '+'), UNDERSCORES, '/'), PADDING, '');
}

function digestOf(algorithm: string, bytes: Uint8Array): string {
  const number = op(BODY_OP.digestStart, algorithm);
  for (let at = 0; at < bytes.length; at += MAX_CROSSING) op(BODY_OP.digestUpdate, number, exactBytes(TypedArrayPrototypeSubarray(bytes, at, at + MAX_CROSSING)));
  const digest = new NativeUint8Array(op(BODY_OP.digestEnd, number) as ArrayBuffer);
  let binary = '';
  for (let i = 0; i < digest.length; i++) binary += fromCharCode(digest[i] as number);
  return plain(loadPart<typeof Base64>('base64').btoa(binary));
}

/** Reads the whole body, since nothing of it may be seen before all of it has been checked. */
export async function checkIntegrity(response: Response, integrity: string): Promise<Response> {
  const expected = parse(integrity);
  if (expected === undefined) return response;
  const state = responseParts(response);
  const bytes = await loadPart<BodyPart>('body').bytes(state);
  const digest = digestOf(expected.algorithm, bytes);
  for (let i = 0; i < expected.digests.length; i++) {
    if (expected.digests[i] !== digest) continue;
    state.body = { kind: BODY_KIND.bytes, value: bytes, type: '', used: false, stream: null, guard: null };
    return response;
  }
  throw new NativeTypeError('the response is not what its integrity says');
}
