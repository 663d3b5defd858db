// Intrinsics in the form in which packages use them, `method.call(receiver, …)`, without the `call` of Function.prototype: a tenant may have replaced that.
import { ObjectPrototypeHasOwnProperty, PromisePrototypeThen, reflectApply } from '../../primordials.guest.ts';

export const libraryThen = { call: PromisePrototypeThen };
export const libraryApply = { call: reflectApply };
export const libraryHasOwn = { call: ObjectPrototypeHasOwnProperty };
