// The OpenAPI 3.1 document, made from the endpoints and the schemas that check them.
import { z } from 'zod';
import { ERRORS, PROBLEM_CONTENT_TYPE } from '../../core/errors/index.ts';
import type { ErrorCode } from '../../core/errors/index.ts';
import { conditionSchema, jsonSchema } from '../../core/schemas/index.ts';
import type { Endpoint } from './endpoint.ts';

type Json = Readonly<Record<string, unknown>>;

const problemSchema = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.enum(Object.keys(ERRORS)),
  detail: z.string(),
  retryable: z.boolean(),
  errors: z.array(z.looseObject({})).optional(),
});

/** What a schema of parameters converts to. */
const objectSchema = z.looseObject({ properties: z.record(z.string(), z.unknown()).default({}), required: z.array(z.string()).default([]) });

/** @see https://spec.openapis.org/oas/v3.1.1 */
export function openApi(endpoints: readonly Endpoint[], release: string): Json {
  const schemas = new SchemaBook();
  const paths: Record<string, Record<string, Json>> = {};
  for (const one of endpoints) (paths[one.path] ??= {})[one.method.toLowerCase()] = operation(one, schemas);
  return {
    openapi: '3.1.1',
    info: {
      title: 'Thimble control API',
      version: release,
      description: 'Functions, versions and traffic of one node. Failures are RFC 9457 problems with a stable code. Each operation says in x-thimble-access which role it needs.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    paths,
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } }, schemas: schemas.all() },
  };
}

/** Schemas with a name of their own, by reference: a recursive one needs a place that it can point to. */
class SchemaBook {
  readonly #registry = z.registry<{ id: string }>();

  constructor() {
    this.#registry.add(conditionSchema, { id: 'Condition' });
    this.#registry.add(problemSchema, { id: 'Problem' });
    this.#registry.add(jsonSchema, { id: 'Json' });
  }

  /** @param io  `input`: what a client sends; `output`: what it gets */
  convert(schema: z.ZodType, io: 'input' | 'output'): Json {
    return this.#move(z.toJSONSchema(schema, { io, unrepresentable: 'any', metadata: this.#registry }));
  }

  all(): Json {
    const { schemas } = z.toJSONSchema(this.#registry, { io: 'input', unrepresentable: 'any', uri: (id) => `#/components/schemas/${id}` });
    return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, this.#move(schema)]));
  }

  /** References of a schema on its own point into its `$defs`; in the document they point to the components. */
  #move(schema: object): Json {
    const members = Object.entries(schema).filter(([key, member]) => !(typeof member === 'string' && (key === '$schema' || key === '$id' || key === 'id')) && key !== '$defs');
    return Object.fromEntries(members.map(([key, member]) => [key, key === '$ref' ? String(member).replace('#/$defs/', '#/components/schemas/') : this.#moveAny(member)]));
  }

  #moveAny(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#moveAny(item));
    return typeof value === 'object' && value !== null ? this.#move(value) : value;
  }
}

function operation(one: Endpoint, schemas: SchemaBook): Json {
  const responses: Record<string, Json> = {};
  for (const [status, answer] of Object.entries(one.answers)) {
    const isTagged = one.method === 'GET' && status === '200' && hasTag(one);
    const content = typeof answer === 'string' ? { [answer]: { schema: { type: 'string' } } } : { 'application/json': { schema: schemas.convert(answer, 'output') } };
    responses[status] = { description: 'Done.', ...(isTagged ? { headers: { ETag: { description: 'Of what is shown, for If-Match of a write.', schema: { type: 'string' } } } } : undefined), content };
  }
  for (const [status, codes] of errorsByStatus(one)) {
    const description = codes.map((code) => `\`${code}\`: ${ERRORS[code].meaning}`).join(' ');
    responses[status] = { description, content: { [PROBLEM_CONTENT_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } } };
  }
  if (one.method === 'GET' && hasTag(one) && one.volatile === undefined) responses['304'] = { description: 'It has the entity tag of If-None-Match: nothing has changed.' };
  return {
    operationId: one.operation,
    summary: one.summary,
    // Roles are no scopes of OAuth, which is what the member `security` could say.
    'x-thimble-access': one.access,
    ...(one.access === 'open' ? { security: [] } : undefined),
    parameters: [...parameters(one.params, 'path', schemas), ...parameters(one.query, 'query', schemas), ...headerParameters(one)],
    ...(one.body === undefined
      ? undefined
      : { requestBody: { required: !one.body.optional, content: { 'application/json': { schema: schemas.convert(one.body.schema, 'input') } } } }),
    responses,
  };
}

function parameters(schema: z.ZodType, place: 'path' | 'query', schemas: SchemaBook): Json[] {
  const { properties, required } = objectSchema.parse(schemas.convert(schema, 'input'));
  return Object.entries(properties).map(([name, own]) => ({ name, in: place, required: place === 'path' || required.includes(name), schema: own }));
}

const HEADERS = {
  'If-Match': 'Entity tags, or *: the write happens only if what it acts on has one of them.',
  'If-None-Match': 'Entity tags, or *: the read is answered 304 if it has one of them; the write happens only if it has none.',
  'Idempotency-Key': 'A string that names this request: sent again within 24 hours, it gets the same answer and is not carried out twice.',
} as const;

/** Conditions wherever there is something with a tag, keys wherever a repetition would do something twice. */
function headerParameters(one: Endpoint): Json[] {
  const names = [...(isConditional(one) ? (['If-Match', 'If-None-Match'] as const) : []), ...(one.method === 'POST' ? (['Idempotency-Key'] as const) : [])];
  return names.map((name) => ({ name, in: 'header', required: false, description: HEADERS[name], schema: { type: 'string' } }));
}

function hasTag({ path, volatile, answers }: Endpoint): boolean {
  return path.startsWith('/v1/') && volatile !== true && typeof answers[200] === 'object';
}

function isConditional(one: Endpoint): boolean {
  return one.path.startsWith('/v1/') && (one.method !== 'GET' || hasTag(one));
}

/** What an endpoint names, and what every one of its kind can answer. */
function errorsByStatus(one: Endpoint): Map<string, ErrorCode[]> {
  const codes = new Set<ErrorCode>([
    ...(one.access === 'open' ? [] : (['unauthorized', 'forbidden', 'too_many_attempts'] as const)),
    'invalid',
    ...(isConditional(one) ? (['precondition_failed'] as const) : []),
    ...(one.method === 'POST' ? (['conflict'] as const) : []),
    ...one.errors,
    'internal',
  ]);
  const byStatus = new Map<string, ErrorCode[]>();
  for (const code of codes) {
    const status = String(ERRORS[code].status);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return byStatus;
}
