// AbortController and AbortSignal (DOM standard, section 3).
import { DOMException } from '../../errors.guest.ts';
import { ArrayPrototypeSplice, NativeTypeError, NativeWeakRef, WeakRefPrototypeDeref, append } from '../../primordials.guest.ts';
import { startTimer } from '../../timers.guest.ts';
import { enforceUnsigned, needArguments } from './conversions.guest.ts';
import { EventTarget, fire, handlerOf, setHandler, signals, watchListeners } from './event-target.guest.ts';
import { Event } from './event.guest.ts';

const INTERNAL = Symbol('internal');
const MAX_DELAY_MS = 2_147_483_647;
/** Dead weak references are swept out when a source has this many, and again at twice of what is left. */
const FIRST_SWEEP = 32;

/** The signals that depend on one source: weakly, but those that somebody listens to are held. */
class Dependents {
  #all: WeakRef<AbortSignal>[] = [];
  #held: AbortSignal[] = [];
  #sweepAt = FIRST_SWEEP;

  add(signal: AbortSignal): void {
    if (this.#all.length >= this.#sweepAt) {
      const living: WeakRef<AbortSignal>[] = [];
      for (let i = 0; i < this.#all.length; i++) {
        const reference = this.#all[i] as WeakRef<AbortSignal>;
        if (WeakRefPrototypeDeref(reference) !== undefined) append(living, reference);
      }
      this.#all = living;
      this.#sweepAt = living.length * 2 > FIRST_SWEEP ? living.length * 2 : FIRST_SWEEP;
    }
    append(this.#all, new NativeWeakRef(signal));
  }

  hold(signal: AbortSignal): void {
    append(this.#held, signal);
  }

  letGo(signal: AbortSignal): void {
    for (let i = 0; i < this.#held.length; i++) {
      if (this.#held[i] === signal) {
        ArrayPrototypeSplice(this.#held, i, 1);
        return;
      }
    }
  }

  /** In the order in which they were made. */
  living(): AbortSignal[] {
    const living: AbortSignal[] = [];
    for (let i = 0; i < this.#all.length; i++) {
      const signal = WeakRefPrototypeDeref(this.#all[i] as WeakRef<AbortSignal>) as AbortSignal | undefined;
      if (signal !== undefined) append(living, signal);
    }
    return living;
  }
}

export let createSignal: () => AbortSignal;
/** "Signal abort". */
export let abortSignal: (signal: AbortSignal, reason?: unknown) => void;
/** "Create a dependent abort signal". */
export let dependentSignal: (sources: readonly AbortSignal[]) => AbortSignal;
/** "Add" an abort algorithm; the result is "remove". */
export let onAbort: (signal: AbortSignal, algorithm: () => void) => () => void;
export let isAbortSignal: (value: unknown) => value is AbortSignal;

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason: unknown = undefined;
  #algorithms: (() => void)[] = [];
  /** Null: this signal depends on no other. */
  #sources: AbortSignal[] | null = null;
  #dependents: Dependents | null = null;
  #listenersOf: ((type: string) => number) | null = null;
  /** Its sources hold it alive. */
  #held = false;

  static {
    createSignal = () => new AbortSignal(INTERNAL);
    isAbortSignal = (value): value is AbortSignal => typeof value === 'object' && value !== null && #aborted in value;

    abortSignal = (signal, reason) => {
      if (signal.#aborted) return;
      signal.#abort(reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason);
      const dependents = signal.#dependents?.living() ?? [];
      const aborting: AbortSignal[] = [];
      // All of them are aborted before any listener runs.
      for (let i = 0; i < dependents.length; i++) {
        const dependent = dependents[i] as AbortSignal;
        if (dependent.#aborted) continue;
        dependent.#abort(signal.#reason);
        append(aborting, dependent);
      }
      signal.#run();
      for (let i = 0; i < aborting.length; i++) (aborting[i] as AbortSignal).#run();
    };

    onAbort = (signal, algorithm) => {
      if (signal.#aborted) return () => {};
      append(signal.#algorithms, algorithm);
      signal.#observed();
      return () => {
        const algorithms = signal.#algorithms;
        for (let i = 0; i < algorithms.length; i++) {
          if (algorithms[i] === algorithm) {
            ArrayPrototypeSplice(algorithms, i, 1);
            break;
          }
        }
        signal.#observed();
      };
    };

    dependentSignal = (sources) => {
      const dependent = createSignal();
      for (let i = 0; i < sources.length; i++) {
        const source = sources[i] as AbortSignal;
        if (!source.#aborted) continue;
        dependent.#abort(source.#reason);
        return dependent;
      }
      const roots: AbortSignal[] = [];
      for (let i = 0; i < sources.length; i++) {
        const source = sources[i] as AbortSignal;
        // A dependent signal stands for the sources that it has itself.
        const own = source.#sources ?? [source];
        for (let j = 0; j < own.length; j++) link(roots, own[j] as AbortSignal);
      }
      dependent.#sources = roots;
      for (let i = 0; i < roots.length; i++) {
        const root = roots[i] as AbortSignal;
        root.#dependents ??= new Dependents();
        root.#dependents.add(dependent);
      }
      dependent.#listenersOf = watchListeners(dependent, () => dependent.#observed());
      return dependent;
    };
  }

  constructor(key: unknown = undefined) {
    if (key !== INTERNAL) throw new NativeTypeError('Illegal constructor');
    super();
  }

  static abort(reason: unknown = undefined): AbortSignal {
    const signal = createSignal();
    abortSignal(signal, reason);
    return signal;
  }

  static timeout(milliseconds: number): AbortSignal {
    needArguments(arguments.length, 1, 'AbortSignal.timeout');
    const delayMs = enforceUnsigned(milliseconds, 'the delay');
    const signal = createSignal();
    startTimer(() => abortSignal(signal, new DOMException('The operation timed out', 'TimeoutError')), delayMs > MAX_DELAY_MS ? MAX_DELAY_MS : delayMs);
    return signal;
  }

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    needArguments(arguments.length, 1, 'AbortSignal.any');
    if ((typeof signals !== 'object' && typeof signals !== 'function') || signals === null) throw new NativeTypeError('the signals must be iterable');
    const sources: AbortSignal[] = [];
    for (const signal of signals) {
      if (!isAbortSignal(signal)) throw new NativeTypeError('a value is not an AbortSignal');
      append(sources, signal);
    }
    return dependentSignal(sources);
  }

  get aborted(): boolean { return this.#aborted; }
  get reason(): unknown { return this.#reason; }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  get onabort(): unknown {
    void this.#aborted;
    return handlerOf(this, 'abort');
  }
  set onabort(handler: unknown) {
    void this.#aborted;
    setHandler(this, 'abort', handler);
  }

  #abort(reason: unknown): void {
    this.#aborted = true;
    this.#reason = reason;
  }

  /** "Run the abort steps". */
  #run(): void {
    const algorithms = this.#algorithms;
    this.#algorithms = [];
    for (let i = 0; i < algorithms.length; i++) algorithms[i]?.();
    fire(this, new Event('abort'));
    this.#observed();
  }

  /** Section 3.2.1, garbage collection: a dependent signal lives as long as its sources while anybody would learn of its abort. */
  #observed(): void {
    const sources = this.#sources;
    if (sources === null) return;
    const observed = !this.#aborted && (this.#algorithms.length > 0 || (this.#listenersOf?.('abort') ?? 0) > 0);
    if (observed === this.#held) return;
    this.#held = observed;
    for (let i = 0; i < sources.length; i++) {
      const dependents = (sources[i] as AbortSignal).#dependents;
      if (observed) dependents?.hold(this);
      else dependents?.letGo(this);
    }
  }
}

function link(roots: AbortSignal[], root: AbortSignal): void {
  for (let i = 0; i < roots.length; i++) if (roots[i] === root) return;
  append(roots, root);
}

signals.use = { isSignal: isAbortSignal, onAbort: (signal, algorithm) => onAbort(signal as AbortSignal, algorithm) };

export class AbortController {
  readonly #signal = createSignal();

  get signal(): AbortSignal { return this.#signal; }

  abort(reason: unknown = undefined): void {
    abortSignal(this.#signal, reason);
  }
}
