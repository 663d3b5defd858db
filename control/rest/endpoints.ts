// The endpoints of /v1, one declaration each. HTTP stops here: what they do is in model/, logs/ and stats/.
import { z } from 'zod';
import { PROBLEM_CONTENT_TYPE } from '../../core/errors/index.ts';
import { copySchema, functionNameSchema, functionPutSchema, invokeAnswerSchema, invokeSchema, snapshotPutSchema, trafficSchema, uploadSchema } from '../../core/schemas/index.ts';
import type { Invoke } from '../../core/schemas/index.ts';
import type { RecordStore } from '../../core/ports/index.ts';
import type { InvokeAnswer } from '../invoke/index.ts';
import { KEYS, auditRowSchema, functionViewSchema, snapshotSchema, summariseVersion, versionSummarySchema, versionViewSchema, viewFunction, viewVersion } from '../model/index.ts';
import type { Catalog, Functions, Tenants, TrafficControl, Versions, Written } from '../model/index.ts';
import { logRowSchema } from '../logs/index.ts';
import type { LogStore } from '../logs/index.ts';
import type { Snapshots } from '../snapshots/index.ts';
import { functionStatsSchema } from '../stats/index.ts';
import type { FigureStore } from '../stats/index.ts';
import { endpoint } from './endpoint.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import { logStream } from './log-stream.ts';
import { flag, page, paging } from './paging.ts';
import { tenantEndpoints } from './tenant-endpoints.ts';

export interface Services {
  readonly store: RecordStore;
  readonly catalog: Catalog;
  readonly functions: Functions;
  readonly tenants: Tenants;
  readonly versions: Versions;
  readonly traffic: TrafficControl;
  readonly snapshots: Snapshots;
  readonly logs: LogStore;
  readonly figures: FigureStore;
  /** Whether every connected gateway has applied the revision; waits a second at most. */
  readonly whenApplied: (revision: number) => Promise<boolean>;
  /** Runs an event of the function through the gateway. */
  readonly invoke: (name: string, body: Invoke) => Promise<InvokeAnswer>;
}

const MIB = 1_048_576;
const SETTINGS_BYTES = 4 * MIB;
const UPLOAD_BYTES = 32 * MIB;
const EVENT_BYTES = 2 * MIB;
/** The whole ring: logs are short and a reader wants the newest. */
const LOG_ROWS = 1_000;

const NAME = z.strictObject({ name: functionNameSchema });
const VERSION = NAME.extend({ version: z.string().regex(/^[1-9]\d{0,8}$/, 'must be a version number').transform(Number) });
const NONE = z.strictObject({});
const RESULT = { revision: z.int(), applied: z.boolean() };

export function endpoints(services: Services): Endpoint[] {
  return [...functionEndpoints(services), ...versionEndpoints(services), ...trafficEndpoints(services), ...tenantEndpoints(services), ...observingEndpoints(services)];
}

async function acknowledged(services: Services, written: Written<unknown>): Promise<{ revision: number; applied: boolean }> {
  return { revision: written.revision, applied: await services.whenApplied(written.revision) };
}

