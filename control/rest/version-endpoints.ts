// The endpoints of versions.
import { z } from 'zod';
import { copySchema, snapshotPutSchema, uploadSchema } from '../../core/schemas/index.ts';
import { snapshotSchema, summariseVersion, versionSummarySchema, versionViewSchema, viewVersion } from '../model/index.ts';
import { MIB, NAME, NONE, RESULT, VERSION, acknowledged } from './addresses.ts';
import { endpoint } from './endpoint.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import { flag, page, paging } from './paging.ts';
import type { Services } from './services.ts';

const UPLOAD_BYTES = 32 * MIB;

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
        201: z.strictObject({ version: z.int(), digest: z.string(), bytes: z.int(), buildMs: z.number(), live: z.boolean(), snapshot: snapshotSchema, ...RESULT }),
      },
      errors: ['not_found', 'frozen', 'build_failed', 'body_too_large', 'storage_failed'],
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
      method: 'GET', path: '/v1/functions/{name}/versions', operation: 'listVersions', access: 'reader', summary: 'Versions, the oldest first; also those of a deleted function.',
      params: NAME, query: paging(/^[1-9]\d{0,8}$/), answers: { 200: page(versionSummarySchema) }, errors: ['not_found'],
      handle: ({ params: { name }, query: { limit, cursor } }): Answer => {
        const found = versions.list(name, Number(cursor ?? 0), limit + 1);
        const items = found.slice(0, limit).map((record) => summariseVersion(record, snapshots.view(name, record.version, record.digest)));
        return { status: 200, body: { items, next: found.length > limit ? String(items.at(-1)?.version) : null } };
      },
    }),
    endpoint({
      method: 'GET', path: '/v1/functions/{name}/versions/{version}', operation: 'getVersion', access: 'reader', summary: 'One version with its files and what it froze.',
      params: VERSION, query: NONE, answers: { 200: versionViewSchema }, errors: ['not_found'],
      handle: ({ params: { name, version } }): Answer => {
        const record = versions.read(name, version);
        return { status: 200, body: viewVersion(record, versions.sources(record), snapshots.view(name, version, record.digest)) };
      },
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
