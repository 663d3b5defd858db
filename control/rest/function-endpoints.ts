// The endpoints of functions: settings, and running an event now.
import { z } from 'zod';
import { PROBLEM_CONTENT_TYPE } from '../../core/errors/index.ts';
import { functionPutSchema, invokeAnswerSchema, invokeSchema } from '../../core/schemas/index.ts';
import { coversFunction } from '../access/index.ts';
import { functionViewSchema, viewFunction } from '../model/index.ts';
import type { Catalog } from '../model/index.ts';
import { MIB, NAME, NONE, RESULT, SETTINGS_BYTES, acknowledged } from './addresses.ts';
import { endpoint } from './endpoint.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import { page, paged, paging } from './paging.ts';
import type { Services } from './services.ts';

const EVENT_BYTES = 2 * MIB;
const NAME_CURSOR = /^[a-z0-9-]{1,62}$/;
const part = z.string().min(1).max(63).optional();
const FILTERS = { tenant: part, tier: part, prefix: part, q: part };

export function functionEndpoints(services: Services): Endpoint[] {
  const { catalog, functions } = services;
  const functionAnswer = functionViewSchema.extend(RESULT);
  return [
    endpoint({
      method: 'GET', path: '/v1/functions', operation: 'listFunctions', access: 'reader', partial: true,
      summary: 'Functions in order of their names: those of a tenant, of a tier, whose names begin with prefix, or have q in them. All that are given must hold.',
      params: NONE, query: paging(NAME_CURSOR).extend(FILTERS), answers: { 200: page(functionViewSchema) }, errors: [],
      handle: ({ query: { limit, cursor, tenant, tier, prefix, q }, caller }): Answer => {
        const wanted = (name: string): boolean => {
          const { record } = catalog.require(name);
          return (prefix === undefined || name.startsWith(prefix)) && (q === undefined || name.includes(q)) &&
            (tenant === undefined || record.tenant === tenant) && (tier === undefined || record.tier === tier) && coversFunction(caller, name, record.tenant);
        };
        return { status: 200, body: paged(catalog.names(cursor, Infinity), { limit, wanted, view: (name) => view(catalog, name), cursorOf: (name) => name }) };
      },
    }),
    endpoint({
      method: 'GET', path: '/v1/functions/{name}', operation: 'getFunction', access: 'reader', summary: 'One function.',
      params: NAME, query: NONE, answers: { 200: functionViewSchema }, errors: ['not_found'],
      handle: ({ params }): Answer => ({ status: 200, body: view(catalog, params.name) }),
    }),
    endpoint({
      method: 'PUT', path: '/v1/functions/{name}', operation: 'putFunction', access: 'deployer',
      summary: 'Creates a function, or changes the fields that are given. Secrets merge by key, null removes one; every other field is replaced whole.',
      params: NAME, query: NONE, body: { schema: functionPutSchema, optional: true, limitBytes: SETTINGS_BYTES },
      answers: { 200: functionAnswer, 201: functionAnswer }, errors: ['conflict', 'frozen', 'function_quota_exceeded', 'body_too_large', 'storage_failed'],
      handle: async ({ params: { name }, body, actor }): Promise<Answer> => {
        const written = await functions.put(actor, name, body);
        const { created, record } = written.result;
        return { status: created ? 201 : 200, body: { ...viewFunction(record, written.revision), ...(await acknowledged(services, written)) } };
      },
    }),
    endpoint({
      method: 'DELETE', path: '/v1/functions/{name}', operation: 'deleteFunction', access: 'deployer', summary: 'Takes a function off the gateway. Its versions and audit rows stay.',
      params: NAME, query: NONE, answers: { 200: NAME.extend(RESULT) }, errors: ['not_found', 'frozen', 'storage_failed'],
      handle: async ({ params: { name }, actor }): Promise<Answer> => {
        const written = await functions.delete(actor, name);
        return { status: 200, body: { name, ...(await acknowledged(services, written)) } };
      },
    }),
    endpoint({
      method: 'POST', path: '/v1/functions/{name}/invoke', operation: 'invokeFunction', access: 'deployer',
      summary: 'Runs a scheduled, queue or business event now, under the limits of the function, and answers its result. A run that fails is a problem with version, invocation, durationMs and cpuMs.',
      params: NAME, query: NONE, body: { schema: invokeSchema, optional: false, limitBytes: EVENT_BYTES },
      answers: { 200: invokeAnswerSchema },
      errors: [
        'not_found', 'no_version', 'body_too_large', 'rate_limited', 'function_threw', 'bad_response', 'host_lost', 'cpu_limit_exceeded', 'memory_limit_exceeded', 'isolate_lost',
        'overloaded', 'switched_off', 'quarantined', 'unavailable', 'wall_limit_exceeded',
      ],
      handle: async ({ params: { name }, body }): Promise<Answer | Response> => {
        catalog.require(name);
        const answer = await services.invoke(name, body);
        if (answer.status === 200) return answer;
        return new Response(JSON.stringify(answer.body), { status: answer.status, headers: { 'content-type': PROBLEM_CONTENT_TYPE, 'cache-control': 'no-store' } });
      },
    }),
  ];
}

function view(catalog: Catalog, name: string): z.infer<typeof functionViewSchema> {
  const { record, revision } = catalog.require(name);
  return viewFunction(record, revision);
}
