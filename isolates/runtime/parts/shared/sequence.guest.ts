// Web IDL's conversion to a sequence (section 3.2.21), by the iterator that the value itself gives.
import { NativeTypeError, reflectApply, symbolIterator } from '../../primordials.guest.ts';

interface Step {
  readonly done?: unknown;
  readonly value?: unknown;
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** @param convert  of each item, when it comes */
export function sequenceOf(value: unknown, convert: (item: unknown) => unknown = (item) => item): unknown[] {
  return isObject(value) ? iterateWith(value, (value as { [Symbol.iterator]?: unknown })[symbolIterator], convert) : notOne();
}

/** The same with an iterator method that was looked up before. */
export function iterateWith(value: object, method: unknown, convert: (item: unknown) => unknown = (item) => item): unknown[] {
  if (typeof method !== 'function') return notOne();
  const iteration = reflectApply(method as never, value, []) as { next: never };
  if (!isObject(iteration)) return notOne();
  const { next } = iteration;
  const values: unknown[] = [];
  for (;;) {
    const step = reflectApply(next, iteration, []) as Step;
    if (!isObject(step)) return notOne();
    if (step.done) return values;
    values[values.length] = convert(step.value);
  }
}

function notOne(): never {
  throw new NativeTypeError('a sequence is needed');
}
