// structuredClone (HTML standard, section 2.7): serialization and deserialization in one walk.
import { DOMException } from '../errors.guest.ts';
import type { Exceptions } from '../errors.guest.ts';
import { partIfLoaded } from '../parts.guest.ts';
import {
  ArrayBufferIsView, DataViewBuffer, DataViewByteLength, DataViewByteOffset, MapPrototypeGet, MapPrototypeSet, NativeTypeError, NativeUint8Array, ObjectKeys,
  TypedArrayBuffer, TypedArrayByteOffset, reflectConstruct, typedArrayName,
} from '../primordials.guest.ts';
import { intrinsics, platformObjects } from '../structured-clone.guest.ts';
import type { PlatformObject, Transferred } from '../structured-clone.guest.ts';
import {
  copySlot, define, hasOwn, isArrayBuffer, isDetached, isOrdinary, kindOfObject, mapEntries, mapHas, newError, newMap, newSet, ownValue, setAdd, setItems, transferBuffer, typedArrayLength, viewConstructor,
} from './clone/kinds.guest.ts';

const { isArray } = intrinsics;

function refuse(what: string): never {
  throw new DOMException(`${what} could not be cloned`, 'DataCloneError');
}

/** Stands for a transferred object, which moves only when everything else has been cloned: a failure leaves the caller's objects as they were. */
class Moved {
  readonly #make: () => unknown;
  #value: unknown;
  #made = false;

  constructor(make: () => unknown) {
    this.#make = make;
  }

  get value(): unknown {
    if (!this.#made) this.#value = this.#make();
    this.#made = true;
    return this.#value;
  }

  static is(value: unknown): value is Moved {
    return typeof value === 'object' && value !== null && #make in value;
  }
}

/** Throws what Web IDL and the standard say: TypeError for wrong options, DataCloneError, and whatever the tenant's own getters throw. */
export function structuredClone(value: unknown, options: unknown): unknown {
  return new Cloning(transferList(options)).run(value);
}

/** StructuredSerializeWithTransfer and back: the copy, and what the items of the list have become, in their order. */
export function cloneWithTransfer(value: unknown, transfer: readonly object[]): Transferred {
  const cloning = new Cloning(transfer);
  return { copy: cloning.run(value), moved: cloning.moved() };
}

/** StructuredSerializeOptions: the items of `transfer`. */
function transferList(options: unknown): readonly object[] {
  const list: object[] = [];
  if (options === undefined || options === null) return list;
  if (!isObject(options)) throw new NativeTypeError('the options must be an object');
  const { transfer } = options as { transfer?: unknown };
  if (transfer === undefined) return list;
  if (!isObject(transfer) || typeof (transfer as Iterable<unknown>)[Symbol.iterator] !== 'function') throw new NativeTypeError('transfer must be a sequence');
  for (const item of transfer as Iterable<unknown>) {
    if (!isObject(item)) throw new NativeTypeError('only objects can be transferred');
    define(list, list.length, item);
  }
  return list;
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

class Cloning {
  readonly #transfer: readonly object[];
  /** Copies by original: the standard's memory. */
  readonly #memory = newMap();
  /** What has to wait until the transferred objects have moved. */
  readonly #later: (() => void)[] = [];

  constructor(transfer: readonly object[]) {
    this.#transfer = transfer;
  }

  run(value: unknown): unknown {
    const transfer = this.#transfer;
    for (let i = 0; i < transfer.length; i++) {
      const item = transfer[i] as object;
      if (mapHas(this.#memory, item)) refuse('an object that is listed twice');
      MapPrototypeSet(this.#memory, item, this.#mover(item));
    }
    const copy = this.#clone(value);
    for (let i = 0; i < transfer.length; i++) {
      const item = transfer[i] as object;
      if (isArrayBuffer(item) && isDetached(item)) refuse('a detached ArrayBuffer');
    }
    for (let i = 0; i < transfer.length; i++) void (MapPrototypeGet(this.#memory, transfer[i]) as Moved).value;
    for (let i = 0; i < this.#later.length; i++) (this.#later[i] as () => void)();
    return now(copy);
  }

  /** Once it has run. */
  moved(): readonly object[] {
    const list: object[] = [];
    for (let i = 0; i < this.#transfer.length; i++) define(list, i, (MapPrototypeGet(this.#memory, this.#transfer[i]) as Moved).value);
    return list;
  }

  #mover(item: object): Moved {
    if (isArrayBuffer(item)) return new Moved(() => transferBuffer(item as ArrayBuffer));
    const move = platformObject(item)?.transfer;
    if (move === undefined) return refuse('an object that is not transferable');
    return new Moved(() => move(item));
  }

  #wait(run: () => void): void {
    define(this.#later, this.#later.length, run);
  }

  #remember<C>(value: object, copy: C): C {
    MapPrototypeSet(this.#memory, value, copy);
    return copy;
  }

  #clone(value: unknown): unknown {
    if (typeof value === 'symbol') return refuse('a symbol');
    if (typeof value === 'function') return MapPrototypeGet(this.#memory, value) ?? refuse('a function');
    if (typeof value !== 'object' || value === null) return value;
    const known = MapPrototypeGet(this.#memory, value);
    if (known !== undefined) return known;
    if (isArray(value)) return this.#array(value);
    if (ArrayBufferIsView(value)) return this.#view(value);
    if (isOrdinary(value)) return this.#properties(value, this.#remember(value, {}));
    if (isArrayBuffer(value)) return this.#buffer(value as ArrayBuffer);
    const platform = platformObject(value);
    if (platform === undefined) return this.#object(value);
    if (platform.clone === undefined) return refuse('an object of this type');
    return this.#remember(value, platform.clone(value, (inner) => this.#clone(inner)));
  }

  #object(value: object): unknown {
    const kind = kindOfObject(value);
    switch (kind) {
      case 'plain':
        return this.#properties(value, this.#remember(value, {}));
      case 'map':
        return this.#map(value);
      case 'set':
        return this.#set(value);
      case 'error':
        return this.#error(value);
      case 'symbol':
      case 'refused':
        return refuse('an object of this type');
      default:
        return this.#remember(value, copySlot(kind, value));
    }
  }

  #array(value: readonly unknown[]): unknown {
    const copy: unknown[] = this.#remember(value, []);
    copy.length = value.length;
    return this.#properties(value, copy);
  }

  /** Own enumerable string keys, in order; getters run, as the standard has it. */
  #properties<C extends object>(value: object, copy: C): C {
    const keys = ObjectKeys(value);
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as string;
      // A getter before it may have deleted it.
      if (i > 0 && !hasOwn(value, key)) continue;
      this.#put(copy, key, this.#clone((value as Record<string, unknown>)[key]), true);
    }
    return copy;
  }

  /** Sets it now, and once more when it has moved: so keys keep their order. */
  #put(holder: object, key: string, copy: unknown, enumerable: boolean): void {
    define(holder, key, Moved.is(copy) ? undefined : copy, enumerable);
    if (Moved.is(copy)) this.#wait(() => define(holder, key, copy.value, enumerable));
  }

  /** Clones each item in place; `fill` runs when all are there. */
  #each(items: unknown[], fill: () => void): void {
    let waits = false;
    for (let i = 0; i < items.length; i++) {
      items[i] = this.#clone(items[i]);
      waits ||= Moved.is(items[i]);
    }
    if (waits) this.#wait(fill);
    else fill();
  }

  #map(value: object): unknown {
    const copy = this.#remember(value, newMap());
    const entries = mapEntries(value);
    this.#each(entries, () => {
      for (let i = 0; i < entries.length; i += 2) MapPrototypeSet(copy, now(entries[i]), now(entries[i + 1]));
    });
    return copy;
  }

