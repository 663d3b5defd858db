// Turns an Authorization header into a caller.
import { createHash } from 'node:crypto';
import { constantTimeEqual } from '../../core/crypto/index.ts';
import { PlatformError } from '../../core/errors/index.ts';
import { NODE_ADMIN } from './caller.ts';
import type { Caller } from './caller.ts';
import type { FailedAttempts } from './failed-attempts.ts';
import type { Tokens } from './tokens.ts';

/** Pairs of an address and a token that have been right: they stay exempt from what wrong tokens of the same address cost. */
const MAX_PROVEN = 1_000;

export interface GatekeeperOptions {
  /** The node's own; '' lets nobody in. */
  readonly nodeToken: string;
  readonly tokens: Tokens;
  readonly attempts: FailedAttempts;
}

export class Gatekeeper {
  readonly #options: GatekeeperOptions;
  readonly #proven = new Set<string>();

  constructor(options: GatekeeperOptions) {
    this.#options = options;
  }

  /**
   * @param token  what came as the bearer token; undefined: nothing did
   * @param address  of the client, as the socket says
   * @throws unauthorized
   * @throws too_many_attempts  the address has sent too many wrong ones: this one was not looked at
   */
  identify(token: string | undefined, address: string): Caller {
    // Nothing sent is nothing guessed.
    if (token === undefined) throw new PlatformError('unauthorized');
    const { tokens, attempts } = this.#options;
    // Behind one proxy all clients have one address: whoever has shown a right token there is not shut out by what others send. It is
    // read again each time, so this tells nothing about whether it still holds.
    const pair = createHash('sha256').update(`${address} ${token}`).digest('base64');
    if (!this.#proven.has(pair) && attempts.exhausted(address)) throw new PlatformError('too_many_attempts');
    const caller = this.#isNodeToken(token) ? NODE_ADMIN : tokens.recognise(token);
    if (caller === undefined) {
      this.#proven.delete(pair);
      attempts.failed(address);
      throw new PlatformError('unauthorized');
    }
    this.#prove(pair);
    return caller;
  }

  /** An empty token would let everyone in who sends none. */
  #isNodeToken(token: string): boolean {
    const { nodeToken } = this.#options;
    return constantTimeEqual(token, nodeToken) && nodeToken !== '';
  }

  #prove(pair: string): void {
    if (this.#proven.has(pair)) return;
    this.#proven.add(pair);
    if (this.#proven.size <= MAX_PROVEN) return;
    const [oldest] = this.#proven;
    if (oldest !== undefined) this.#proven.delete(oldest);
  }
}
