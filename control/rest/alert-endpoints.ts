// Alert rules: put, read with what fires and what was told, deleted.
import { z } from 'zod';
import { alertIdSchema, alertPutSchema, functionNameSchema } from '../../core/schemas/index.ts';
import { ALERT_STATES, alertSummarySchema, alertViewSchema, viewAlert, viewSummary } from '../alerts/index.ts';
import { NONE, RESULT, acknowledged } from './addresses.ts';
import { endpoint } from './endpoint.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import { page, paging } from './paging.ts';
import type { Services } from './services.ts';

const ID = z.strictObject({ id: alertIdSchema });
const BODY_BYTES = 16_384;

export function alertEndpoints(services: Pick<Services, 'alerts' | 'whenApplied'>): Endpoint[] {
  const { alerts } = services;
  return [
    endpoint({
      method: 'GET', path: '/v1/alerts', operation: 'listAlerts', access: 'reader', summary: 'Alert rules with their states, in order of their ids.',
      params: NONE, query: paging(/^[a-z0-9-]{1,62}$/).extend({ state: z.enum(ALERT_STATES).optional(), function: functionNameSchema.optional() }),
      answers: { 200: page(alertSummarySchema) }, errors: [], volatile: true,
      handle: ({ query: { limit, cursor, state, function: fn } }): Answer => {
        const watching = fn === undefined ? undefined : new Set(alerts.rules.watching(fn));
        const rows = alerts.rules.all()
          .filter((record) => (cursor === undefined || record.id > cursor) && (watching === undefined || watching.has(record)))
          .map((record) => viewSummary(alerts, record))
          .filter((row) => state === undefined || row.state === state);
        return { status: 200, body: { items: rows.slice(0, limit), next: rows.length > limit ? (rows[limit - 1]?.id ?? null) : null } };
      },
    }),
    endpoint({
      method: 'GET', path: '/v1/alerts/{id}', operation: 'getAlert', access: 'reader', summary: 'One rule: its state and since when, for which functions, and its latest notifications.',
      params: ID, query: NONE, answers: { 200: alertViewSchema }, errors: ['not_found'],
      volatile: ['state', 'since', 'firing', 'pending', 'alerts', 'notifications'],
      handle: ({ params: { id } }): Answer => ({ status: 200, body: viewAlert(alerts, alerts.rules.require(id)) }),
    }),
    endpoint({
      method: 'PUT', path: '/v1/alerts/{id}', operation: 'putAlert', access: 'admin',
      summary: 'Creates a rule, or replaces it whole, but for its webhook: absent, it stays as it is; null: there is none. What fires goes on and is judged by the new rule.',
      params: ID, query: NONE, body: { schema: alertPutSchema, optional: false, limitBytes: BODY_BYTES },
      answers: { 200: alertViewSchema.extend(RESULT), 201: alertViewSchema.extend(RESULT) }, errors: ['body_too_large', 'conflict', 'storage_failed'],
      handle: async ({ params: { id }, body, actor }): Promise<Answer> => {
        const written = await alerts.rules.put(actor, id, body);
        return { status: written.created ? 201 : 200, body: { ...viewAlert(alerts, written.result), ...(await acknowledged(services, written)) } };
      },
    }),
    endpoint({
      method: 'DELETE', path: '/v1/alerts/{id}', operation: 'deleteAlert', access: 'admin', summary: 'Deletes a rule with its alerts and notifications; what waits is not sent any more.',
      params: ID, query: NONE, answers: { 200: z.strictObject({ id: z.string(), ...RESULT }) }, errors: ['not_found', 'storage_failed'],
      handle: async ({ params: { id }, actor }): Promise<Answer> => {
        const written = await alerts.rules.remove(actor, id);
        alerts.forget(id);
        return { status: 200, body: { id, ...(await acknowledged(services, written)) } };
      },
    }),
  ];
}
