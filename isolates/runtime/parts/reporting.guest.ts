// ErrorEvent and PromiseRejectionEvent, and their dispatch on globalThis (HTML standard, section 8.1.4.6 and 8.1.4.7).
import { describeThrown } from '../errors.guest.ts';
import { dispatchOnGlobal, loadEvents } from '../events.guest.ts';
import { NativeError, NativePromise, NativeTypeError, RegExpPrototypeExec } from '../primordials.guest.ts';
import { logThrown } from '../reporting.guest.ts';
import type { EventInit } from './events/event.guest.ts';

const { Event, dictionary, errorArguments, toDOMString } = loadEvents();

interface ErrorEventInit extends EventInit {
  message?: unknown;
  filename?: unknown;
  lineno?: unknown;
  colno?: unknown;
  error?: unknown;
}

export class ErrorEvent extends Event {
  readonly #message: string;
  readonly #filename: string;
  readonly #lineno: number;
  readonly #colno: number;
  readonly #error: unknown;

  static {
    errorArguments.of = (event) =>
      typeof event === 'object' && #message in event ? [event.#message, event.#filename, event.#lineno, event.#colno, event.#error] : null;
  }

  constructor(type: string, init: ErrorEventInit | undefined = undefined) {
    if (arguments.length === 0) throw new NativeTypeError('ErrorEvent needs a type');
    super(type, init);
    const { colno = 0, error, filename = '', lineno = 0, message = '' } = dictionary<ErrorEventInit>(init);
    this.#colno = (colno as number) >>> 0;
    this.#error = error;
    this.#filename = toDOMString(filename);
    this.#lineno = (lineno as number) >>> 0;
    this.#message = toDOMString(message);
  }

  get message(): string { return this.#message; }
  get filename(): string { return this.#filename; }
  get lineno(): number { return this.#lineno; }
  get colno(): number { return this.#colno; }
  get error(): unknown { return this.#error; }
}

interface PromiseRejectionEventInit extends EventInit {
  promise?: unknown;
  reason?: unknown;
}

export class PromiseRejectionEvent extends Event {
  readonly #promise: object;
  readonly #reason: unknown;

  constructor(type: string, init: PromiseRejectionEventInit) {
    if (arguments.length < 2) throw new NativeTypeError('PromiseRejectionEvent needs 2 arguments');
    super(type, init);
    const { promise, reason } = dictionary<PromiseRejectionEventInit>(init);
    if (typeof promise !== 'object' || promise === null) throw new NativeTypeError('promise is required, and must be an object');
    this.#promise = promise;
    this.#reason = reason;
  }

  get promise(): object { return this.#promise; }
  get reason(): unknown { return this.#reason; }
}

/** An exception is being reported: what its listeners throw goes to the log at once ("in error reporting mode"). */
let reporting = false;

export function reportException(thrown: unknown): void {
  if (reporting) {
    logThrown(thrown, '');
    return;
  }
  reporting = true;
  let handled = false;
  try {
    const { message, stack } = describeThrown(thrown);
    // Where nothing tells where it was thrown, it is where it was reported.
    const place = placeOf(stack === '' ? (new NativeError('').stack ?? '') : stack);
    handled = !dispatchOnGlobal(new ErrorEvent('error', { cancelable: true, message: `Uncaught ${message}`, ...place, error: thrown }));
  } finally {
    reporting = false;
  }
  if (!handled) logThrown(thrown, '');
}

const PLACE = /^ +at (?:.*\()?(.+):(\d+):(\d+)\)?$/m;

function placeOf(stack: string): { filename?: string; lineno?: number; colno?: number } {
  const found = RegExpPrototypeExec(PLACE, stack);
  return found === null ? {} : { filename: found[1] ?? '', lineno: Number(found[2]), colno: Number(found[3]) };
}

/**
 * Tells listeners of `unhandledrejection`. The promise itself can't be had: the event carries another one with the same reason.
 *
 * @returns whether one of them prevented the log line
 */
export function rejectionPrevented(reason: unknown): boolean {
  return !dispatchOnGlobal(new PromiseRejectionEvent('unhandledrejection', { cancelable: true, promise: rejectedWith(reason), reason }));
}

function rejectedWith(reason: unknown): Promise<never> {
  const promise = new NativePromise<never>((_resolve, reject) => reject(reason));
  // Handled: it must not be reported once more.
  void (async () => {
    try {
      await promise;
    } catch {}
  })();
  return promise;
}
