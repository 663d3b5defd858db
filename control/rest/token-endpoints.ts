// The endpoints of tokens: made once, shown once, revoked at once.
import { z } from 'zod';
import { ROLES, tokenPostSchema } from '../../core/schemas/index.ts';
import { TOKEN_ID } from '../access/index.ts';
import type { TokenRecord } from '../access/index.ts';
import { NONE, RESULT, acknowledged } from './addresses.ts';
import { endpoint } from './endpoint.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import { page, paged, paging } from './paging.ts';
import type { Services } from './services.ts';

const TOKEN_BYTES = 262_144;
const ID = z.strictObject({ id: z.string().regex(TOKEN_ID, 'must be the id of a token') });

const tokenViewSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  role: z.enum(ROLES),
  functions: z.array(z.string()).nullable().describe('null: not bound to functions'),
  tenants: z.array(z.string()).nullable().describe('null: not bound to tenants'),
  expiresAt: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
  lastUsedAt: z.iso.datetime().nullable().describe('to the minute'),
});

export function tokenEndpoints(services: Services): Endpoint[] {
  const { tokens } = services;
  const view = ({ id, name, role, functions, tenants, expiresAt, createdAt, createdBy }: TokenRecord): z.infer<typeof tokenViewSchema> => ({
    id, name, role, functions, tenants, expiresAt, createdAt, createdBy, lastUsedAt: tokens.lastUsed(id),
  });
  return [
    endpoint({
      method: 'POST', path: '/v1/tokens', operation: 'createToken', access: 'admin',
      summary: 'Makes a token. Its text is in this answer and nowhere else: what is kept is its SHA-256.',
      params: NONE, query: NONE, body: { schema: tokenPostSchema, optional: false, limitBytes: TOKEN_BYTES },
      answers: { 201: tokenViewSchema.extend({ token: z.string().describe('shown this once'), ...RESULT }) }, errors: ['conflict', 'body_too_large', 'storage_failed'],
      handle: async ({ body, actor }): Promise<Answer> => {
        const written = await tokens.create(actor, body);
        const { record, token } = written.result;
        return { status: 201, body: { ...view(record), token, ...(await acknowledged(services, written)) } };
      },
    }),
    endpoint({
      method: 'GET', path: '/v1/tokens', operation: 'listTokens', access: 'admin', summary: 'Tokens, the oldest first; also those that have expired. The node\'s own is not among them.',
      params: NONE, query: paging(TOKEN_ID).extend({ role: z.enum(ROLES).optional(), name: z.string().max(64).optional() }), answers: { 200: page(tokenViewSchema) }, errors: [], volatile: true,
      handle: ({ query: { limit, cursor, role, name } }): Answer => {
        const wanted = (token: TokenRecord): boolean => (cursor === undefined || token.id > cursor) && (role === undefined || token.role === role) && (name === undefined || token.name === name);
        return { status: 200, body: paged(tokens.all(), { limit, wanted, view, cursorOf: ({ id }) => id }) };
      },
    }),
    endpoint({
      method: 'GET', path: '/v1/tokens/{id}', operation: 'getToken', access: 'admin', summary: 'One token, without its text.',
      params: ID, query: NONE, answers: { 200: tokenViewSchema }, errors: ['not_found'], volatile: ['lastUsedAt'],
      handle: ({ params: { id } }): Answer => ({ status: 200, body: view(tokens.require(id)) }),
    }),
    endpoint({
      method: 'DELETE', path: '/v1/tokens/{id}', operation: 'revokeToken', access: 'admin', summary: 'Revokes a token: from now on it is refused, and streams that it had opened are cut.',
      params: ID, query: NONE, answers: { 200: ID.extend(RESULT) }, errors: ['not_found', 'storage_failed'],
      handle: async ({ params: { id }, actor }): Promise<Answer> => {
        const written = await tokens.revoke(actor, id);
        return { status: 200, body: { id, ...(await acknowledged(services, written)) } };
      },
    }),
  ];
}
