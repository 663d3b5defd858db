// types/runtime.d.ts is true: everything it declares is in a running isolate in that form, and everything there is declared.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSync } from 'oxc-parser';
import { beforeAll, describe, expect, test } from 'vitest';
import { TestHost } from '../support/isolates-host.ts';

const host = TestHost.shared();
const FILE = join(import.meta.dirname, '..', '..', 'types', 'runtime.d.ts');

/** A member of the platform: `value` is a constant. */
type Form = 'method' | 'get' | 'get set' | 'value';

interface Shape {
  /** Not for interfaces that only types need. */
  readonly constructs: boolean;
  readonly extends: string | null;
  readonly members: Readonly<Record<string, Form>>;
  readonly statics: Readonly<Record<string, Form>>;
}

interface Surface {
  readonly interfaces: Readonly<Record<string, Shape>>;
  readonly globals: Readonly<Record<string, string>>;
  readonly console: readonly string[];
}

/** On each object instead of its prototype, as [LegacyUnforgeable] has it. */
const OWN_OF_INSTANCES = new Set(['Event.isTrusted']);
/** Globals that ECMA-262 declares, so TypeScript's own library does. */
const LANGUAGE = new Set(['Error']);

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

const nameOf = (key: Node, computed: boolean): string => (computed ? `@@${((key['property'] as Node)['name'] as string)}` : ((key['name'] ?? key['value']) as string));

/** What the file declares as values. */
function declared(): Surface {
  const { program, errors } = parseSync(FILE, readFileSync(FILE, 'utf8'));
  expect(errors).toEqual([]);
  const interfaces: Record<string, Shape> = {};
  const globals: Record<string, string> = {};
  let consoleMembers: readonly string[] = [];
  for (const statement of program.body as unknown as Node[]) {
    if (statement.type === 'ClassDeclaration') interfaces[(statement['id'] as Node)['name'] as string] = shapeOf(statement);
    else if (statement.type === 'TSDeclareFunction') globals[(statement['id'] as Node)['name'] as string] = 'function';
    else if (statement.type === 'VariableDeclaration') for (const one of statement['declarations'] as Node[]) globals[(one['id'] as Node)['name'] as string] = 'value';
    else if (statement.type === 'TSInterfaceDeclaration' && (statement['id'] as Node)['name'] === 'Console') {
      consoleMembers = ((statement['body'] as Node)['body'] as Node[]).map((member) => nameOf(member['key'] as Node, member['computed'] as boolean));
    }
  }
  return { interfaces, globals, console: consoleMembers };
}

function shapeOf(statement: Node): Shape {
  const className = (statement['id'] as Node)['name'] as string;
  const members: Record<string, Form> = {};
  const statics: Record<string, Form> = {};
  let constructs = true;
  for (const element of (statement['body'] as Node)['body'] as Node[]) {
    const { kind, accessibility } = element as { kind?: string; accessibility?: string | null };
    if (kind === 'constructor') {
      constructs = accessibility !== 'private' && accessibility !== 'protected';
      continue;
    }
    const name = nameOf(element['key'] as Node, element['computed'] as boolean);
    if (OWN_OF_INSTANCES.has(`${className}.${name}`)) continue;
    const holder = element['static'] === true ? statics : members;
    holder[name] = kind === 'get' ? 'get' : kind === 'set' ? 'get set' : element.type.includes('Property') ? 'value' : 'method';
  }
  const parent = (statement['superClass'] as Node | null)?.['name'] as string | undefined;
  return { constructs, extends: parent === undefined || LANGUAGE.has(parent) ? null : parent, members, statics };
}

