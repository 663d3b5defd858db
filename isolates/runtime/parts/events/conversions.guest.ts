// Conversions of Web IDL (section 3.2) that the event classes share.
import { NativeTypeError } from '../../primordials.guest.ts';

/** DOMString. Throws a TypeError for symbols, as String() would not. */
export function toDOMString(value: unknown): string {
  return `${value as string}`;
}

/** A dictionary argument: undefined and null are the empty one. */
export function dictionary<T extends object>(value: unknown): Partial<T> {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' && typeof value !== 'function') throw new NativeTypeError('the options must be an object');
  return value as Partial<T>;
}

/** `count` arguments are needed (Web IDL, section 3.7.6). */
export function needArguments(given: number, count: number, what: string): void {
  if (given < count) throw new NativeTypeError(`${what} needs ${count} argument${count === 1 ? '' : 's'}, got ${given}`);
}

/** unsigned long long with [EnforceRange]. */
export function enforceUnsigned(value: unknown, what: string): number {
  const number = +(value as number);
  // NaN and the infinities fail the comparison, too.
  if (!(number > -1 && number < 9_007_199_254_740_992)) throw new NativeTypeError(`${what} is out of range`);
  return number - (number % 1);
}
