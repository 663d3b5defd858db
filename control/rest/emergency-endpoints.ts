// The endpoints for bad nights: kill, force and freeze a function, freeze the node.
import { emergencySchema, emergencyStateSchema, freezeSchema, freezeStateSchema } from '../../core/schemas/index.ts';
import type { EmergencySwitches } from '../model/index.ts';
import { NAME, NONE, RESULT, acknowledged } from './addresses.ts';
import { endpoint } from './endpoint.ts';
import type { Answer, Endpoint } from './endpoint.ts';

export interface EmergencyServices {
  readonly emergency: EmergencySwitches;
  readonly whenApplied: (revision: number) => Promise<boolean>;
}

const SWITCH_BYTES = 16_384;

export function emergencyEndpoints(services: EmergencyServices): Endpoint[] {
  const { emergency } = services;
  return [
    endpoint({
      method: 'PUT', path: '/v1/functions/{name}/emergency', operation: 'putEmergency', access: 'admin',
      summary: 'Replaces the switches of a function whole: killed, forced, frozen, and the reason. They act at once, whatever is frozen.',
      params: NAME, query: NONE, body: { schema: emergencySchema, optional: false, limitBytes: SWITCH_BYTES },
      answers: { 200: emergencyStateSchema.extend(RESULT) }, errors: ['not_found', 'gate_failed', 'body_too_large', 'storage_failed'],
      handle: async ({ params, body, actor }): Promise<Answer> => {
        const written = await emergency.set(actor, params.name, body);
        return { status: 200, body: { ...written.result, ...(await acknowledged(services, written)) } };
      },
    }),
    endpoint({
      method: 'GET', path: '/v1/freeze', operation: 'getFreeze', access: 'reader', partial: true, summary: 'Whether the whole node is frozen, and by whom.',
      params: NONE, query: NONE, answers: { 200: freezeStateSchema }, errors: [],
      handle: (): Answer => ({ status: 200, body: emergency.node }),
    }),
    endpoint({
      method: 'PUT', path: '/v1/freeze', operation: 'putFreeze', access: 'admin',
      summary: 'Freezes the whole node, or lets it go on: no function can be made, changed or deleted meanwhile. Emergency switches work.',
      params: NONE, query: NONE, body: { schema: freezeSchema, optional: false, limitBytes: SWITCH_BYTES },
      answers: { 200: freezeStateSchema.extend(RESULT) }, errors: ['body_too_large', 'storage_failed'],
      handle: async ({ body, actor }): Promise<Answer> => {
        const written = await emergency.freeze(actor, body);
        return { status: 200, body: { ...written.result, ...(await acknowledged(services, written)) } };
      },
    }),
  ];
}