/** Runs inside, before anything else: what the platform has put on the global object. */
function present(language: readonly string[]): Surface {
  const interfaces: Record<string, Shape> = {};
  const globals: Record<string, string> = {};
  const form = (found: PropertyDescriptor): Form => (typeof found.value === 'function' ? 'method' : 'value' in found ? 'value' : found.set === undefined ? 'get' : 'get set');
  const formsOf = (holder: object, leave: readonly string[]): Record<string, Form> => {
    const forms: Record<string, Form> = {};
    for (const key of Reflect.ownKeys(holder)) {
      const name = typeof key === 'symbol' ? `@@${(key.description ?? '').replace('Symbol.', '')}` : key;
      // The streams library keeps the standard's internal methods under symbols called like `[[CancelSteps]]`.
      if (leave.includes(name) || name === '@@toStringTag' || name.startsWith('@@[[')) continue;
      forms[name] = form(Object.getOwnPropertyDescriptor(holder, key) as PropertyDescriptor);
    }
    return forms;
  };
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (language.includes(name)) continue;
    const value = (globalThis as unknown as Record<string, unknown>)[name] as { prototype?: object } & (new () => object);
    const enumerable = Object.getOwnPropertyDescriptor(globalThis, name)?.enumerable === true;
    if (typeof value === 'function' && value.prototype !== undefined && !enumerable) {
      let constructs = true;
      try {
        // Whatever the arguments: an illegal constructor says so before it looks at them.
        Reflect.construct(value, []);
      } catch (error) {
        constructs = !/illegal constructor/i.test(String((error as Error).message));
      }
      const parent = Object.getPrototypeOf(value.prototype) as { constructor: { name: string } };
      interfaces[name] = {
        constructs, extends: language.includes(parent.constructor.name) ? null : parent.constructor.name,
        members: formsOf(value.prototype, ['constructor']), statics: formsOf(value, ['length', 'name', 'prototype']),
      };
    } else globals[name] = typeof value === 'function' ? 'function' : 'value';
  }
  return { interfaces, globals, console: Object.keys((globalThis as unknown as { console: object }).console) };
}

/** Names of the language itself, as a bare context has them. */
const LANGUAGE_GLOBALS = [
  'AggregateError', 'Array', 'ArrayBuffer', 'Atomics', 'BigInt', 'BigInt64Array', 'BigUint64Array', 'Boolean', 'DataView', 'Date', 'Error', 'EvalError', 'FinalizationRegistry', 'Float32Array', 'Float64Array', 'Function', 'Infinity', 'Int16Array', 'Int32Array',
  'Int8Array', 'Intl', 'Iterator', 'JSON', 'Map', 'Math', 'NaN', 'Number', 'Object', 'Promise', 'Proxy', 'RangeError', 'ReferenceError', 'Reflect', 'RegExp', 'Set', 'SharedArrayBuffer', 'String', 'Symbol', 'SyntaxError', 'TypeError', 'URIError', 'Uint16Array',
  'Uint32Array', 'Uint8Array', 'Uint8ClampedArray', 'WeakMap', 'WeakRef', 'WeakSet', 'decodeURI', 'decodeURIComponent', 'encodeURI', 'encodeURIComponent', 'escape', 'eval', 'globalThis', 'isFinite', 'isNaN', 'parseFloat', 'parseInt', 'undefined', 'unescape',
];

describe('types/runtime.d.ts and the runtime', () => {
  const types = declared();
  let runtime: Surface;
  beforeAll(async () => {
    const f = await host().deploy(`const surface = (${present.toString()})(${JSON.stringify(LANGUAGE_GLOBALS)});\nexport default { fetch: () => Response.json(surface) };`, { debug: true, cpuMs: 5_000 });
    const answer = await host().call(f);
    if (answer.code !== null) throw new Error(`${answer.code}: ${answer.detail}`);
    runtime = JSON.parse(answer.body.toString()) as Surface;
  });

  test('declare the same interfaces', () => {
    expect(Object.keys(types.interfaces).toSorted()).toEqual(Object.keys(runtime.interfaces).toSorted());
  });
  test('declare the same functions and values', () => {
    expect(types.globals).toEqual(runtime.globals);
  });
  test('declare the same methods of console', () => {
    expect(types.console.toSorted()).toEqual(runtime.console.toSorted());
  });
  test.each(Object.keys(types.interfaces))('%s has the same constructor, parent, members and statics', (name) => {
    expect(types.interfaces[name]).toEqual(runtime.interfaces[name]);
  });
});
