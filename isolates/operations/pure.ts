// Operations that need nothing of their isolate: the answer follows from the arguments, or from chance.
import { randomBytes, randomUUID } from 'node:crypto';
import { exact } from '../isolate-bodies.ts';
import { MAX_RANDOM_BYTES, OP } from '../runtime/abi.ts';
import { parseUrl, setUrlComponent } from './urls.ts';

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** @throws TypeError  the code is none of these */
export function pureOperation(code: number, a: unknown, b: unknown, c: unknown): unknown {
  switch (code) {
    case OP.url:
      return parseUrl(text(a), b === undefined ? undefined : text(b));
    case OP.urlSet:
      return setUrlComponent(text(a), text(b), text(c));
    case OP.utf8Encode:
      return exact(textEncoder.encode(String(a)));
    case OP.utf8Decode:
      return textDecoder.decode(a as Uint8Array);
    case OP.random: {
      const count = Math.trunc(Number(a));
      return exact(randomBytes(count >= 0 && count <= MAX_RANDOM_BYTES ? count : 0));
    }
    case OP.uuid:
      return randomUUID();
    default:
      throw new TypeError('unknown operation');
  }
}

/** An argument of the runtime that must be text. */
function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
