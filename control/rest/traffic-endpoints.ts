// The endpoints of traffic: which versions get which requests, and going back.
import { PlatformError } from '../../core/errors/index.ts';
import { trafficSchema } from '../../core/schemas/index.ts';
import { NAME, NONE, RESULT, SETTINGS_BYTES, acknowledged } from './addresses.ts';
import { endpoint } from './endpoint.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import type { Services } from './services.ts';

export function trafficEndpoints(services: Services): Endpoint[] {
  const { catalog, traffic } = services;
  const answer = trafficSchema.extend(RESULT);
  return [
    endpoint({
      method: 'GET', path: '/v1/functions/{name}/traffic', operation: 'getTraffic', access: 'reader', summary: 'The traffic of a function; not_found while it has none.',
      params: NAME, query: NONE, answers: { 200: trafficSchema }, errors: ['not_found'],
      handle: ({ params: { name } }): Answer => {
        const { record } = catalog.require(name);
        if (record.traffic === null) throw new PlatformError('not_found', { what: `traffic of function ${name}` });
        return { status: 200, body: record.traffic };
      },
    }),
    endpoint({
      method: 'PUT', path: '/v1/functions/{name}/traffic', operation: 'putTraffic', access: 'deployer', summary: 'Replaces the traffic whole: the first rule that matches, else the weighted split.',
      params: NAME, query: NONE, body: { schema: trafficSchema, optional: false, limitBytes: SETTINGS_BYTES },
      answers: { 200: answer }, errors: ['not_found', 'frozen', 'gate_failed', 'body_too_large', 'storage_failed'],
      handle: async ({ params, body, actor }): Promise<Answer> => {
        const written = await traffic.set(actor, params.name, body);
        return { status: 200, body: { ...written.result, ...(await acknowledged(services, written)) } };
      },
    }),
    endpoint({
      method: 'POST', path: '/v1/functions/{name}/rollback', operation: 'rollback', access: 'deployer', summary: 'The traffic before the last change. Each further call goes one change further back.',
      params: NAME, query: NONE, body: { schema: NONE, optional: true, limitBytes: 1_024 },
      answers: { 200: answer }, errors: ['not_found', 'conflict', 'frozen', 'body_too_large', 'storage_failed'],
      handle: async ({ params, actor }): Promise<Answer> => {
        const written = await traffic.rollback(actor, params.name);
        return { status: 200, body: { ...written.result, ...(await acknowledged(services, written)) } };
      },
    }),
  ];
}
