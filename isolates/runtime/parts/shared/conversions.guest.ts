// Conversions of Web IDL that several parts share (Web IDL, section 3.2).
import { NativeTypeError } from '../../primordials.guest.ts';

/** An argument that must be there. */
export function needArguments(given: number, needed: number, of: string): void {
  if (given < needed) throw new NativeTypeError(`${of}: ${needed} argument${needed === 1 ? '' : 's'} required, but only ${given} present`);
}

/** A dictionary argument: an object, or nothing. */
export function dictionary(value: unknown, of: string): Readonly<Record<string, unknown>> {
  if (value === undefined || value === null) return NOTHING;
  if (typeof value !== 'object' && typeof value !== 'function') throw new NativeTypeError(`${of}: the options must be an object`);
  return value as Readonly<Record<string, unknown>>;
}

const NOTHING: Readonly<Record<string, unknown>> = Object.freeze({ __proto__: null as never });
