// Who calls the API, and which functions and tenants that covers.
import type { Role } from '../../core/schemas/index.ts';

/** The holder of the node's own token, or of one that was made over the API. */
export interface Caller {
  /** As the audit trail names it: `admin` for the node's own token, else `NAME/ID`: no part of the node is called so, and no other token. */
  readonly name: string;
  /** null: the node's own token. */
  readonly tokenId: string | null;
  readonly role: Role;
  /** Names, or beginnings of names with `*`; null: not bound to functions. */
  readonly functions: readonly string[] | null;
  /** null: not bound to tenants. */
  readonly tenants: readonly string[] | null;
}

/** The holder of the node's own token. */
export const NODE_ADMIN: Caller = { name: 'admin', tokenId: null, role: 'admin', functions: null, tenants: null };

/** Whether it covers only a part of the node. */
export function isBound({ functions, tenants }: Caller): boolean {
  return functions !== null || tenants !== null;
}

/** Whether its patterns name the function, whether it exists or not. */
export function namesFunction({ functions }: Caller, name: string): boolean {
  return functions === null || functions.some((pattern) => (pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
}

export function coversFunction(caller: Caller, name: string, tenant: string): boolean {
  return namesFunction(caller, name) && coversTenant(caller, tenant);
}

/** Whether the tenant itself may be seen, its quotas and what is used of them: not by tokens that are bound to single functions only. */
export function seesTenant(caller: Caller, tenant: string): boolean {
  return !isBound(caller) || (caller.tenants !== null && coversTenant(caller, tenant));
}

/** Whether what is the tenant's may be seen, as far as the token is bound to tenants. */
export function coversTenant({ tenants }: Caller, tenant: string): boolean {
  return tenants === null || tenants.includes(tenant);
}
