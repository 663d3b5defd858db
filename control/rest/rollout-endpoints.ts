// The endpoints of staged rollouts.
import { z } from 'zod';
import { rolloutPostSchema } from '../../core/schemas/index.ts';
import { rolloutViewSchema, viewRollout } from '../rollouts/index.ts';
import type { RolloutRecord, RolloutView } from '../rollouts/index.ts';
import { NAME, NONE, RESULT, SETTINGS_BYTES, acknowledged } from './addresses.ts';
import { endpoint } from './endpoint.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import { page, paged, paging } from './paging.ts';
import type { Services } from './services.ts';

const ROLLOUT = NAME.extend({ rollout: z.string().regex(/^[1-9]\d{0,8}$/, 'must be the number of a rollout').transform(Number) });
const DEFAULT_PAGE = 20;
/** More than are kept. */
const MAX_KEPT = 1_000;

export function rolloutEndpoints(services: Services): Endpoint[] {
  const { catalog, rollouts } = services;
  const view = (record: RolloutRecord): RolloutView => viewRollout(record, rollouts.watchOf(record.function), Date.now());
  const answer = rolloutViewSchema.extend(RESULT);
  const by = (operation: 'pause' | 'resume' | 'abort', summary: string): Endpoint =>
    endpoint({
      method: 'POST', path: `/v1/functions/{name}/rollouts/{rollout}/${operation}`, operation: `${operation}Rollout`, access: 'deployer', summary,
      params: ROLLOUT, query: NONE, body: { schema: NONE, optional: true, limitBytes: 1_024 },
      answers: { 200: answer }, errors: ['not_found', 'conflict', 'frozen', 'body_too_large', 'storage_failed'],
      handle: async ({ params, actor }): Promise<Answer> => {
        const written = await rollouts[operation](actor, params.name, params.rollout);
        return { status: 200, body: { ...view(written.result), ...(await acknowledged(services, written)) } };
      },
    });
  return [
    endpoint({
      method: 'POST', path: '/v1/functions/{name}/rollouts', operation: 'startRollout', access: 'deployer',
      summary: 'Moves traffic to a version step by step, compares it with live at each, and takes it back by itself when it is worse.',
      params: NAME, query: NONE, body: { schema: rolloutPostSchema, optional: false, limitBytes: SETTINGS_BYTES },
      answers: { 201: answer }, errors: ['not_found', 'conflict', 'frozen', 'gate_failed', 'body_too_large', 'storage_failed'],
      handle: async ({ params, body, actor }): Promise<Answer> => {
        const written = await rollouts.start(actor, params.name, body);
        return { status: 201, body: { ...view(written.result), ...(await acknowledged(services, written)) } };
      },
    }),
    endpoint({
      method: 'GET', path: '/v1/functions/{name}/rollouts', operation: 'listRollouts', access: 'reader', volatile: true, summary: 'Rollouts of the function, or those in one state, the newest first; the last 100 are kept.',
      params: NAME, query: paging(/^[1-9]\d{0,8}$/, DEFAULT_PAGE).extend({ state: rolloutViewSchema.shape.state.optional() }), answers: { 200: page(rolloutViewSchema) }, errors: ['not_found'],
      handle: ({ params: { name }, query: { limit, cursor, state } }): Answer => {
        catalog.require(name);
        const kept = rollouts.list(name, cursor === undefined ? Number.MAX_SAFE_INTEGER : Number(cursor), MAX_KEPT);
        return { status: 200, body: paged(kept, { limit, wanted: (record) => state === undefined || record.state === state, view, cursorOf: ({ number }) => String(number) }) };
      },
    }),
    endpoint({
      method: 'GET', path: '/v1/functions/{name}/rollouts/{rollout}', operation: 'getRollout', access: 'reader', volatile: ['seen', 'holding'], summary: 'One rollout: its step, the samples of both sides, what each gate says now, and every decision.',
      params: ROLLOUT, query: NONE, answers: { 200: rolloutViewSchema }, errors: ['not_found'],
      handle: ({ params: { name, rollout } }): Answer => {
        catalog.require(name);
        return { status: 200, body: view(rollouts.get(name, rollout)) };
      },
    }),
    by('pause', 'Stays at the present weight; the gates go on watching, and may still roll back.'),
    by('resume', 'Goes on; the hold of the step starts anew.'),
    by('abort', 'Takes the new version off at once.'),
  ];
}
