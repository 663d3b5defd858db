// The endpoints that only look: logs and figures.
import { z } from 'zod';
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
  const { catalog, logs, figures } = services;
  return [
    endpoint({
      method: 'GET', path: '/v1/functions/{name}/logs', operation: 'getLogs', access: 'reader', volatile: true, summary: 'The latest log rows, the oldest first. With follow, a stream of server-sent events: log, dropped, end.',
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
      method: 'GET', path: '/v1/functions/{name}/stats', operation: 'getStats', access: 'reader', volatile: true, summary: 'Figures of each version since the control plane started.',
      params: NAME, query: NONE, answers: { 200: functionStatsSchema }, errors: ['not_found'],
      handle: ({ params: { name } }): Answer => {
        catalog.require(name);
        return { status: 200, body: figures.stats(name, catalog.digests(name).keys()) };
      },
    }),
  ];
}
