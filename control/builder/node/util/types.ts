// node:util/types: which kind a value is, told by what only that kind has. Proxies and what V8 keeps to itself cannot be told.

const tagOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);
const tagged = (...tags: string[]) => (value: unknown): boolean => typeof value === 'object' && value !== null && tags.includes(tagOf(value));

/** Whether the getter, which throws on all other objects, takes it. */
function hasSlot(prototype: object, name: PropertyKey): (value: unknown) => boolean {
  const { get, value: method } = Object.getOwnPropertyDescriptor(prototype, name) as PropertyDescriptor;
  const probe = (get ?? method) as (this: unknown, key?: unknown) => unknown;
  return (value) => {
    if (typeof value !== 'object' || value === null) return false;
    try {
      probe.call(value, {});
      return true;
    } catch {
      return false;
    }
  };
}

const typedArrayName = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)?.get as (this: unknown) => string | undefined;
const viewOf = (name: string) => (value: unknown): boolean => typedArrayName.call(value) === name;

export const isArrayBufferView = (value: unknown): boolean => ArrayBuffer.isView(value);
export const isTypedArray = (value: unknown): boolean => typedArrayName.call(value) !== undefined;
export const isUint8Array = viewOf('Uint8Array');
export const isUint8ClampedArray = viewOf('Uint8ClampedArray');
export const isUint16Array = viewOf('Uint16Array');
export const isUint32Array = viewOf('Uint32Array');
export const isInt8Array = viewOf('Int8Array');
export const isInt16Array = viewOf('Int16Array');
export const isInt32Array = viewOf('Int32Array');
export const isFloat32Array = viewOf('Float32Array');
export const isFloat64Array = viewOf('Float64Array');
export const isBigInt64Array = viewOf('BigInt64Array');
export const isBigUint64Array = viewOf('BigUint64Array');

export const isMap = hasSlot(Map.prototype, 'size');
export const isSet = hasSlot(Set.prototype, 'size');
export const isWeakMap = hasSlot(WeakMap.prototype, 'has');
export const isWeakSet = hasSlot(WeakSet.prototype, 'has');
export const isDate = hasSlot(Date.prototype, 'getTime');
export const isDataView = hasSlot(DataView.prototype, 'byteLength');
export const isArrayBuffer = hasSlot(ArrayBuffer.prototype, 'byteLength');
export const isAnyArrayBuffer = isArrayBuffer;
export const isSharedArrayBuffer = (): boolean => false;
export const isNumberObject = hasSlot(Number.prototype, 'valueOf');
export const isStringObject = hasSlot(String.prototype, 'valueOf');
export const isBooleanObject = hasSlot(Boolean.prototype, 'valueOf');
export const isBigIntObject = hasSlot(BigInt.prototype, 'valueOf');
export const isSymbolObject = hasSlot(Symbol.prototype, 'valueOf');
export const isBoxedPrimitive = (value: unknown): boolean => isNumberObject(value) || isStringObject(value) || isBooleanObject(value) || isBigIntObject(value) || isSymbolObject(value);

const isPattern = hasSlot(RegExp.prototype, 'global');
/** The getter takes the prototype itself, too. */
export const isRegExp = (value: unknown): boolean => value !== RegExp.prototype && isPattern(value);
export const isNativeError = (value: unknown): boolean => value instanceof Error || tagged('Error')(value);
export const isPromise = (value: unknown): boolean => value instanceof Promise || tagged('Promise')(value);
export const isArgumentsObject = tagged('Arguments');
export const isMapIterator = tagged('Map Iterator');
export const isSetIterator = tagged('Set Iterator');
export const isGeneratorObject = tagged('Generator', 'AsyncGenerator');
export const isModuleNamespaceObject = tagged('Module');
export const isAsyncFunction = (value: unknown): boolean => typeof value === 'function' && ['AsyncFunction', 'AsyncGeneratorFunction'].includes(tagOf(value));
export const isGeneratorFunction = (value: unknown): boolean => typeof value === 'function' && ['GeneratorFunction', 'AsyncGeneratorFunction'].includes(tagOf(value));
export const isCryptoKey = tagged('CryptoKey');
export const isKeyObject = tagged('KeyObject');
export const isProxy = (): boolean => false;
export const isExternal = (): boolean => false;

export default {
  isAnyArrayBuffer, isArgumentsObject, isArrayBuffer, isArrayBufferView, isAsyncFunction, isBigInt64Array, isBigIntObject, isBigUint64Array, isBooleanObject, isBoxedPrimitive, isCryptoKey, isDataView, isDate,
  isExternal, isFloat32Array, isFloat64Array, isGeneratorFunction, isGeneratorObject, isInt16Array, isInt32Array, isInt8Array, isKeyObject, isMap, isMapIterator, isModuleNamespaceObject, isNativeError,
  isNumberObject, isPromise, isProxy, isRegExp, isSet, isSetIterator, isSharedArrayBuffer, isStringObject, isSymbolObject, isTypedArray, isUint16Array, isUint32Array, isUint8Array, isUint8ClampedArray,
  isWeakMap, isWeakSet,
};
