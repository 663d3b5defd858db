// What a caller may do: the role that an endpoint needs, and whether the token covers the function or tenant in its address.
import { DEFAULT_TIER } from '../../core/config/index.ts';
import { PlatformError } from '../../core/errors/index.ts';
import { ROLES } from '../../core/schemas/index.ts';
import type { Role } from '../../core/schemas/index.ts';
import { coversFunction, coversTenant, isBound, namesFunction, seesTenant } from './caller.ts';
import type { Caller } from './caller.ts';

/** As much of an endpoint as decides. */
export interface Operation {
  readonly operation: string;
  readonly path: string;
  readonly access: 'open' | Role;
  /** See control/rest/endpoint.ts. */
  readonly partial?: boolean;
}

/** As much of a function as decides; undefined: there is none of this name. */
export type Lookup = (name: string) => { readonly tenant: string; readonly tier: string } | undefined;

const FUNCTION_PATH = /^\/v1\/functions\/\{name\}(?:\/|$)/;
const TENANT_PATH = /^\/v1\/tenants\/\{name\}(?:\/|$)/;
const CREATES_FUNCTION = 'putFunction';

const rank = (role: Role): number => ROLES.indexOf(role);

/** Whether the caller's role is enough; decided before anything is looked up. @throws forbidden */
export function checkRole(caller: Caller, { operation, access, path, partial }: Operation): void {
  if (access === 'open') return;
  if (rank(caller.role) < rank(access)) throw new PlatformError('forbidden', { action: `call ${operation}, which needs the role ${access}` });
  // What is about the whole node is not for a token that covers a part of it, unless the endpoint sees to it.
  if (isBound(caller) && partial !== true && !FUNCTION_PATH.test(path) && !TENANT_PATH.test(path)) {
    throw new PlatformError('forbidden', { action: `call ${operation}, which is about the whole node` });
  }
}

/**
 * Whether the token covers what the address names. A name outside the token's patterns is `forbidden` whether or not there is such a
 * function; a function of a tenant that the token is not bound to does not exist for it: neither answer tells what there is.
 *
 * @throws forbidden, not_found
 */
export function checkTarget(caller: Caller, { operation, path }: Operation, params: unknown, lookup: Lookup): void {
  const name = nameIn(params);
  if (!isBound(caller) || name === undefined) return;
  if (TENANT_PATH.test(path)) {
    // Tenants that a token is bound to are known to its holder: others are neither confirmed nor denied.
    if (!seesTenant(caller, name)) throw new PlatformError('forbidden', { action: `call ${operation} on tenant ${name}` });
    return;
  }
  if (!FUNCTION_PATH.test(path)) return;
  if (!namesFunction(caller, name)) throw new PlatformError('forbidden', { action: `call ${operation} on function ${name}` });
  if (caller.tenants === null) return;
  const found = lookup(name);
  if (found !== undefined && coversFunction(caller, name, found.tenant)) return;
  if (operation !== CREATES_FUNCTION) throw new PlatformError('not_found', { what: `function ${name}` });
  // Names are the node's: that one is taken cannot be hidden from who may make functions.
  if (found !== undefined) throw new PlatformError('forbidden', { action: `call ${operation} on function ${name}` });
}

/**
 * Whether the settings that `PUT /v1/functions/:name` gives are the caller's to give: the tenant must be one that the token covers, and
 * only admins choose the trust tier, which decides whose code shares a process.
 *
 * @throws forbidden
 */
export function checkSettings(caller: Caller, { operation }: Operation, params: unknown, body: unknown, lookup: Lookup): void {
  const name = nameIn(params);
  if (operation !== CREATES_FUNCTION || caller.role === 'admin' || name === undefined) return;
  const found = lookup(name);
  const tenant = textIn(body, 'tenant') ?? found?.tenant ?? 'default';
  if (!coversTenant(caller, tenant)) throw new PlatformError('forbidden', { action: `put a function into tenant ${tenant}` });
  const tier = textIn(body, 'tier');
  if (tier !== undefined && tier !== (found?.tier ?? DEFAULT_TIER)) throw new PlatformError('forbidden', { action: 'choose the tier of a function, which needs the role admin' });
}

function nameIn(params: unknown): string | undefined {
  return textIn(params, 'name');
}

function textIn(value: unknown, key: string): string | undefined {
  const member: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  return typeof member === 'string' ? member : undefined;
}
