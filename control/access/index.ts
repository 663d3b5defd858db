// Who may call the API, and for what.
export { checkRole, checkSettings, checkTarget } from './authority.ts';
export type { Lookup } from './authority.ts';
export { NODE_ADMIN, coversFunction, coversTenant, isBound, namesFunction, seesTenant } from './caller.ts';
export type { Caller } from './caller.ts';
export { FailedAttempts, networkOf } from './failed-attempts.ts';
export { Gatekeeper } from './gatekeeper.ts';
export { TOKEN_ID, hashToken, idOfToken, newToken } from './token-text.ts';
export { Tokens } from './tokens.ts';
export type { TokenRecord } from './tokens.ts';
