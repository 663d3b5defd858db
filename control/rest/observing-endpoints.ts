// The endpoints that only look: logs, figures, the audit trail.
import { z } from 'zod';
import { KEYS, auditRowSchema } from '../model/index.ts';
import { logRowSchema } from '../logs/index.ts';
import { functionStatsSchema } from '../stats/index.ts';
import { NAME, NONE } from './addresses.ts';
import { endpoint } from './endpoint.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import { logStream } from './log-stream.ts';
import { flag, page, paging } from './paging.ts';
import type { Services } from './services.ts';

/** The whole ring: logs are short and a reader wants the newest. */
const LOG_ROWS = 1_000;

export function observingEndpoints(services: Services): Endpoint[] {
  const { catalog, logs, figures, store } = services;
  return [
    endpoint({
      method: 'GET', path: '/v1/functions/{name}/logs', operation: 'getLogs', access: 'reader', summary: 'The latest log rows, the oldest first. With follow, a stream of server-sent events: log, dropped, end.',
      params: NAME, query: paging(/^\d{1,15}$/, LOG_ROWS).extend({ follow: flag }),
      answers: { 200: page(logRowSchema).extend({ dropped: z.number() }) }, errors: ['not_found', 'overloaded'],
      handle: ({ params: { name }, query: { limit, cursor, follow } }): Answer | Response => {
        catalog.require(name);
        const after = Number(cursor ?? 0);
        if (follow) return logStream(logs, name, after, limit);
        const { items, dropped } = logs.list(name, after, limit + 1);
        const shown = items.slice(0, limit);
        const next = items.length > limit ? String(shown.at(-1)?.sequence) : null;
        return { status: 200, body: { items: shown.map(({ line }) => line), next, dropped } };
      },
    }),
    endpoint({
      method: 'GET', path: '/v1/functions/{name}/stats', operation: 'getStats', access: 'reader', summary: 'Figures of each version since the control plane started.',
      params: NAME, query: NONE, answers: { 200: functionStatsSchema }, errors: ['not_found'],
      handle: ({ params: { name } }): Answer => {
        catalog.require(name);
        return { status: 200, body: figures.stats(name, catalog.digests(name).keys()) };
      },
    }),
    endpoint({
      method: 'GET', path: '/v1/audit', operation: 'listAudit', access: 'reader', summary: 'Every change, the oldest first; each row holds the hash of the one before.',
      params: NONE, query: paging(/^[1-9]\d{0,11}$/), answers: { 200: page(auditRowSchema) }, errors: [],
      handle: ({ query: { limit, cursor } }): Answer => {
        const rows = store.list({ prefix: KEYS.audit, after: KEYS.auditRow(Number(cursor ?? 0)), limit: limit + 1 });
        const items = rows.slice(0, limit).map((row) => auditRowSchema.parse(row.value));
        return { status: 200, body: { items, next: rows.length > limit ? String(items.at(-1)?.sequence) : null } };
      },
    }),
  ];
}
