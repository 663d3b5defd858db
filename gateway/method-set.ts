// Sets of HTTP methods as bits: what a trigger takes, and what an Allow field lists.
import { METHODS } from '../core/schemas/index.ts';

export const ALL_METHODS = 2 ** METHODS.length - 1;

const BITS: ReadonlyMap<string, number> = new Map(METHODS.map((method, i) => [method as string, 2 ** i]));
const GET_BIT = BITS.get('GET') ?? 0;
const HEAD_BIT = BITS.get('HEAD') ?? 0;

/** The bit of a method; 0 when functions cannot be called with it. Methods are case-sensitive (RFC 9110 section 9.1). */
export function methodBit(method: string): number {
  return BITS.get(method) ?? 0;
}

/** Absent: every method. GET takes HEAD too. */
export function methodSet(methods: readonly string[] | undefined): number {
  if (methods === undefined) return ALL_METHODS;
  const set = methods.reduce((bits, method) => bits | methodBit(method), 0);
  return (set & GET_BIT) === 0 ? set : set | HEAD_BIT;
}

/** `GET, HEAD`: the value of an Allow field. */
export function allowList(set: number): string {
  return METHODS.filter((method) => (set & methodBit(method)) !== 0).join(', ');
}
