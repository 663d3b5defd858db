// Hostile bodies made from an OpenAPI document: every field of every body, replaced by what its schema refuses and by what no schema thinks of.
import { fieldPath } from '../../core/schemas/index.ts';

export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly propertyNames?: Schema;
  readonly items?: Schema;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}
interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}
export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

export interface Attack {
  readonly what: string;
  readonly operation: string;
  readonly method: string;
  readonly url: string;
  /** Text of the body; undefined: none. */
  readonly raw: string | undefined;
  /** `refused`: 4xx; `named`: 4xx and an error names `path`; `anything`: no 5xx, and in time. */
  readonly expect: 'refused' | 'named' | 'anything';
  readonly path: string;
}

type Key = string | number;
interface Field {
  readonly path: readonly Key[];
  readonly schema: Schema;
}

/** Deeper fields repeat shallower ones: conditions of rules hold conditions. */
const MAX_DEPTH = 7;
/** Where a value must be put into raw JSON that JSON.stringify would not write. */
const MARK = '\u0001mark\u0001';

/** Values of the strings that patterns ask for: the first that matches. */
const CANDIDATES = ['card', 'A', 'a', '1', '/a', 'header:x', 'team', 'next', 'stable', 'a.ts', 'x', '2030-01-01T00:00:00.000Z', 'http://127.0.0.1:1/x', 'GET', 'text/plain', '', '0'.repeat(64), 'token-1'];
/** What a field of this name needs to go with the rest of its body. */
const KNOWN: Readonly<Record<string, unknown>> = { main: 'index.ts', files: { 'index.ts': "export default { fetch() { return new Response('hello'); } };" }, version: 1, from: 1, type: undefined };

export class Attacks {
  readonly #document: Document;

  constructor(document: Document) {
    this.#document = document;
  }

