// Exceptions that nobody catches and rejections that nobody handles: an event on globalThis if somebody listens, else a line of the log.
import { REASON } from './abi.ts';
import { describeThrown, headOf } from './errors.guest.ts';
import { globalListens } from './events.guest.ts';
import { log } from './host.guest.ts';
import { loadPart } from './parts.guest.ts';
import type * as ReportingPart from './parts/reporting.guest.ts';
import { NativeError, NativeTypeError, NativeWeakRef, StringPrototypeIndexOf, StringPrototypeSlice, WeakRefPrototypeDeref, reflectDefineProperty, uncurryThis } from './primordials.guest.ts';

export type Reporting = typeof ReportingPart;

/** HTML standard, section 8.1.4.6, "report an exception". Never throws. */
export function report(thrown: unknown): void {
  try {
    if (globalListens('error')) loadPart<Reporting>('reporting').reportException(thrown);
    else logThrown(thrown, '');
  } catch {
    // Out of stack: the line is what is left to lose.
  }
}

export function reportError(error: unknown): void {
  if (arguments.length === 0) throw new NativeTypeError('reportError needs an argument');
  report(error);
}

export function logThrown(thrown: unknown, prefix: string): void {
  const { message, stack } = describeThrown(thrown);
  log('error', `${prefix}${stack || message}`);
}

/**
 * A promise was rejected during the last entry and nobody handled it. The host has no more than a copy of the reason.
 *
 * @param kind  of `REASON`
 * @param value  the error's name and message, parted by a line feed; or the primitive
 * @param quietly  without an event: the rejection came from reporting one
 */
export function reportRejection(kind: number, value: unknown, stack: string, quietly: boolean): void {
  const reason = originalOf(stack) ?? rebuilt(kind, value, stack);
  try {
    if (!quietly && globalListens('unhandledrejection') && loadPart<Reporting>('reporting').rejectionPrevented(reason)) return;
  } catch (thrown) {
    logThrown(thrown, '');
  }
  logThrown(reason, 'Uncaught (in promise) ');
}

function rebuilt(kind: number, value: unknown, stack: string): unknown {
  if (kind === REASON.primitive) return value;
  if (kind === REASON.opaque) return withStack(new NativeError('a promise was rejected with an object that is no Error'), '');
  const text = value as string;
  const at = StringPrototypeIndexOf(text, '\n');
  const error = new NativeError(StringPrototypeSlice(text, at + 1));
  const name = StringPrototypeSlice(text, 0, at);
  if (name !== 'Error') reflectDefineProperty(error, 'name', { value: name, writable: true, enumerable: false, configurable: true });
  return withStack(error, stack);
}

/** The error whose stack was formatted last, and the text that came of it. */
let lastFormatted: WeakRef<object> | undefined;
let lastStack = '';

/**
 * Gives stacks their usual form without the runtime's own frames. It also remembers whose stack it was: isolated-vm reads `stack` of a
 * rejection's reason for its copy, and V8 formats a stack when it is first read, so that the reason itself can still be found.
 */
export function installStackFormat(): void {
  reflectDefineProperty(NativeError, 'prepareStackTrace', { value: formatStack, writable: true, enumerable: false, configurable: true });
}

interface CallSite {
  toString(): string;
  getFileName(): unknown;
}

let siteText: ((site: CallSite) => string) | undefined;
let siteFile: ((site: CallSite) => unknown) | undefined;

function formatStack(error: unknown, sites: readonly CallSite[]): string {
  let stack = headOf(error);
  for (let i = 0; i < sites.length; i++) {
    const site = sites[i] as CallSite;
    // There are no call sites while a snapshot is made.
    siteText ??= uncurryThis(site.toString as (this: CallSite) => string);
    siteFile ??= uncurryThis(site.getFileName as (this: CallSite) => unknown);
    const file = siteFile(site);
    if (typeof file !== 'string' || StringPrototypeIndexOf(file, 'thimble:') !== 0) stack += `\n    at ${siteText(site)}`;
  }
  if (typeof error === 'object' && error !== null) lastFormatted = new NativeWeakRef(error);
  lastStack = stack;
  return stack;
}

function originalOf(stack: string): unknown {
  const error = lastFormatted === undefined || stack !== lastStack ? undefined : WeakRefPrototypeDeref(lastFormatted);
  lastFormatted = undefined;
  lastStack = '';
  return error;
}

function withStack(error: Error, stack: string): Error {
  reflectDefineProperty(error, 'stack', { value: stack === '' ? `${error.name}: ${error.message}` : stack, writable: true, enumerable: false, configurable: true });
  return error;
}
