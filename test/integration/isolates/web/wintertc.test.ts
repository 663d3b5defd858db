// Every entry of ECMA-429 is there and of the form that Web IDL gives it: generated from the list in test/support/wintertc.ts.
import { beforeAll, describe, expect, test } from 'vitest';
import { TestHost } from '../../../support/isolates-host.ts';
import { BEYOND, CONSOLE, GLOBALS, INTERFACES, LEFT_OUT, WEBASSEMBLY } from '../../../support/wintertc.ts';
import type { InterfaceEntry, MemberForm } from '../../../support/wintertc.ts';

const host = TestHost.shared();

/** Runs inside: what is wrong with each entry, by name. It is sent as text, so it uses nothing of this module. */
async function examine({ interfaces, globals, methods, beyond, leftOut }: {
  readonly interfaces: Readonly<Record<string, InterfaceEntry>>; readonly globals: typeof GLOBALS; readonly methods: readonly string[]; readonly beyond: Readonly<Record<string, string>>; readonly leftOut: Readonly<Record<string, string>>;
}): Promise<Record<string, string[]>> {
  const results: Record<string, string[]> = {};
  const world = globalThis as unknown as Record<string, unknown>;
  const throwsTypeError = (run: () => unknown): boolean => {
    try {
      run();
      return false;
    } catch (error) {
      return error instanceof TypeError;
    }
  };
  const rejectsTypeError = async (run: () => unknown): Promise<boolean> => {
    try {
      await run();
      return false;
    } catch (error) {
      return error instanceof TypeError;
    }
  };

  const member = async (wrong: string[], holder: object, name: string, form: MemberForm, promise: boolean, isStatic: boolean): Promise<void> => {
    const found = Object.getOwnPropertyDescriptor(holder, name);
    if (found === undefined) return void wrong.push(`${name} is missing`);
    if (found.enumerable !== true) wrong.push(`${name} is not enumerable`);
    if (typeof form === 'object') {
      if (found.value !== form.constant) wrong.push(`${name} is ${String(found.value)}`);
      if (found.writable !== false || found.configurable !== false) wrong.push(`${name} can be changed`);
      return;
    }
    if (found.configurable !== true) wrong.push(`${name} is not configurable`);
    const strange = {};
    if (typeof form === 'number') {
      const method: unknown = found.value;
      if (typeof method !== 'function') return void wrong.push(`${name} is no method`);
      if (found.writable !== true) wrong.push(`${name} is not writable`);
      if (method.length !== form) wrong.push(`${name} has length ${method.length}, not ${form}`);
      if (method.name !== name) wrong.push(`${name} is called ${method.name}`);
      if (Object.hasOwn(method, 'prototype')) wrong.push(`${name} is a constructor`);
      const call = (): unknown => Reflect.apply(method, strange, []);
      if (!isStatic && !(promise ? await rejectsTypeError(call) : throwsTypeError(call))) wrong.push(`${name} takes another receiver`);
      return;
    }
    if (typeof found.get !== 'function') return void wrong.push(`${name} is no accessor`);
    if (found.get.name !== `get ${name}`) wrong.push(`the getter of ${name} is called ${found.get.name}`);
    if (found.get.length !== 0) wrong.push(`the getter of ${name} has length ${found.get.length}`);
    if ((typeof found.set === 'function') !== (form === 'get set')) wrong.push(form === 'get' ? `${name} can be set` : `${name} can not be set`);
    if (found.set !== undefined && (found.set.name !== `set ${name}` || found.set.length !== 1)) wrong.push(`the setter of ${name} is ${found.set.name} of length ${found.set.length}`);
    // oxlint-disable-next-line typescript/unbound-method -- its receiver is what is tested
    const getter = found.get;
    const read = (): unknown => Reflect.apply(getter, strange, []);
    if (!(promise ? await rejectsTypeError(read) : throwsTypeError(read))) wrong.push(`${name} takes another receiver`);
  };

  for (const [name, entry] of Object.entries(interfaces)) {
    const wrong: string[] = (results[name] = []);
    const value = world[name] as (new (...args: unknown[]) => object) | undefined;
    const global = Object.getOwnPropertyDescriptor(globalThis, name);
    if (typeof value !== 'function' || global === undefined) {
      wrong.push('it is missing');
      continue;
    }
    if (global.writable !== true || global.configurable !== true || global.enumerable !== false) wrong.push('the global is not writable, configurable and not enumerable');
    if (value.name !== name) wrong.push(`it is called ${value.name}`);
    if (value.length !== (entry.constructs === 'illegal' ? 0 : entry.constructs)) wrong.push(`its length is ${value.length}`);
    if (Object.getOwnPropertyDescriptor(value, 'prototype')?.writable !== false) wrong.push('prototype is writable');
    const prototype = value.prototype as object;
    const tag = Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag);
    if (tag?.value !== name || tag.writable !== false || tag.enumerable !== false || tag.configurable !== true) wrong.push(`the class string is ${String(tag?.value)}`);
    if ((prototype as { constructor: unknown }).constructor !== value) wrong.push('constructor of the prototype is another');
    if (!throwsTypeError(() => Reflect.apply(value, undefined, [{}, {}, {}]))) wrong.push('it can be called without new');
    if (entry.constructs === 'illegal' && !throwsTypeError(() => new value())) wrong.push('it can be constructed');
    if (typeof entry.constructs === 'number' && entry.constructs > 0 && !throwsTypeError(() => new value())) wrong.push('it takes no arguments');
    const parent = name === 'DOMException' ? Error.prototype : entry.inherits === undefined ? Object.prototype : (world[entry.inherits] as { prototype: object }).prototype;
    if (Object.getPrototypeOf(prototype) !== parent) wrong.push('the prototype inherits from another');
    const parentConstructor = entry.inherits === undefined ? Function.prototype : world[entry.inherits];
    if (Object.getPrototypeOf(value) !== parentConstructor) wrong.push('the constructor inherits from another');
    for (const [key, form] of Object.entries(entry.members)) await member(wrong, prototype, key, form, entry.promises?.includes(key) === true, false);
    for (const [key, form] of Object.entries(entry.statics ?? {})) await member(wrong, value, key, form, false, true);
    for (const [symbol, key] of Object.entries(entry.aliases ?? {})) {
      const found = Object.getOwnPropertyDescriptor(prototype, symbol === '@@iterator' ? Symbol.iterator : Symbol.asyncIterator);
      if (found?.value !== (prototype as Record<string, unknown>)[key as string] || found?.enumerable !== false) wrong.push(`${symbol} is not ${String(key)}`);
    }
  }

  for (const [name, kind] of Object.entries(globals)) {
    const wrong: string[] = (results[name] = []);
    const found = Object.getOwnPropertyDescriptor(globalThis, name);
    if (found === undefined) {
      wrong.push('it is missing');
      continue;
    }
    if (found.configurable !== true || (name !== 'console' && found.enumerable !== true)) wrong.push('it is not configurable and enumerable');
    const value = world[name];
    if (typeof kind === 'number') {
      if (typeof value !== 'function') wrong.push('it is no function');
      else if (value.length !== kind || value.name !== name) wrong.push(`it is ${value.name} of length ${value.length}`);
    } else if (kind === 'handler') {
      if (typeof found.get !== 'function' || typeof found.set !== 'function' || value !== null) wrong.push('it is no event handler that is null');
    } else if (typeof value !== 'object') wrong.push('it is no object');
  }
  if (world['self'] !== globalThis) results['self']?.push('it is not globalThis');
  if (world['globalThis'] !== globalThis) results['globalThis'] = ['it is another'];

  const console = world['console'] as object;
  const namespace: string[] = (results['console namespace'] = []);
  if (Object.prototype.toString.call(console) !== '[object console]') namespace.push(`the class string is ${Object.prototype.toString.call(console)}`);
  const below = Object.getPrototypeOf(console) as object;
  if (Object.getPrototypeOf(below) !== Object.prototype || Reflect.ownKeys(below).length > 0) namespace.push('its prototype is not an empty object');
  for (const name of methods) {
    const found = Object.getOwnPropertyDescriptor(console, name);
    const wrong: string[] = (results[`console.${name}`] = []);
    if (typeof found?.value !== 'function') wrong.push('it is missing');
    else {
      if (found.enumerable !== true || found.writable !== true || found.configurable !== true) wrong.push('it is not enumerable, writable and configurable');
      if ((found.value as { name: string }).name !== name || (found.value as { length: number }).length !== 0) wrong.push(`it is ${(found.value as { name: string }).name} of length ${(found.value as { length: number }).length}`);
    }
  }
  for (const [expression, kind] of Object.entries(beyond)) {
    const wrong: string[] = (results[expression] ??= []);
    try {
      const made = /^new (\w+)\("([^"]*)"\)$/.exec(expression);
      const value = made === null ? expression.split('.').reduce<unknown>((holder, name) => (holder as Record<string, unknown>)[name], globalThis) : new (world[made[1] as string] as new (argument: string) => object)(made[2] as string);
      if (typeof value !== kind) wrong.push(`it is ${typeof value}`);
    } catch (error) {
      wrong.push(String(error));
    }
  }
  for (const name of Object.keys(leftOut)) results[`no ${name}`] = name in globalThis ? ['it is there'] : [];
  return results;
}

