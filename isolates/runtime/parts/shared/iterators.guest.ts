// Iterator objects of interfaces (Web IDL, section 3.7.10.2).
import { ObjectDefineProperty } from '../../primordials.guest.ts';

export const IteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())) as object;

/** Gives an iterator's prototype its form: `next` enumerable, a class string, no constructor. */
export function finishIterator(prototype: object, name: string): void {
  delete (prototype as { constructor?: unknown }).constructor;
  ObjectDefineProperty(prototype, 'next', { enumerable: true });
  ObjectDefineProperty(prototype, Symbol.toStringTag, { value: name, configurable: true });
}
