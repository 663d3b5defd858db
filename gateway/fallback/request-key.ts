// Which requests may get the same answer: the key that stored answers lie under. Its rule is that nobody ever gets what another was answered.
import { createHash } from 'node:crypto';
import { eachField, fieldsOfRequest } from './head-fields.ts';

/**
 * Fields that say how an answer is wanted, not who asks for it. All others are part of the key, those included that nobody has heard of: a
 * function may take any of them for a credential. What an answer depends on among these it names in Vary, as for any shared cache.
 */
const NOT_WHO: ReadonlySet<string> = new Set([
  'accept', 'accept-charset', 'accept-encoding', 'accept-language', 'cache-control', 'pragma', 'user-agent', 'referer', 'dnt', 'priority', 'purpose',
  'save-data', 'te', 'upgrade-insecure-requests', 'if-none-match', 'if-modified-since', 'via', 'cdn-loop',
  // Of the way here: different for each request, or for each connection.
  'x-request-id', 'x-correlation-id', 'traceparent', 'tracestate', 'baggage', 'b3', 'x-amzn-trace-id', 'x-cloud-trace-context', 'cf-ray', 'x-forwarded-for', 'x-forwarded-port', 'x-real-ip',
]);
const NOT_WHO_PREFIXES = ['sec-ch-', 'sec-fetch-', 'x-b3-'] as const;

function isWho(name: string): boolean {
  return !NOT_WHO.has(name) && !NOT_WHO_PREFIXES.some((prefix) => name.startsWith(prefix));
}

/**
 * SHA-256 over the URL as the function sees it and every field that may say who asks: cookies, credentials, the user, and all that is unknown.
 *
 * @param head  of the request, as the host gets it. GET and HEAD have the same key.
 * @param ownCookie  name of a cookie that the gateway itself has set, which says when somebody came and not who; '' for none
 */
export function requestKey(head: string, ownCookie = ''): string {
  const at = fieldsOfRequest(head);
  const hash = createHash('sha256').update(head.slice(head.indexOf('\n') + 1, at));
  eachField(head, at, (name, value) => {
    // Line feeds part them, which neither name nor value can hold.
    if (!isWho(name)) return;
    const said = name === 'cookie' && ownCookie !== '' ? withoutCookie(value, ownCookie) : value;
    if (said !== '' || value === '') hash.update(`${name}\n${said}\n`);
  });
  return hash.digest('base64');
}

/** The cookies but one, as they came otherwise. */
function withoutCookie(cookies: string, name: string): string {
  return cookies.split(';').map((pair) => pair.trim()).filter((pair) => !pair.startsWith(`${name}=`)).join('; ');
}
