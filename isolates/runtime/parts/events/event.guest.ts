// Event and CustomEvent (DOM standard, sections 2.2 and 2.4).
import { elapsedMs } from '../../clock.guest.ts';
import { NativeTypeError, ObjectDefineProperty, reflectGetOwnPropertyDescriptor } from '../../primordials.guest.ts';
import { dictionary, needArguments, toDOMString } from './conversions.guest.ts';

export interface EventInit {
  bubbles?: unknown;
  cancelable?: unknown;
  composed?: unknown;
}

/** What dispatch changes; the flags of section 2.2 by their own names. Never reaches tenant code. */
export interface EventState {
  type: string;
  bubbles: boolean;
  cancelable: boolean;
  readonly composed: boolean;
  trusted: boolean;
  target: object | null;
  currentTarget: object | null;
  phase: number;
  dispatching: boolean;
  canceled: boolean;
  stopPropagation: boolean;
  stopImmediately: boolean;
  inPassiveListener: boolean;
  readonly timeStamp: number;
}

/** The state of an event; undefined for anything else. */
export let eventState: (value: unknown) => EventState | undefined;

/** `isTrusted` is an own property that can't be replaced ([LegacyUnforgeable]): one getter for all events. */
const TRUSTED: PropertyDescriptor = {
  __proto__: null,
  get: {
    get isTrusted(): boolean {
      const state = eventState(this);
      if (state === undefined) throw new NativeTypeError('Illegal invocation');
      return state.trusted;
    },
  } as unknown as () => boolean,
  enumerable: true,
  configurable: false,
} as PropertyDescriptor;
TRUSTED.get = reflectGetOwnPropertyDescriptor(TRUSTED.get as object, 'isTrusted')?.get as () => boolean;

export class Event {
  readonly #state: EventState;

  static {
    eventState = (value) => (typeof value === 'object' && value !== null && #state in value ? value.#state : undefined);
  }

  constructor(type: string, init: EventInit | undefined = undefined) {
    needArguments(arguments.length, 1, 'Event');
    const name = toDOMString(type);
    const { bubbles, cancelable, composed } = dictionary<EventInit>(init);
    this.#state = {
      type: name, bubbles: Boolean(bubbles), cancelable: Boolean(cancelable), composed: Boolean(composed), trusted: false, target: null, currentTarget: null, phase: 0,
      dispatching: false, canceled: false, stopPropagation: false, stopImmediately: false, inPassiveListener: false, timeStamp: elapsedMs(),
    };
    ObjectDefineProperty(this, 'isTrusted', TRUSTED);
  }

  get type(): string { return this.#state.type; }
  get target(): object | null { return this.#state.target; }
  get srcElement(): object | null { return this.#state.target; }
  get currentTarget(): object | null { return this.#state.currentTarget; }
  get eventPhase(): number { return this.#state.phase; }
  get bubbles(): boolean { return this.#state.bubbles; }
  get cancelable(): boolean { return this.#state.cancelable; }
  get composed(): boolean { return this.#state.composed; }
  get defaultPrevented(): boolean { return this.#state.canceled; }
  get timeStamp(): number { return this.#state.timeStamp; }

  get returnValue(): boolean { return !this.#state.canceled; }
  set returnValue(value: unknown) {
    if (!value) cancel(this.#state);
    else void this.#state;
  }

  get cancelBubble(): boolean { return this.#state.stopPropagation; }
  set cancelBubble(value: unknown) {
    if (value) this.#state.stopPropagation = true;
    else void this.#state;
  }

  /** There is no tree here: the path is the one target that is being served. */
  composedPath(): object[] {
    const { currentTarget } = this.#state;
    return currentTarget === null ? [] : [currentTarget];
  }

  preventDefault(): void {
    cancel(this.#state);
  }

  stopPropagation(): void {
    this.#state.stopPropagation = true;
  }

  stopImmediatePropagation(): void {
    this.#state.stopPropagation = true;
    this.#state.stopImmediately = true;
  }

  initEvent(type: string, bubbles: unknown = false, cancelable: unknown = false): void {
    const state = this.#state;
    needArguments(arguments.length, 1, 'initEvent');
    initialise(state, toDOMString(type), bubbles, cancelable);
  }
}

/** By their values. */
const PHASES = ['NONE', 'CAPTURING_PHASE', 'AT_TARGET', 'BUBBLING_PHASE'] as const;
// Iterators and destructuring of arrays are avoided in all parts: a tenant may have patched them before the part is made.
for (let i = 0; i < PHASES.length; i++) {
  const constant = { value: i, enumerable: true };
  ObjectDefineProperty(Event, PHASES[i] as string, constant);
  ObjectDefineProperty(Event.prototype, PHASES[i] as string, constant);
}

/** Section 2.3, "set the canceled flag". */
export function cancel(state: EventState): void {
  if (state.cancelable && !state.inPassiveListener) state.canceled = true;
}

/** Section 2.2, "initialize an event"; does nothing while the event is being dispatched. @returns whether it did */
function initialise(state: EventState, type: string, bubbles: unknown, cancelable: unknown): boolean {
  if (state.dispatching) return false;
  state.stopPropagation = state.stopImmediately = state.canceled = state.trusted = false;
  state.target = null;
  state.type = type;
  state.bubbles = Boolean(bubbles);
  state.cancelable = Boolean(cancelable);
  return true;
}

/** For the `init…Event` of subclasses. @returns whether the event took the new values */
export function reinitialise(event: unknown, type: string, bubbles: unknown, cancelable: unknown): boolean {
  const state = eventState(event);
  if (state === undefined) throw new NativeTypeError('Illegal invocation');
  return initialise(state, toDOMString(type), bubbles, cancelable);
}

export class CustomEvent extends Event {
  #detail: unknown;

  constructor(type: string, init: (EventInit & { detail?: unknown }) | undefined = undefined) {
    needArguments(arguments.length, 1, 'CustomEvent');
    super(type, init);
    this.#detail = dictionary<{ detail: unknown }>(init).detail ?? null;
  }

  get detail(): unknown { return this.#detail; }

  initCustomEvent(type: string, bubbles: unknown = false, cancelable: unknown = false, detail: unknown = null): void {
    void this.#detail;
    needArguments(arguments.length, 1, 'initCustomEvent');
    if (reinitialise(this, type, bubbles, cancelable)) this.#detail = detail;
  }
}