  /** Everything that the document gives a place for. `values`: path parameters that lead to something. */
  all(values: Readonly<Record<string, string>>): Attack[] {
    return Object.entries(this.#document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, operation]) => {
        const base = { operation: operation.operationId, method: method.toUpperCase() };
        const address = (own: Readonly<Record<string, string>> = {}): string => this.#address(path, operation, { ...values, ...own });
        return [...this.#addresses(base, operation, address), ...this.#bodies(base, operation, address())];
      }));
  }

  /** The path with its parameters: as given, else what their schemas take. */
  #address(path: string, { parameters = [] }: Operation, values: Readonly<Record<string, string>>): string {
    return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      const found = this.#sample(parameters.find((one) => one.name === name && one.in === 'path')?.schema ?? {}, 0, '');
      return values[name] ?? (typeof found === 'string' || typeof found === 'number' ? String(found) : '1');
    });
  }

  /** Writes below `prefix` with the least body that each takes: for whoever needs changes of every kind. */
  writes(prefix: string): { readonly operation: string; readonly method: string; readonly path: (name: string) => string; readonly body: unknown }[] {
    return Object.entries(this.#document.paths).filter(([path]) => path.startsWith(prefix)).flatMap(([path, methods]) =>
      Object.entries(methods).filter(([method]) => method !== 'get').map(([method, operation]) => ({
        operation: operation.operationId,
        method: method.toUpperCase(),
        path: (name: string): string => this.#address(path, operation, { name }),
        body: operation.requestBody === undefined ? undefined : this.#sample(operation.requestBody.content['application/json']?.schema ?? {}, 0, ''),
      })));
  }

  *#addresses(base: Pick<Attack, 'operation' | 'method'>, { parameters = [] }: Operation, address: (own?: Readonly<Record<string, string>>) => string): Generator<Attack> {
    for (const { name, in: place } of parameters) {
      if (place === 'path') for (const hostile of HOSTILE_SEGMENTS) yield { ...base, what: `${name} = ${shown(hostile)}`, url: address({ [name]: hostile }), raw: undefined, expect: 'refused', path: name };
      // Deletes of what is there would leave nothing to attack.
      if (place === 'query' && base.method !== 'DELETE') for (const hostile of HOSTILE_QUERIES) yield { ...base, what: `?${name}=${shown(hostile)}`, url: `${address()}?${name}=${hostile}`, raw: undefined, expect: 'anything', path: name };
    }
    for (const hostile of ['__proto__=1', 'constructor=1', 'nobody-knows=1', '%00=1']) yield { ...base, what: `?${hostile}`, url: `${address()}?${hostile}`, raw: undefined, expect: 'refused', path: '' };
  }

  *#bodies(base: Pick<Attack, 'operation' | 'method'>, operation: Operation, url: string): Generator<Attack> {
    const schema = operation.requestBody?.content['application/json']?.schema;
    if (schema === undefined) return;
    const root = (what: string, raw: string, expect: Attack['expect'] = 'refused'): Attack => ({ ...base, what, url, raw, expect, path: '(body)' });
    yield root('nesting without an end', '['.repeat(50_000));
    yield root('nesting of 50,000 levels', `${'['.repeat(50_000)}${']'.repeat(50_000)}`);
    yield root('half of a text', '{"a":');
    yield root('a number that is none', '{"a":01}');
    yield root('a byte order mark', '\ufeff{}', 'anything');
    for (const field of this.#fields(schema, [])) {
      const path = fieldPath(field.path);
      const attack = (what: string, raw: string, expect: Attack['expect']): Attack => ({ ...base, what: `${path}: ${what}`, url, raw, expect, path });
      for (const [what, value] of this.#values(field.schema)) {
        yield attack(what, this.#text(schema, field.path, value), this.#fits(field.schema, value) ? 'anything' : 'named');
      }
      for (const [what, text, expect] of RAW) yield attack(what, this.#text(schema, field.path, MARK).replace(JSON.stringify(MARK), () => text), expect ?? (this.#fits(field.schema, JSON.parse(text)) ? 'anything' : 'named'));
      const key = field.path.at(-1);
      if (typeof key === 'string') {
        const valid = JSON.stringify(this.#sample(field.schema, 0, key));
        const twice = this.#text(schema, field.path, MARK).replace(JSON.stringify(MARK), () => `${valid},${JSON.stringify(key)}:${valid}`);
        yield attack('given twice', twice, 'named');
      }
      for (const name of this.#names(field)) {
        const inside = [...field.path, name];
        const member = this.#member(field.schema);
        const refused = (field.path.at(-1) === 'files' && isFileTrick(name)) || member === undefined || !this.#fits(member.names, name) || name === '__proto__';
        const others = Object.entries(this.#sample(field.schema, 0, String(key ?? '')) ?? {}).filter(([other]) => other !== name).map(([other, value]) => `${JSON.stringify(other)}:${JSON.stringify(value)}`);
        const hostile = `${JSON.stringify(name)}:${JSON.stringify(member === undefined ? 1 : this.#sample(member.value, 0, ''))}`;
        const raw = this.#text(schema, field.path, MARK).replace(JSON.stringify(MARK), () => `{${[...others, hostile].join(',')}}`);
        yield { ...attack(`a member ${shown(name)}`, raw, refused ? 'named' : 'anything'), path: fieldPath(inside) };
      }
    }
  }

  /** Hostile values of a field: of every type, around its bounds, and of strings what strings can be. */
  *#values(given: Schema): Generator<readonly [what: string, value: unknown]> {
    yield ['a number', 7];
    yield ['a text', 'text'];
    yield ['true', true];
    yield ['null', null];
    yield ['an array', []];
    yield ['an object', {}];
    yield ['an object in an array', [{ a: 1 }]];
    for (const schema of this.#branches(given)) {
      const { type, minimum, maximum, exclusiveMinimum, exclusiveMaximum, minLength, maxLength, minItems, maxItems } = schema;
      if (type === 'integer' || type === 'number') {
        for (const bound of [minimum, exclusiveMinimum]) if (bound !== undefined) yield* [['the least', bound], ['less than the least', bound - 1]] as const;
        for (const bound of [maximum, exclusiveMaximum]) if (bound !== undefined) yield* [['the most', bound], ['more than the most', bound + 1]] as const;
        yield ['a fraction', 1.000_000_1];
      }
      if (type === 'string') {
        if (minLength !== undefined && minLength > 0) yield ['too short', 'a'.repeat(minLength - 1)];
        if (maxLength !== undefined) yield ['as long as may be', 'a'.repeat(maxLength)];
        if (maxLength !== undefined) yield ['longer than may be', 'a'.repeat(maxLength + 1)];
        for (const [index, text] of HOSTILE_TEXTS.entries()) yield [`text ${index}: ${shown(text)}`, text];
      }
      if (type === 'array') {
        const one = this.#sample(schema.items ?? {}, 0, '');
        if (minItems !== undefined && minItems > 0) yield ['too few', Array.from({ length: minItems - 1 }, () => one)];
        if (maxItems !== undefined && maxItems <= 1_000) yield ['too many', Array.from({ length: maxItems + 1 }, () => one)];
      }
    }
  }

  #names({ schema }: Field): readonly string[] {
    return this.#branches(schema).some(({ type }) => type === 'object') ? [...HOSTILE_NAMES, ...(schema === undefined ? [] : HOSTILE_FILES)] : [];
  }

  /** What members of a record are; undefined: its members are fixed. */
  #member(given: Schema): { readonly names: Schema; readonly value: Schema } | undefined {
    for (const { additionalProperties, propertyNames = {}, properties } of this.#branches(given)) {
      if (typeof additionalProperties === 'object') return { names: propertyNames, value: additionalProperties };
      if (properties === undefined && additionalProperties === undefined) return { names: {}, value: {} };
    }
    return undefined;
  }

  *#fields(given: Schema, path: readonly Key[]): Generator<Field> {
    if (path.length > MAX_DEPTH) return;
    yield { path, schema: given };
    const seen = new Set<Key>();
    for (const schema of this.#branches(given)) {
      for (const [name, own] of Object.entries(schema.properties ?? {})) {
        if (seen.has(name) || (path.includes('all') && (name === 'all' || name === 'any'))) continue;
        seen.add(name);
        yield* this.#fields(own, [...path, name]);
      }
      if (schema.items !== undefined && !seen.has(0)) {
        seen.add(0);
        yield* this.#fields(schema.items, [...path, 0]);
      }
      if (typeof schema.additionalProperties === 'object' && schema.additionalProperties !== null) {
        const found = this.#sample(schema.propertyNames ?? {}, 0, '');
        const name = path.at(-1) === 'files' ? 'index.ts' : typeof found === 'string' && found !== '' ? found : 'A';
        if (!seen.has(name)) yield* this.#fields(schema.additionalProperties, [...path, name]);
        seen.add(name);
      }
    }
  }

  /** The schema's alternatives, references followed. */
  #branches(given: Schema): Schema[] {
    if (given.$ref !== undefined) return this.#branches(this.#document.components.schemas[given.$ref.replace('#/components/schemas/', '')] ?? {});
    const alternatives = given.anyOf ?? given.oneOf;
    if (alternatives !== undefined) return alternatives.flatMap((one) => this.#branches(one));
    return given.allOf === undefined ? [given] : given.allOf.flatMap((one) => this.#branches(one));
  }

  /** A body that is right but for `value` at `path`. */
  #text(schema: Schema, path: readonly Key[], value: unknown): string {
    return JSON.stringify(this.#with(schema, path, value));
  }

  #with(given: Schema, [key, ...rest]: readonly Key[], value: unknown): unknown {
    if (key === undefined) return value;
    const branch = this.#branches(given).find((one) => (typeof key === 'number' ? one.items !== undefined : Object.hasOwn(one.properties ?? {}, key) || typeof one.additionalProperties === 'object')) ?? {};
    if (typeof key === 'number') return [this.#with(branch.items ?? {}, rest, value)];
    const sample = this.#sample(branch, 0, '');
    const own = branch.properties?.[key] ?? (typeof branch.additionalProperties === 'object' ? branch.additionalProperties : {});
    return { ...(typeof sample === 'object' ? sample : undefined), [key]: this.#with(own, rest, value) };
  }

  /** The least that the schema takes, or nearly: what refinements want is in KNOWN. */
  #sample(given: Schema, depth: number, name: string): unknown {
    if (KNOWN[name] !== undefined) return KNOWN[name];
    const [schema = {}] = this.#branches(given);
    if (schema.const !== undefined) return schema.const;
    if (schema.enum !== undefined) return schema.enum[0];
    switch (schema.type) {
      case 'string':
        return CANDIDATES.find((one) => this.#fits(schema, one)) ?? 'a'.repeat(schema.minLength ?? 1);
      case 'integer':
      case 'number':
        return Math.max(schema.minimum ?? (schema.exclusiveMinimum ?? -1) + 1, Math.min(1, schema.maximum ?? 1));
      case 'boolean':
        return true;
      case 'array':
        return Array.from({ length: schema.minItems ?? 0 }, () => (depth > MAX_DEPTH ? null : this.#sample(schema.items ?? {}, depth + 1, '')));
      case 'object':
        return Object.fromEntries((schema.required ?? []).map((key) => [key, depth > MAX_DEPTH ? null : this.#sample(schema.properties?.[key] ?? {}, depth + 1, key)]));
      default:
        return schema.type === 'null' ? null : 1;
    }
  }

  /** false: the schema refuses it for certain. Refinements, which the document does not hold, may refuse more. */
  #fits(given: Schema, value: unknown): boolean {
    return this.#branches(given).some((schema) => this.#fitsOne(schema, value));
  }

  #fitsOne(schema: Schema, value: unknown): boolean {
    if ('const' in schema && schema.const !== value) return false;
    if (schema.enum !== undefined && !schema.enum.includes(value)) return false;
    if (schema.type !== undefined && !ofType(schema.type, value)) return false;
    if (typeof value === 'number') {
      return value >= (schema.minimum ?? -Infinity) && value <= (schema.maximum ?? Infinity) && value > (schema.exclusiveMinimum ?? -Infinity) && value < (schema.exclusiveMaximum ?? Infinity);
    }
    if (typeof value === 'string') {
      // Code points, as JSON Schema counts.
      const { length } = Array.from(value);
      return length >= (schema.minLength ?? 0) && length <= (schema.maxLength ?? Infinity) && (schema.pattern === undefined || new RegExp(schema.pattern, 'u').test(value)) && !/\p{Surrogate}/u.test(value);
    }
    if (Array.isArray(value)) return value.length >= (schema.minItems ?? 0) && value.length <= (schema.maxItems ?? Infinity) && (schema.items === undefined || value.every((item) => this.#fits(schema.items ?? {}, item)));
    if (typeof value !== 'object' || value === null) return true;
    const { properties = {}, additionalProperties, required = [] } = schema;
    return required.every((key) => Object.hasOwn(value, key)) && Object.entries(value).every(([key, member]) => {
      if (Object.hasOwn(properties, key)) return this.#fits(properties[key] ?? {}, member);
      if (additionalProperties === false) return false;
      return typeof additionalProperties !== 'object' || (this.#fits(schema.propertyNames ?? {}, key) && this.#fits(additionalProperties, member));
    });
  }
}

function ofType(type: string, value: unknown): boolean {
  switch (type) {
    case 'integer':
      return Number.isSafeInteger(value);
    case 'number':
      return Number.isFinite(value);
    case 'array':
      return Array.isArray(value);
    case 'null':
      return value === null;
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    default:
      return typeof value === type;
  }
}

/** What JSON.stringify does not write. The third: what to expect, whatever the schema is. */
const RAW: readonly (readonly [what: string, text: string, expect?: Attack['expect']])[] = [
  ['1e400', '1e400'], ['-1e400', '-1e400'], ['minus zero', '-0'], ['2^53 + 1', '9007199254740993'], ['a tiny number', '1e-400'],
  ['a number of 5,000 digits', '9'.repeat(5_000)],
  ['a lone surrogate', '"\\ud800"', 'named'], ['a lone low surrogate behind text', '"a\\udc00b"', 'named'], ['a lone surrogate as a name', '{"\\ud800":1}', 'named'],
  ['__proto__', '{"__proto__":{"polluted":true}}', 'named'],
  ['nesting of 100 levels', `${'['.repeat(100)}1${']'.repeat(100)}`, 'named'], ['nesting of objects', `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`, 'named'],
];

const HOSTILE_TEXTS = [
  '', ' ', '\u0000', 'a\u0000b', '\u202egnp.exe', '\ufeff', `a${'\u0301'.repeat(2_000)}`, '👩‍👩‍👧‍👦'.repeat(50), '\u2028\u2029', 'İı', '\u{10ffff}', 'a\r\nset-cookie: x', '../../../etc/passwd', '%2e%2e%2f', '..\\..\\windows', '/etc/passwd', 'C:\\x', '\\\\host\\share',
  'file:///etc/passwd', '__proto__', 'constructor', 'toString', '${7*7}', '{{7*7}}', "'; drop table functions; --", '<script>', '%s%s%n', '$(id)', '(a+)+$', 'NaN', '1e400', 'true', 'null',
];
const HOSTILE_NAMES = ['__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toString', '', ' ', '\u0000', '\u202e', '..', 'a'.repeat(5_000)];
/** Of uploaded files: none may become a path outside. */
export const HOSTILE_FILES = [
  '../a.ts', '../../../../tmp/thimble-escape.ts', 'a/../../b.ts', 'a/..', './a.ts', 'a/./b.ts', '/etc/cron.d/x', '//a', 'a//b.ts', 'a/', '..\\a.ts', 'a\\..\\..\\b', 'C:\\a.ts', 'a\u0000.ts', 'a\n.ts', '\u007f', '.', '..', '/', `${'a/'.repeat(300)}b.ts`,
] as const;
/** `constructor` and its like are names of files like others: files are held in maps. */
function isFileTrick(name: string): boolean {
  return (HOSTILE_FILES as readonly string[]).includes(name) || name === '' || name === '\u0000' || name.length > 512;
}

/** `constructor` is a name that functions may have: it must lead nowhere else. */
const HOSTILE_SEGMENTS = [
  '..', '%2e%2e', '%2e%2e%2f%2e%2e', '..%2f..%2fetc', '%5c..%5c', '%00', 'card%00', 'card%2f..', '%', '%zz', '%ff', '%ed%a0%80', 'C:', 'CARD', 'v7--card', 'x'.repeat(6_000), '__proto__', 'toString', 'hasOwnProperty', '%E2%80%AEcard', '-', '0', '-1', '1e3', '99999999999999999999', 'NaN',
];
const HOSTILE_QUERIES = ['', '-1', '0', '1e400', '99999999999999999999', 'NaN', 'true', '%00', '%', '%ff', '%ed%a0%80', '..%2f..', '__proto__', 'x'.repeat(10_000), '1&limit=2&limit=3'];

function shown(text: string): string {
  return JSON.stringify(text.length > 30 ? `${text.slice(0, 30)}…(${text.length})` : text);
}
