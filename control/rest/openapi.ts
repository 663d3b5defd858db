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
    info: { title: 'Thimble control API', version: release, description: 'Functions, versions and traffic of one node. Failures are RFC 9457 problems with a stable code.' },
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
    const content = typeof answer === 'string' ? { [answer]: { schema: { type: 'string' } } } : { 'application/json': { schema: schemas.convert(answer, 'output') } };
    responses[status] = { description: 'Done.', content };
  }
  for (const [status, codes] of errorsByStatus(one)) {
    const description = codes.map((code) => `\`${code}\`: ${ERRORS[code].meaning}`).join(' ');
    responses[status] = { description, content: { [PROBLEM_CONTENT_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } } };
  }
  return {
    operationId: one.operation,
    summary: one.summary,
    ...(one.access === 'open' ? { security: [] } : undefined),
    parameters: [...parameters(one.params, 'path', schemas), ...parameters(one.query, 'query', schemas)],
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

/** What an endpoint names, and what every one of its kind can answer. */
function errorsByStatus(one: Endpoint): Map<string, ErrorCode[]> {
  const codes = new Set<ErrorCode>([...(one.access === 'open' ? [] : (['unauthorized'] as const)), 'invalid', ...one.errors, 'internal']);
  const byStatus = new Map<string, ErrorCode[]>();
  for (const code of codes) {
    const status = String(ERRORS[code].status);
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return byStatus;
}
