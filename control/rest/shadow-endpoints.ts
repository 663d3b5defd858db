// The endpoints of shadow traffic: which version repeats a function's requests, and how its answers compare.
import { shadowRecordSchema, shadowSchema } from '../../core/schemas/index.ts';
import { shadowReportSchema } from '../shadows/index.ts';
import { NAME, NONE, RESULT, SETTINGS_BYTES, acknowledged } from './addresses.ts';
import { endpoint } from './endpoint.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import type { Services } from './services.ts';

/** What is counted, beside what was set. */
const COUNTED = Object.keys(shadowReportSchema.shape).filter((member) => member !== 'name' && member !== 'shadow');

export function shadowEndpoints(services: Services): Endpoint[] {
  const { catalog, shadowing, shadows } = services;
  const answer = shadowRecordSchema.extend(RESULT);
  const path = '/v1/functions/{name}/shadow';
  return [
    endpoint({
      method: 'GET', path, operation: 'getShadow', access: 'reader', volatile: COUNTED, summary: 'How the answers of the shadow compare with those that callers got, since it was set or the control plane started. At most half a second old.',
      params: NAME, query: NONE, answers: { 200: shadowReportSchema }, errors: ['not_found'],
      handle: ({ params: { name } }): Answer => ({ status: 200, body: shadows.report(name, shadowing.require(catalog.require(name).record)) }),
    }),
    endpoint({
      method: 'PUT', path, operation: 'putShadow', access: 'deployer',
      summary: 'Has answered requests repeated to a version that takes no traffic. Replaces the settings whole; counting begins anew. Ends by itself when traffic turns to the version.',
      params: NAME, query: NONE, body: { schema: shadowSchema, optional: false, limitBytes: SETTINGS_BYTES },
      answers: { 200: answer }, errors: ['not_found', 'body_too_large', 'storage_failed'],
      handle: async ({ params: { name }, body, actor }): Promise<Answer> => {
        const written = await shadowing.set(actor, name, body);
        return { status: 200, body: { ...written.result, ...(await acknowledged(services, written)) } };
      },
    }),
    endpoint({
      method: 'DELETE', path, operation: 'deleteShadow', access: 'deployer', summary: 'Ends the shadow. What was counted is gone.',
      params: NAME, query: NONE, answers: { 200: answer }, errors: ['not_found', 'storage_failed'],
      handle: async ({ params: { name }, actor }): Promise<Answer> => {
        const written = await shadowing.end(actor, name);
        return { status: 200, body: { ...written.result, ...(await acknowledged(services, written)) } };
      },
    }),
  ];
}
