// The endpoints of backups.
import { z } from 'zod';
import { backupPostSchema } from '../../core/schemas/index.ts';
import { BACKUP_ID } from '../backup/index.ts';
import { NONE } from './addresses.ts';
import { endpoint } from './endpoint.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import { page, paging } from './paging.ts';
import type { Services } from './services.ts';

const backupSchema = z.strictObject({
  id: z.string(),
  path: z.string(),
  createdAt: z.iso.datetime(),
  store: z.strictObject({ format: z.int(), epoch: z.int(), revision: z.int() }),
  audit: z.strictObject({ sequence: z.int(), hash: z.string() }),
  functions: z.int(),
  versions: z.int(),
  keys: z.array(z.string()),
  missing: z.array(z.string()),
  bytes: z.int(),
});

export function backupEndpoints({ backups }: Services): Endpoint[] {
  return [
    endpoint({
      method: 'POST', path: '/v1/backups', operation: 'createBackup', access: 'admin', summary: 'Copies all that lasts into the data folder\'s `backups/`, as of one moment, while the node works; checked before it answers.',
      params: NONE, query: NONE, body: { schema: backupPostSchema, optional: true, limitBytes: 1_024 },
      answers: { 201: backupSchema }, errors: ['conflict', 'backup_invalid', 'body_too_large', 'storage_failed'],
      handle: async ({ body: { keys }, actor }): Promise<Answer> => ({ status: 201, body: await backups.create(actor, keys) }),
    }),
    endpoint({
      method: 'GET', path: '/v1/backups', operation: 'listBackups', access: 'admin', summary: 'Backups in the data folder, the oldest first.',
      params: NONE, query: paging(BACKUP_ID), answers: { 200: page(backupSchema) }, errors: [],
      handle: async ({ query: { limit, cursor } }): Promise<Answer> => {
        const found = await backups.list(cursor, limit + 1);
        const items = found.slice(0, limit);
        return { status: 200, body: { items, next: found.length > limit ? (items.at(-1)?.id ?? null) : null } };
      },
    }),
    endpoint({
      method: 'DELETE', path: '/v1/backups/{id}', operation: 'deleteBackup', access: 'admin', summary: 'Removes a backup from the data folder.',
      params: z.strictObject({ id: z.string().regex(BACKUP_ID, 'must be the id of a backup') }), query: NONE, answers: { 200: z.strictObject({ id: z.string() }) }, errors: ['not_found', 'storage_failed'],
      handle: async ({ params: { id }, actor }): Promise<Answer> => {
        await backups.remove(actor, id);
        return { status: 200, body: { id } };
      },
    }),
  ];
}
