// What Web IDL asks of every interface that is put on globalThis, whoever wrote the class.
import { ObjectDefineProperty, append, reflectGetOwnPropertyDescriptor, reflectOwnKeys } from './primordials.guest.ts';

const { toStringTag } = Symbol;

/** Prototypes of all interfaces that exist: their instances are no plain objects (structured cloning). */
export const interfacePrototypes: object[] = [];

/**
 * Gives a class the form of an interface (Web IDL, section 3.7): members enumerable on prototype and constructor, the class string, the name.
 *
 * @param name  of the interface; bundlers may have renamed the class
 * @param length  required arguments of the constructor, where the class does not say so by itself
 */
export function exposeInterface(name: string, value: object, length?: number): void {
  const { prototype } = value as { prototype: object };
  append(interfacePrototypes, prototype);
  showMembers(prototype, false);
  showMembers(value, true);
  ObjectDefineProperty(prototype, toStringTag, { value: name, writable: false, enumerable: false, configurable: true });
  ObjectDefineProperty(value, 'name', { value: name, writable: false, enumerable: false, configurable: true });
  if (length !== undefined) ObjectDefineProperty(value, 'length', { value: length, writable: false, enumerable: false, configurable: true });
}

/** `name` and `length` are a function's own on a constructor, and may be members on a prototype: `File.prototype.name`. */
function showMembers(holder: object, isConstructor: boolean): void {
  const keys = reflectOwnKeys(holder);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string | symbol;
    if (typeof key === 'symbol' || (isConstructor ? key === 'prototype' || key === 'name' || key === 'length' : key === 'constructor')) continue;
    if (reflectGetOwnPropertyDescriptor(holder, key)?.configurable === true) ObjectDefineProperty(holder, key, { enumerable: true });
  }
}
