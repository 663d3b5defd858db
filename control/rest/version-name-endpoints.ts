// The endpoints of pins and aliases.
import { z } from 'zod';
import { PlatformError } from '../../core/errors/index.ts';
import { aliasNameSchema, aliasPutSchema, pinPutSchema } from '../../core/schemas/index.ts';
import { NAME, NONE, RESULT, VERSION, acknowledged } from './addresses.ts';
import { endpoint } from './endpoint.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import type { Services } from './services.ts';

const BODY_BYTES = 1_024;
const ALIAS = NAME.extend({ alias: aliasNameSchema });

export function versionNameEndpoints(services: Services): Endpoint[] {
  const { catalog, versionNames } = services;
  return [
    endpoint({
      method: 'PUT', path: '/v1/functions/{name}/versions/{version}/pin', operation: 'putVersionPin', access: 'deployer', summary: 'Pins a version or lets it go: a pinned one is never purged, and stays reachable by its number.',
      params: VERSION, query: NONE, body: { schema: pinPutSchema, optional: false, limitBytes: BODY_BYTES },
      answers: { 200: z.strictObject({ version: z.int(), pinned: z.boolean(), ...RESULT }) }, errors: ['not_found', 'conflict', 'body_too_large', 'storage_failed'],
      handle: async ({ params: { name, version }, body: { pinned }, actor }): Promise<Answer> => {
        const written = await versionNames.pin(actor, name, version, pinned);
        return { status: 200, body: { version, ...written.result, ...(await acknowledged(services, written)) } };
      },
    }),
    endpoint({
      method: 'GET', path: '/v1/functions/{name}/aliases/{alias}', operation: 'getAlias', access: 'reader', summary: 'The version that an alias names.',
      params: ALIAS, query: NONE, answers: { 200: z.strictObject({ alias: z.string(), version: z.int() }) }, errors: ['not_found'],
      handle: ({ params: { name, alias } }): Answer => {
        const { aliases } = catalog.require(name).record;
        const version = Object.hasOwn(aliases, alias) ? aliases[alias] : undefined;
        if (version === undefined) throw new PlatformError('not_found', { what: `alias ${alias} of function ${name}` });
        return { status: 200, body: { alias, version } };
      },
    }),
    endpoint({
      method: 'PUT', path: '/v1/functions/{name}/aliases/{alias}', operation: 'putAlias', access: 'deployer', summary: 'Points an alias at a version, at once for all requests to `ALIAS--NAME.…`. It moves no other traffic.',
      params: ALIAS, query: NONE, body: { schema: aliasPutSchema, optional: false, limitBytes: BODY_BYTES },
      answers: { 200: z.strictObject({ alias: z.string(), version: z.int(), ...RESULT }) }, errors: ['not_found', 'conflict', 'gate_failed', 'body_too_large', 'storage_failed'],
      handle: async ({ params: { name, alias }, body: { version }, actor }): Promise<Answer> => {
        const written = await versionNames.setAlias(actor, name, alias, version);
        return { status: 200, body: { ...written.result, ...(await acknowledged(services, written)) } };
      },
    }),
    endpoint({
      method: 'DELETE', path: '/v1/functions/{name}/aliases/{alias}', operation: 'deleteAlias', access: 'deployer', summary: 'Removes an alias. The version stays.',
      params: ALIAS, query: NONE, answers: { 200: z.strictObject({ alias: z.string(), ...RESULT }) }, errors: ['not_found', 'storage_failed'],
      handle: async ({ params: { name, alias }, actor }): Promise<Answer> => {
        const written = await versionNames.removeAlias(actor, name, alias);
        return { status: 200, body: { ...written.result, ...(await acknowledged(services, written)) } };
      },
    }),
  ];
}
