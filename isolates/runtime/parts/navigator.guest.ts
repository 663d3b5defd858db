// Navigator (HTML standard, section 8.9.1; ECMA-429 asks for userAgent).
import { NativeTypeError } from '../primordials.guest.ts';

const INTERNAL = Symbol('internal');

export class Navigator {
  readonly #isNavigator = true;

  constructor(key: unknown = undefined) {
    if (key !== INTERNAL) throw new NativeTypeError('Illegal constructor');
  }

  /** One product token, without version or comment. */
  get userAgent(): string {
    void this.#isNavigator;
    return 'Thimble';
  }

  /** A function has one thread, however many cores the machine has. */
  get hardwareConcurrency(): number {
    void this.#isNavigator;
    return 1;
  }
}

export const navigator = new Navigator(INTERNAL);
