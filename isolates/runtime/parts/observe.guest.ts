// The run of a module that a build watches: what does it touch at its top level that a frozen heap must not hold?
import { LATE_MEMBERS } from '../abi-snapshots.ts';
import type { Observed } from '../abi-snapshots.ts';
import { evaluate, loaded } from '../module.guest.ts';
import type { Evaluation } from '../module.guest.ts';
import { JSONParse, JSONStringify } from '../primordials.guest.ts';

// Evaluated before tenant code: globals are still V8's own here.
const { defineProperty, getOwnPropertyDescriptor } = Object;
const { has, get, set, deleteProperty, ownKeys, getOwnPropertyDescriptor: reflectDescriptor, defineProperty: reflectDefine } = Reflect;

/** Names of variables that are kept; a module that looks at more of them might as well have listed all. */
const MAX_NAMES = 256;
const MAX_NAME_CHARACTERS = 128;
const ALL = '*';

const touched = new Set<string>();
const variables = new Set<string>();

/** The name of what takes a part, which is there while a part is made: what our own code touches then does not count. */
const HANDOVER = '__thimble_part';

function touch(reason: string): void {
  if (!(HANDOVER in globalThis)) touched.add(reason);
}

function read(key: PropertyKey): void {
  if (typeof key !== 'string') return;
  variables.add(key.length > MAX_NAME_CHARACTERS || variables.size >= MAX_NAMES ? ALL : key);
}

/** The environment, whose every use is noted: by name, since values of secrets are not known here. */
function watchedEnvironment(environment: Record<string, string>): Record<string, string> {
  return new Proxy(environment, {
    has: (target, key) => (read(key), has(target, key)),
    get: (target, key, receiver) => (read(key), get(target, key, receiver)),
    set: (target, key, value, receiver) => (read(key), set(target, key, value, receiver)),
    deleteProperty: (target, key) => (read(key), deleteProperty(target, key)),
    defineProperty: (target, key, descriptor) => (read(key), reflectDefine(target, key, descriptor)),
    getOwnPropertyDescriptor: (target, key) => (read(key), reflectDescriptor(target, key)),
    ownKeys: (target) => (variables.add(ALL), ownKeys(target)),
  });
}

/** Notes when a member is read or replaced; it stays what it was. */
function watchMember(holder: object, member: string, reason: string): void {
  const before = getOwnPropertyDescriptor(holder, member);
  let value: unknown = before?.get === undefined ? before?.value : undefined;
  defineProperty(holder, member, {
    get(this: unknown): unknown {
      touch(reason);
      return before?.get === undefined ? value : Reflect.apply(before.get, this, []);
    },
    set: (replaced: unknown) => {
      touch(reason);
      value = replaced;
    },
    enumerable: before?.enumerable ?? false,
    configurable: true,
  });
}

/** Objects of Intl abort the process that would freeze them; asking whether there is an Intl does no harm. */
function watchIntl(): void {
  const native = Intl;
  const watched = new Proxy(native, {
    get(target, key, receiver): unknown {
      const value: unknown = get(target, key, receiver);
      if (typeof value === 'function') touch('intl');
      return value;
    },
  });
  defineProperty(globalThis, 'Intl', { value: watched, writable: true, enumerable: false, configurable: true });
}

function watchRandom(): void {
  const { random } = Math;
  const watched = { random: (): number => (touch('random'), random()) };
  defineProperty(Math, 'random', { value: watched.random, writable: true, enumerable: false, configurable: true });
}

export function observe(environment: string, shape: string): Evaluation | undefined {
  loaded.environment = watchedEnvironment(JSONParse(environment) as Record<string, string>);
  loaded.shape = shape;
  watchRandom();
  watchIntl();
  watchMember(globalThis, 'FinalizationRegistry', 'finalization');
  for (const [path, member] of LATE_MEMBERS) {
    // V8 reads the one itself, for `flags`, and reading the other does no harm. Setting them does: the seal of a snapshot finds out.
    if (member === 'unicodeSets' || member === 'stackTraceLimit') continue;
    let holder: object = globalThis;
    for (const step of path === '' ? [] : path.split('.')) holder = (holder as Record<string, object>)[step] as object;
    watchMember(holder, member, member === 'WebAssembly' ? 'wasm' : 'unavailable');
  }
  return evaluate();
}

export function observed(): string {
  return JSONStringify({ touched: [...touched], environment: [...variables] } satisfies Observed);
}
