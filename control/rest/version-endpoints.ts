// The endpoints of versions.
import { z } from 'zod';
import { copySchema, gatesReportSchema, snapshotPutSchema, uploadSchema } from '../../core/schemas/index.ts';
import { gatesReport, isActor, shortReportSchema, shortenReport, snapshotSchema, summariseVersion, versionDiffSchema, versionSummarySchema, versionViewSchema, viewVersion } from '../model/index.ts';
import { MIB, NAME, NONE, RESULT, VERSION, acknowledged } from './addresses.ts';
import { endpoint } from './endpoint.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import { flag, page, paged, paging } from './paging.ts';
import type { Services } from './services.ts';

const UPLOAD_BYTES = 32 * MIB;
/** ECMA-426. */
const sourceMapSchema = z.looseObject({ version: z.literal(3), sources: z.array(z.string()), mappings: z.string() });

export function versionEndpoints(services: Services): Endpoint[] {
  const { versions, snapshots } = services;
  const code = z.union([uploadSchema, copySchema]);
  return [
    endpoint({
      method: 'POST', path: '/v1/functions/{name}/versions', operation: 'createVersion', access: 'deployer',
      summary: 'Builds a version from files, or from those of an earlier one. The first gets all traffic, later ones with activate.',
      params: NAME, query: z.strictObject({ activate: flag }),
      body: {
        schema: code,
        pick: (body) => (typeof body === 'object' && body !== null && 'from' in body ? copySchema : uploadSchema),
        optional: false,
        limitBytes: UPLOAD_BYTES,
      },
      answers: {
        201: z.strictObject({ version: z.int(), digest: z.string(), bytes: z.int(), buildMs: z.number(), live: z.boolean(), snapshot: snapshotSchema, report: shortReportSchema, gates: gatesReportSchema.nullable(), ...RESULT }),
      },
      errors: ['not_found', 'frozen', 'build_failed', 'gate_failed', 'body_too_large', 'storage_failed', 'unavailable', 'overloaded'],
      handle: async ({ params, query, body, actor }): Promise<Answer> => {
        const written = await versions.deploy(actor, params.name, {
          code: 'from' in body ? { from: body.from } : { files: body.files, main: body.main },
          message: body.message ?? null,
          activate: query.activate,
          snapshot: body.snapshot ?? true,
          gates: { tests: body.tests, smoke: body.smoke, ceilings: body.ceilings },
        });
        const { version, digest, bytes, buildMs } = written.result.record;
        const { live, report, gates } = written.result;
        if (body.snapshot === false) await snapshots.switched(params.name, version, digest, false);
        // Also for a version without one: its code cache is made by the same build.
        snapshots.wanted(params.name, version);
        return { status: 201, body: { version, digest, bytes, buildMs, live, snapshot: snapshots.view(params.name, version, digest), report: shortenReport(report), gates, ...(await acknowledged(services, written)) } };
      },
    }),
    endpoint({
      method: 'GET', path: '/v1/functions/{name}/versions', operation: 'listVersions', access: 'reader', summary: 'Versions, the oldest first; also those of a deleted function. author: who made it, as the audit trail names them; since: made then or later.',
      params: NAME, query: paging(/^[1-9]\d{0,8}$/).extend({ author: z.string().max(128).optional(), since: z.iso.datetime({ offset: true }).optional() }), answers: { 200: page(versionSummarySchema) }, errors: ['not_found'],
      handle: ({ params: { name }, query: { limit, cursor, author, since } }): Answer => {
        const from = since === undefined ? -Infinity : Date.parse(since);
        const body = paged(versions.all(name, Number(cursor ?? 0)), {
          limit,
          wanted: ({ createdBy, createdAt }) => (author === undefined || isActor(createdBy, author)) && Date.parse(createdAt) >= from,
          view: (record) => summariseVersion(record, snapshots.view(name, record.version, record.digest)),
          cursorOf: ({ version }) => String(version),
        });
        return { status: 200, body };
      },
    }),
    endpoint({
      method: 'GET', path: '/v1/functions/{name}/versions/{version}', operation: 'getVersion', access: 'reader', volatile: ['snapshot'], summary: 'One version with its files, what it froze, and the report of its build.',
      params: VERSION, query: NONE, answers: { 200: versionViewSchema }, errors: ['not_found'],
      handle: ({ params: { name, version } }): Answer => {
        const record = versions.read(name, version);
        return { status: 200, body: viewVersion(record, versions.sources(record), versions.report(name, version), snapshots.view(name, version, record.digest), gatesReport(services.store, name, version)) };
      },
    }),
    endpoint({
      method: 'GET', path: '/v1/functions/{name}/versions/{version}/map', operation: 'getVersionMap', access: 'reader', summary: 'The source map of its bundle (version 3). Its sources are the paths of the uploaded files.',
      params: VERSION, query: NONE, answers: { 200: sourceMapSchema }, errors: ['not_found'],
      handle: async ({ params: { name, version } }): Promise<Response> =>
        new Response(await versions.map(name, version), { headers: { 'content-type': 'application/json', 'cache-control': 'no-store' } }),
    }),
    endpoint({
      method: 'GET', path: '/v1/functions/{name}/versions/{version}/diff/{other}', operation: 'diffVersions', access: 'reader',
      summary: 'What differs from one version to another: files as unified diffs, environment, bindings, main, sizes. Bounded: what is left out says why.',
      params: VERSION.extend({ other: VERSION.shape.version }), query: NONE, answers: { 200: versionDiffSchema }, errors: ['not_found'],
      handle: async ({ params: { name, version, other } }): Promise<Answer> => ({ status: 200, body: await versions.diff(name, version, other) }),
    }),
    endpoint({
      method: 'PUT', path: '/v1/functions/{name}/versions/{version}/snapshot', operation: 'putVersionSnapshot', access: 'deployer', summary: 'Switches the version snapshot of one version on or off, from its next cold start.',
      params: VERSION, query: NONE, body: { schema: snapshotPutSchema, optional: false, limitBytes: 1_024 },
      answers: { 200: z.strictObject({ version: z.int(), snapshot: snapshotSchema, ...RESULT }) }, errors: ['not_found', 'frozen', 'body_too_large', 'storage_failed'],
      handle: async ({ params: { name, version }, body: { enabled }, actor }): Promise<Answer> => {
        const written = await versions.switchSnapshot(actor, name, version, enabled);
        const { digest } = written.result;
        if (snapshots.isOff(name, version) === enabled) await snapshots.switched(name, version, digest, enabled);
        return { status: 200, body: { version, snapshot: snapshots.view(name, version, digest), ...(await acknowledged(services, written)) } };
      },
    }),
  ];
}
