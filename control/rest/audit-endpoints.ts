// The endpoints of the audit trail: pages of it, all of it as NDJSON, and whether its chain holds.
import { z } from 'zod';
import { coversFunction, isBound, seesTenant } from '../access/index.ts';
import type { Caller } from '../access/index.ts';
import { auditRowSchema, auditRows, checkTrail, fits, scanTrail, subjectOf } from '../model/index.ts';
import type { AuditFilter, AuditHead, AuditRow } from '../model/index.ts';
import { NONE } from './addresses.ts';
import { endpoint } from './endpoint.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import { page, paging } from './paging.ts';
import type { Services } from './services.ts';

/** Rows of the trail that one page reads at the most, whatever it filters. */
const PAGE_ROWS = 50_000;
/** Characters of an export that wait for a slow reader. */
const EXPORT_WAITING = 262_144;
const NDJSON = 'application/x-ndjson';

const time = z.iso.datetime({ offset: true }).optional();
const FILTERS = { actor: z.string().min(1).max(128).optional(), action: z.string().min(1).max(64).optional(), target: z.string().min(1).max(256).optional(), since: time, until: time };
const filterSchema = z.strictObject(FILTERS);

const headSchema = z.strictObject({ sequence: z.int(), hash: z.string() });
const verdictSchema = z.strictObject({
  ok: z.boolean(),
  rows: z.int(),
  head: headSchema.describe('the last row that holds: note it elsewhere, and give it as head later'),
  broken: z.int().nullable().describe('the first row that does not fit the one before it'),
  why: z.string().nullable(),
});
/** `SEQUENCE:HASH`, as the export and the log of the control plane say it. */
const headText = z.string().regex(/^\d{1,12}:[0-9a-f]{64}$/, 'must be SEQUENCE:HASH').transform((text): AuditHead => ({ sequence: Number(text.split(':', 1)[0]), hash: text.slice(text.indexOf(':') + 1) }));

export function auditEndpoints({ catalog, store, auditHead }: Services): Endpoint[] {
  const seen = (caller: Caller, row: AuditRow): boolean => {
    if (!isBound(caller)) return true;
    const subject = subjectOf(row);
    if (row.action.startsWith('tenant.')) return seesTenant(caller, subject);
    // What is about the node, its tokens or alerts names no function; what is about a function that is gone has no tenant.
    const record = row.action.startsWith('token.') ? undefined : catalog.get(subject)?.record;
    return record !== undefined && coversFunction(caller, subject, record.tenant);
  };
  return [
    endpoint({
      method: 'GET', path: '/v1/audit', operation: 'listAudit', access: 'reader', partial: true,
      summary: 'Every change, the oldest first; each row holds the hash of the one before. With filters a page may be short or empty and still have a next.',
      params: NONE, query: paging(/^[1-9]\d{0,11}$/).extend(FILTERS), answers: { 200: page(auditRowSchema) }, errors: [],
      handle: async ({ query: { limit, cursor, ...filter }, caller }): Promise<Answer> => {
        const wanted = filterOf(filter);
        const { items, next } = await scanTrail(store, Number(cursor ?? 0), limit, (row) => fits(row, wanted) && seen(caller, row), PAGE_ROWS);
        return { status: 200, body: { items, next: next === null ? null : String(next) } };
      },
    }),
    endpoint({
      method: 'GET', path: '/v1/audit/export', operation: 'exportAudit', access: 'reader', partial: true,
      summary: 'The trail as NDJSON, a row a line, as far as it goes now. Without filters, and by a token that is not bound, it can be verified: thimble audit verify FILE. The header x-thimble-audit-head names the last row.',
      params: NONE, query: filterSchema, answers: { 200: NDJSON }, errors: [],
      handle: ({ query, caller }): Response => {
        const head = auditHead();
        const wanted = filterOf(query);
        const text = ndjson(auditRows(store, 0), head.sequence, (row) => fits(row, wanted) && seen(caller, row));
        return new Response(text, { headers: { 'content-type': NDJSON, 'cache-control': 'no-store', ...(isBound(caller) ? undefined : { 'x-thimble-audit-head': `${head.sequence}:${head.hash}` }) } });
      },
    }),
    endpoint({
      method: 'GET', path: '/v1/audit/verify', operation: 'verifyAudit', access: 'reader', volatile: true,
      summary: 'Checks the hash of every row. With head, a SEQUENCE:HASH that was noted earlier, also that the trail still goes through it: rows cut off its end show no other way.',
      params: NONE, query: z.strictObject({ head: headText.optional() }), answers: { 200: verdictSchema }, errors: [],
      handle: async ({ query: { head } }): Promise<Answer> => {
        const verdict = await checkTrail(store, head);
        return { status: 200, body: { ok: verdict.broken === null, ...verdict } };
      },
    }),
  ];
}

function filterOf({ since, until, ...filter }: z.infer<typeof filterSchema>): AuditFilter {
  return { ...filter, sinceMs: since === undefined ? undefined : Date.parse(since), untilMs: until === undefined ? undefined : Date.parse(until) };
}

/** Rows up to number `last`, read as the client takes them: what is in memory is one piece of the trail. */
function ndjson(pieces: Generator<readonly AuditRow[], undefined>, last: number, wanted: (row: AuditRow) => boolean): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller): Promise<void> {
        // Pieces without a row that is wanted must not hold up the loop.
        for (;;) {
          const { done, value = [] } = pieces.next();
          const rows = value.filter((row) => row.sequence <= last);
          const text = rows.filter(wanted).map((row) => `${JSON.stringify(row)}\n`).join('');
          if (text !== '') controller.enqueue(encoder.encode(text));
          if (done === true || rows.length < value.length) {
            controller.close();
            return;
          }
          if (text !== '') return;
          await new Promise((resolve) => void setImmediate(resolve));
        }
      },
      cancel(): void {
        pieces.return(undefined);
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: EXPORT_WAITING }),
  );
}
