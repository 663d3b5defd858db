// DOMException for the rest of the runtime, and how thrown values become text inside the timed call: the host never touches a tenant's object.
import { loadPart, partIfLoaded } from './parts.guest.ts';
import type * as ExceptionsPart from './parts/exceptions.guest.ts';
import { NativeError, NativeString, ObjectDefineProperty, StringPrototypeIndexOf, StringPrototypeSlice, reflectGetOwnPropertyDescriptor, reflectGetPrototypeOf } from './primordials.guest.ts';

export type Exceptions = typeof ExceptionsPart;
export type DOMException = ExceptionsPart.DOMException;

/**
 * Stands for the interface, which is a part made on first touch: `new` gives an instance of the real class, `instanceof` asks for one.
 * Only the runtime holds this; globalThis has the real one.
 */
export const DOMException = function (message?: string, name?: string): DOMException {
  return new (loadPart<Exceptions>('exceptions').DOMException)(message, name);
} as unknown as Exceptions['DOMException'];
ObjectDefineProperty(DOMException, Symbol.hasInstance, { value: isDOMException });

/** Brand check, whatever a value's prototype says. */
export function isDOMException(value: object): boolean {
  return partIfLoaded<Exceptions>('exceptions')?.isDOMException(value) === true;
}

const MESSAGE_CHARACTERS = 4_096;
const STACK_CHARACTERS = 16_384;

/** Plain strings about a thrown value, capped; safe for proxies, throwing getters, null and whatever else tenants throw. */
export interface Described {
  readonly message: string;
  readonly stack: string;
}

export function describeThrown(thrown: unknown): Described {
  if (typeof thrown !== 'object' || thrown === null) return { message: clip(primitive(thrown), MESSAGE_CHARACTERS), stack: '' };
  const stack = text(() => property(thrown, 'stack'));
  return { message: clip(headOf(thrown), MESSAGE_CHARACTERS), stack: clip(withoutOwnFrames(stack), STACK_CHARACTERS) };
}

/** ECMA-262, Error.prototype.toString, of anything and without ever throwing. */
export function headOf(thrown: unknown): string {
  const name = text(() => property(thrown as object, 'name')) || 'Error';
  const message = text(() => property(thrown as object, 'message'));
  return message === '' ? name : `${name}: ${message}`;
}

/** How far up prototypes are followed: a proxy may claim any number of them. */
const PROTOTYPES = 100;

/** Accessors are called for Errors alone, whose authors like to write `get name()`; what else is thrown is only looked at. */
function property(thrown: object, key: string): unknown {
  let found: PropertyDescriptor | undefined;
  let at: object | null = thrown;
  for (let i = 0; i < PROTOTYPES && at !== null; i++) {
    if (at === NativeError.prototype) return (thrown as Record<string, unknown>)[key];
    found ??= reflectGetOwnPropertyDescriptor(at, key);
    at = reflectGetPrototypeOf(at);
  }
  return found?.value as unknown;
}

function primitive(value: unknown): string {
  return typeof value === 'function' ? 'function' : typeof value === 'object' && value !== null ? 'object' : NativeString(value);
}

/** A property that may throw, loop through a proxy, or be no string. Objects are not converted: that would run their code once more. */
function text(read: () => unknown): string {
  try {
    const value = read();
    return value === undefined ? '' : primitive(value);
  } catch {
    return '';
  }
}

function clip(value: string, characters: number): string {
  return value.length <= characters ? value : `${StringPrototypeSlice(value, 0, characters)}…`;
}

const OWN_FRAME = 'thimble:';

/** Stack lines of the runtime are of no use to authors. */
function withoutOwnFrames(stack: string): string {
  if (StringPrototypeIndexOf(stack, OWN_FRAME) < 0) return stack;
  let kept = '';
  let from = 0;
  while (from <= stack.length) {
    let end = StringPrototypeIndexOf(stack, '\n', from);
    if (end < 0) end = stack.length;
    const line = StringPrototypeSlice(stack, from, end);
    const isOwn = StringPrototypeIndexOf(line, '    at ') === 0 && StringPrototypeIndexOf(line, OWN_FRAME) >= 0;
    if (!isOwn) kept += from === 0 ? line : `\n${line}`;
    from = end + 1;
  }
  return kept;
}