/** The same for what only functions with `limits.wasm` have. */
function examineWebAssembly({ interfaces, functions, values }: typeof WEBASSEMBLY): Record<string, string[]> {
  const results: Record<string, string[]> = {};
  const namespace = (globalThis as unknown as { WebAssembly?: Record<string, unknown> }).WebAssembly;
  if (namespace === undefined) return { WebAssembly: ['it is missing'] };
  const errors = ['CompileError', 'LinkError', 'RuntimeError'];
  results['WebAssembly'] = Object.prototype.toString.call(namespace) === '[object WebAssembly]' ? [] : ['its class string is another'];
  for (const [name, { members, statics = [] }] of Object.entries(interfaces)) {
    const wrong: string[] = (results[`WebAssembly.${name}`] = []);
    const value = namespace[name] as { prototype: object; name: string } | undefined;
    if ((typeof value as string) !== 'function' || value === undefined) {
      wrong.push('it is missing');
      continue;
    }
    if (value.name !== name) wrong.push(`it is called ${value.name}`);
    if (!errors.includes(name) && (value.prototype as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] !== `WebAssembly.${name}`) wrong.push('its class string is another');
    if (errors.includes(name) && !(value.prototype instanceof Error)) wrong.push('it is no error');
    for (const key of members) if (!Object.hasOwn(value.prototype, key)) wrong.push(`${key} is missing`);
    for (const key of statics) if (!Object.hasOwn(value, key)) wrong.push(`${key} is missing`);
  }
  for (const [name, length] of Object.entries(functions)) {
    const value = namespace[name];
    results[`WebAssembly.${name}`] = typeof value === 'function' && value.length === length && value.name === name ? [] : [`it is ${typeof value}`];
  }
  for (const name of values) results[`WebAssembly.${name}`] = name in namespace ? [] : ['it is missing'];
  return results;
}

