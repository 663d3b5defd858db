// The user's id on its way to the function: a header field of the gateway's own, which no client can set.

/** What clients send under x-thimble-* is dropped (request-head.ts). Functions of the business shape read it as `ctx.user`. */
export const USER_FIELD = 'x-thimble-user';

/** Longer ones are no ids, characters. */
const MAX_USER_CHARACTERS = 1_024;

/**
 * `\nx-thimble-user\nVALUE`, or '' when there is no user. Percent-encoded: a claim may hold any character, and fields are parted by line feeds.
 */
export function userField(user: string | undefined): string {
  if (user === undefined || user === '' || user.length > MAX_USER_CHARACTERS) return '';
  return `\n${USER_FIELD}\n${encodeURIComponent(user.toWellFormed())}`;
}
