// Digests of bodies, for the integrity that a fetch asks for: begun, fed and ended within one entry.
import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { exact } from '../isolate-bodies.ts';
import { BODY_OP } from '../runtime/abi-bodies.ts';
import { MAX_CROSSING } from '../runtime/abi.ts';
import type { OperationArea } from './area.ts';

const ALGORITHMS: ReadonlySet<unknown> = new Set(['sha256', 'sha384', 'sha512']);
/** The runtime has one at a time; more are a broken isolate. */
const MAX_DIGESTS = 4;

export class BodyArea implements OperationArea {
  readonly #digests = new Map<unknown, Hash>();
  #last = 0;

  run(code: number, _owner: unknown, a: unknown, b: unknown): unknown {
    switch (code) {
      case BODY_OP.digestStart:
        if (!ALGORITHMS.has(a) || this.#digests.size >= MAX_DIGESTS) throw new TypeError('no such digest');
        this.#last += 1;
        this.#digests.set(this.#last, createHash(a as string));
        return this.#last;
      case BODY_OP.digestUpdate:
        if (!(b instanceof Uint8Array) || b.length > MAX_CROSSING) throw new TypeError('bytes are needed');
        this.#of(a).update(b);
        return undefined;
      case BODY_OP.digestEnd: {
        const digest = this.#of(a).digest();
        this.#digests.delete(a);
        return exact(digest);
      }
      default:
        throw new TypeError('unknown operation');
    }
  }

  #of(number: unknown): Hash {
    const digest = this.#digests.get(number);
    if (digest === undefined) throw new TypeError('no such digest');
    return digest;
  }
}