  #set(value: object): unknown {
    const copy = this.#remember(value, newSet());
    const items = setItems(value);
    this.#each(items, () => {
      for (let i = 0; i < items.length; i++) setAdd(copy, now(items[i]));
    });
    return copy;
  }

  #buffer(buffer: ArrayBuffer): unknown {
    if (isDetached(buffer)) return refuse('a detached ArrayBuffer');
    // Not `slice`: it asks the species of the tenant's buffer.
    return this.#remember(buffer, TypedArrayBuffer(new NativeUint8Array(new NativeUint8Array(buffer))));
  }

  #view(view: ArrayBufferView): unknown {
    const name = typedArrayName(view);
    const buffer = this.#clone(name === undefined ? DataViewBuffer(view) : TypedArrayBuffer(view));
    const offset = name === undefined ? DataViewByteOffset(view) : TypedArrayByteOffset(view);
    const length = name === undefined ? DataViewByteLength(view) : typedArrayLength(view);
    const make = (on: unknown): unknown => reflectConstruct(viewConstructor(name), [on, offset, length]);
    return this.#remember(view, Moved.is(buffer) ? new Moved(() => make(buffer.value)) : make(buffer));
  }

  #error(value: object): unknown {
    const copy = this.#remember(value, newError(value));
    const message = ownValue(value, 'message');
    if (message !== undefined) define(copy, 'message', `${message.value as string}`, false);
    const { stack } = value as { stack?: unknown };
    if (typeof stack === 'string') define(copy, 'stack', stack, false);
    const cause = ownValue(value, 'cause');
    if (cause !== undefined) this.#put(copy, 'cause', this.#clone(cause.value), false);
    return copy;
  }
}

function now(value: unknown): unknown {
  return Moved.is(value) ? value.value : value;
}

/** DOMException: an Error by its slots, told apart before errors are. */
const exception: PlatformObject = {
  is: (value) => partIfLoaded<Exceptions>('exceptions')?.exceptionState(value) !== undefined,
  clone(value) {
    const state = partIfLoaded<Exceptions>('exceptions')?.exceptionState(value);
    const copy = new DOMException(state?.message, state?.name);
    const { stack } = value as { stack?: unknown };
    if (typeof stack === 'string') define(copy, 'stack', stack, false);
    return copy;
  },
};

function platformObject(value: object): PlatformObject | undefined {
  if (exception.is(value)) return exception;
  for (let i = 0; i < platformObjects.length; i++) if (platformObjects[i]?.is(value) === true) return platformObjects[i];
  return undefined;
}