async function results(on: TestHost, run: (list: never) => unknown, list: unknown, settings: object = {}): Promise<Record<string, string[]>> {
  const f = await on.deploy(`const run = ${run.toString()};\nexport default { fetch: async () => Response.json(await run(${JSON.stringify(list)})) };`, { debug: true, cpuMs: 5_000, ...settings });
  const answer = await on.call(f);
  if (answer.code !== null) throw new Error(`${answer.code}: ${answer.detail}`);
  return JSON.parse(answer.body.toString()) as Record<string, string[]>;
}

describe('ECMA-429', () => {
  let found: Record<string, string[]>;
  beforeAll(async () => {
    found = await results(host(), examine, { interfaces: INTERFACES, globals: GLOBALS, methods: CONSOLE, beyond: BEYOND, leftOut: LEFT_OUT });
  });

  test('the list is whole: 53 interfaces, 25 methods and properties, 19 methods of console', () => {
    expect(Object.keys(INTERFACES).length + Object.keys(WEBASSEMBLY.interfaces).length).toBe(53);
    expect(['globalThis', ...Object.keys(GLOBALS), ...Object.keys(WEBASSEMBLY.functions), ...WEBASSEMBLY.values].length).toBe(25);
    expect(CONSOLE.length).toBe(19);
  });
  test.each(Object.keys(INTERFACES))('interface %s', (name) => expect(found[name]).toEqual([]));
  test.each(Object.keys(GLOBALS))('global %s', (name) => expect(found[name]).toEqual([]));
  test('globalThis', () => expect(found['globalThis'] ?? []).toEqual([]));
  test.each(['namespace', ...CONSOLE])('console: %s', (name) => expect(found[name === 'namespace' ? 'console namespace' : `console.${name}`]).toEqual([]));
  test.each(Object.keys(BEYOND))('beyond the list: %s', (name) => expect(found[name]).toEqual([]));
  test.each(Object.keys(LEFT_OUT))('left out: %s', (name) => expect(found[`no ${name}`]).toEqual([]));
});

describe('ECMA-429: WebAssembly', () => {
  const group = TestHost.shared({ group: 'wasm' });
  let found: Record<string, string[]>;
  beforeAll(async () => {
    found = await results(group(), examineWebAssembly, WEBASSEMBLY, { wasm: true });
  });

  const names = ['WebAssembly', ...[...Object.keys(WEBASSEMBLY.interfaces), ...Object.keys(WEBASSEMBLY.functions), ...WEBASSEMBLY.values].map((name) => `WebAssembly.${name}`)];
  test.each(names)('%s', (name) => expect(found[name]).toEqual([]));
  test('a function without the limit has none of it', async () => {
    const f = await host().deploy('export default { fetch: () => new Response(typeof WebAssembly) };');
    expect(await host().text(f)).toBe('undefined');
  });
});