function functionEndpoints(services: Services): Endpoint[] {
  const { catalog, functions } = services;
  const functionAnswer = functionViewSchema.extend(RESULT);
  return [
    endpoint({
      method: 'GET', path: '/v1/functions', operation: 'listFunctions', summary: 'Functions in order of their names.',
      params: NONE, query: paging(/^[a-z0-9-]{1,62}$/), answers: { 200: page(functionViewSchema) }, errors: [],
      handle: ({ query: { limit, cursor } }): Answer => {
        const names = catalog.names(cursor, limit + 1);
        const items = names.slice(0, limit).map((name) => view(catalog, name));
        return { status: 200, body: { items, next: names.length > limit ? (names[limit - 1] ?? null) : null } };
      },
    }),
    endpoint({
      method: 'GET', path: '/v1/functions/{name}', operation: 'getFunction', summary: 'One function.',
      params: NAME, query: NONE, answers: { 200: functionViewSchema }, errors: ['not_found'],
      handle: ({ params }): Answer => ({ status: 200, body: view(catalog, params.name) }),
    }),
    endpoint({
      method: 'PUT', path: '/v1/functions/{name}', operation: 'putFunction',
      summary: 'Creates a function, or changes the fields that are given. Secrets merge by key, null removes one; every other field is replaced whole.',
      params: NAME, query: NONE, body: { schema: functionPutSchema, optional: true, limitBytes: SETTINGS_BYTES },
      answers: { 200: functionAnswer, 201: functionAnswer }, errors: ['conflict', 'function_quota_exceeded', 'body_too_large', 'storage_failed'],
      handle: async ({ params: { name }, body, actor }): Promise<Answer> => {
        const written = await functions.put(actor, name, body);
        const { created, record } = written.result;
        return { status: created ? 201 : 200, body: { ...viewFunction(record, written.revision), ...(await acknowledged(services, written)) } };
      },
    }),
    endpoint({
      method: 'DELETE', path: '/v1/functions/{name}', operation: 'deleteFunction', summary: 'Takes a function off the gateway. Its versions and audit rows stay.',
      params: NAME, query: NONE, answers: { 200: z.strictObject({ name: z.string(), ...RESULT }) }, errors: ['not_found', 'storage_failed'],
      handle: async ({ params: { name }, actor }): Promise<Answer> => {
        const written = await functions.delete(actor, name);
        return { status: 200, body: { name, ...(await acknowledged(services, written)) } };
      },
    }),
    endpoint({
      method: 'POST', path: '/v1/functions/{name}/invoke', operation: 'invokeFunction',
      summary: 'Runs a scheduled, queue or business event now, under the limits of the function, and answers its result. A run that fails is a problem with version, invocation, durationMs and cpuMs.',
      params: NAME, query: NONE, body: { schema: invokeSchema, optional: false, limitBytes: EVENT_BYTES },
      answers: { 200: invokeAnswerSchema },
      errors: [
        'not_found', 'no_version', 'body_too_large', 'rate_limited', 'function_threw', 'bad_response', 'host_lost', 'cpu_limit_exceeded', 'memory_limit_exceeded', 'isolate_lost',
        'overloaded', 'quarantined', 'unavailable', 'wall_limit_exceeded',
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

function versionEndpoints(services: Services): Endpoint[] {
  const { versions, snapshots } = services;
  const code = z.union([uploadSchema, copySchema]);
  return [
    endpoint({
      method: 'POST', path: '/v1/functions/{name}/versions', operation: 'createVersion',
      summary: 'Builds a version from files, or from those of an earlier one. The first gets all traffic, later ones with activate.',
      params: NAME, query: z.strictObject({ activate: flag }),
      body: {
        schema: code,
        pick: (body) => (typeof body === 'object' && body !== null && 'from' in body ? copySchema : uploadSchema),
        optional: false,
        limitBytes: UPLOAD_BYTES,
      },
      answers: {
        201: z.strictObject({ version: z.int(), digest: z.string(), bytes: z.int(), buildMs: z.number(), live: z.boolean(), snapshot: snapshotSchema, ...RESULT }),
      },
      errors: ['not_found', 'build_failed', 'body_too_large', 'storage_failed'],
      handle: async ({ params, query, body, actor }): Promise<Answer> => {
        const written = await versions.deploy(actor, params.name, {
          code: 'from' in body ? { from: body.from } : { files: body.files, main: body.main },
          message: body.message ?? null,
          activate: query.activate,
          snapshot: body.snapshot ?? true,
        });
        const { version, digest, bytes, buildMs } = written.result.record;
        const { live } = written.result;
        if (body.snapshot === false) await snapshots.switched(params.name, version, digest, false);
        // Also for a version without one: its code cache is made by the same build.
        snapshots.wanted(params.name, version);
        return { status: 201, body: { version, digest, bytes, buildMs, live, snapshot: snapshots.view(params.name, version, digest), ...(await acknowledged(services, written)) } };
      },
    }),
    endpoint({
      method: 'GET', path: '/v1/functions/{name}/versions', operation: 'listVersions', summary: 'Versions, the oldest first; also those of a deleted function.',
      params: NAME, query: paging(/^[1-9]\d{0,8}$/), answers: { 200: page(versionSummarySchema) }, errors: ['not_found'],
      handle: ({ params: { name }, query: { limit, cursor } }): Answer => {
        const found = versions.list(name, Number(cursor ?? 0), limit + 1);
        const items = found.slice(0, limit).map((record) => summariseVersion(record, snapshots.view(name, record.version, record.digest)));
        return { status: 200, body: { items, next: found.length > limit ? String(items.at(-1)?.version) : null } };
      },
    }),
    endpoint({
      method: 'GET', path: '/v1/functions/{name}/versions/{version}', operation: 'getVersion', summary: 'One version with its files and what it froze.',
      params: VERSION, query: NONE, answers: { 200: versionViewSchema }, errors: ['not_found'],
      handle: ({ params: { name, version } }): Answer => {
        const record = versions.read(name, version);
        return { status: 200, body: viewVersion(record, versions.sources(record), snapshots.view(name, version, record.digest)) };
      },
    }),
    endpoint({
      method: 'PUT', path: '/v1/functions/{name}/versions/{version}/snapshot', operation: 'putVersionSnapshot', summary: 'Switches the version snapshot of one version on or off, from its next cold start.',
      params: VERSION, query: NONE, body: { schema: snapshotPutSchema, optional: false, limitBytes: 1_024 },
      answers: { 200: z.strictObject({ version: z.int(), snapshot: snapshotSchema, ...RESULT }) }, errors: ['not_found', 'body_too_large', 'storage_failed'],
      handle: async ({ params: { name, version }, body: { enabled }, actor }): Promise<Answer> => {
        const written = await versions.switchSnapshot(actor, name, version, enabled);
        const { digest } = written.result;
        if (snapshots.isOff(name, version) === enabled) await snapshots.switched(name, version, digest, enabled);
        return { status: 200, body: { version, snapshot: snapshots.view(name, version, digest), ...(await acknowledged(services, written)) } };
      },
    }),
  ];
}

function trafficEndpoints(services: Services): Endpoint[] {
  const { traffic } = services;
  const answer = trafficSchema.extend(RESULT);
  return [
    endpoint({
      method: 'PUT', path: '/v1/functions/{name}/traffic', operation: 'putTraffic', summary: 'Replaces the traffic whole: the first rule that matches, else the weighted split.',
      params: NAME, query: NONE, body: { schema: trafficSchema, optional: false, limitBytes: SETTINGS_BYTES },
      answers: { 200: answer }, errors: ['not_found', 'body_too_large', 'storage_failed'],
      handle: async ({ params, body, actor }): Promise<Answer> => {
        const written = await traffic.set(actor, params.name, body);
        return { status: 200, body: { ...written.result, ...(await acknowledged(services, written)) } };
      },
    }),
    endpoint({
      method: 'POST', path: '/v1/functions/{name}/rollback', operation: 'rollback', summary: 'The traffic before the last change. Each further call goes one change further back.',
      params: NAME, query: NONE, body: { schema: NONE, optional: true, limitBytes: 1_024 },
      answers: { 200: answer }, errors: ['not_found', 'conflict', 'body_too_large', 'storage_failed'],
      handle: async ({ params, actor }): Promise<Answer> => {
        const written = await traffic.rollback(actor, params.name);
        return { status: 200, body: { ...written.result, ...(await acknowledged(services, written)) } };
      },
    }),
  ];
}

function observingEndpoints(services: Services): Endpoint[] {
  const { catalog, logs, figures, store } = services;
  return [
    endpoint({
      method: 'GET', path: '/v1/functions/{name}/logs', operation: 'getLogs', summary: 'The latest log rows, the oldest first. With follow, a stream of server-sent events: log, dropped, end.',
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
      method: 'GET', path: '/v1/functions/{name}/stats', operation: 'getStats', summary: 'Figures of each version since the control plane started.',
      params: NAME, query: NONE, answers: { 200: functionStatsSchema }, errors: ['not_found'],
      handle: ({ params: { name } }): Answer => {
        catalog.require(name);
        return { status: 200, body: figures.stats(name, catalog.digests(name).keys()) };
      },
    }),
    endpoint({
      method: 'GET', path: '/v1/audit', operation: 'listAudit', summary: 'Every change, the oldest first; each row holds the hash of the one before.',
      params: NONE, query: paging(/^[1-9]\d{0,11}$/), answers: { 200: page(auditRowSchema) }, errors: [],
      handle: ({ query: { limit, cursor } }): Answer => {
        const rows = store.list({ prefix: KEYS.audit, after: KEYS.auditRow(Number(cursor ?? 0)), limit: limit + 1 });
        const items = rows.slice(0, limit).map((row) => auditRowSchema.parse(row.value));
        return { status: 200, body: { items, next: rows.length > limit ? String(items.at(-1)?.sequence) : null } };
      },
    }),
  ];
}
