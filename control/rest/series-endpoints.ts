// Figures of a function over time.
import { z } from 'zod';
import { METRICS, seriesSchema } from '../sensing/index.ts';
import type { Metric } from '../sensing/index.ts';
import { NAME } from './addresses.ts';
import { endpoint } from './endpoint.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import type { Services } from './services.ts';

/** `2027-01-15T08:00:00Z`, or milliseconds since 1970. */
const moment = z.union([z.iso.datetime({ offset: true }), z.string().regex(/^\d{1,15}$/)], { error: 'must be an ISO 8601 date-time, or milliseconds since 1970' });
const isMetric = (name: string): name is Metric => (METRICS as readonly string[]).includes(name);

const query = z.strictObject({
  from: moment.optional(),
  to: moment.optional(),
  step: z.enum(['1s', '1m']).default('1m'),
  version: z.string().regex(/^[1-9]\d{0,8}$/, 'must be a version number').optional(),
  /** Comma list of members of points; absent: all. */
  metrics: z.string().max(200).refine((list) => list.split(',').every(isMetric), `must be a comma list of ${METRICS.join(', ')}`).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(1_000),
});

export function seriesEndpoints({ catalog, series }: Pick<Services, 'catalog' | 'series'>): Endpoint[] {
  return [
    endpoint({
      method: 'GET', path: '/v1/functions/{name}/series', operation: 'getSeries', access: 'reader',
      summary: 'Figures by the second (of the last 15 minutes) or by the minute (of the last 30 days), of one version or all together. Points in which nothing happened are left out; next is the from of the next page.',
      params: NAME, query, answers: { 200: seriesSchema }, errors: ['not_found'], volatile: true,
      handle: ({ params: { name }, query: { from, to, step, version, metrics, limit } }): Answer => {
        const { firstVersion } = catalog.require(name).record;
        const wanted = metrics === undefined ? METRICS : metrics.split(',').filter(isMetric);
        return { status: 200, body: series.read(name, { step, fromMs: millis(from), toMs: millis(to), version: version === undefined ? undefined : Number(version), firstVersion, metrics: new Set(wanted), limit }) };
      },
    }),
  ];
}

/** The last hour of the year 9999: what comes after it has no ISO form of four digits. */
const LAST_MS = Date.UTC(9999, 11, 31, 23);

function millis(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  return Math.min(ms, LAST_MS);
}
