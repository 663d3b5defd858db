// HTTP grammar that both sides of the gateway need: names, values, hop-by-hop fields, reason phrases (RFC 9110, RFC 9112).

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
// eslint-disable-next-line no-control-regex -- field-value of RFC 9110 section 5.5: no control character but HTAB
const BAD_VALUE = /[\u0000-\u0008\u000a-\u001f\u007f]|[^\u0000-\u00ff]/;

export function isHeaderName(name: string): boolean {
  return TOKEN.test(name);
}

/** Whether the value can be written as ISO-8859-1 without control characters. */
export function isHeaderValue(value: string): boolean {
  return !BAD_VALUE.test(value);
}

/** Fields of one connection (RFC 9110 section 7.6.1), and those that frame a message: never passed on, in either direction. */
export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding', 'upgrade',
]);

/** Names what a request has come through, one entry for each (CDN-Loop, RFC 8586): added to every outgoing call, counted at the gateway's door. */
export const LOOP_FIELD = 'cdn-loop';
const LOOP_ID = 'thimble';
/** Calls of functions by functions on the way of one request, over however many nodes and proxies. More: loop_detected. */
export const MAX_LOOP_DEPTH = 8;

/** The field's value with one entry more. @param came  what the request itself carried, or '' */
export function withLoopEntry(came: string): string {
  return came === '' ? LOOP_ID : `${came}, ${LOOP_ID}`;
}

/** Entries of ours. Others' entries, and parameters behind a semicolon, count for nothing. */
export function loopDepth(value: string): number {
  let depth = 0;
  for (const entry of value.split(',')) if (entry.split(';', 1)[0]?.trim().toLowerCase() === LOOP_ID) depth += 1;
  return depth;
}

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK', 201: 'Created', 202: 'Accepted', 203: 'Non-Authoritative Information', 204: 'No Content', 205: 'Reset Content', 206: 'Partial Content', 207: 'Multi-Status',
  208: 'Already Reported', 226: 'IM Used', 300: 'Multiple Choices', 301: 'Moved Permanently', 302: 'Found', 303: 'See Other', 304: 'Not Modified', 307: 'Temporary Redirect',
  308: 'Permanent Redirect', 400: 'Bad Request', 401: 'Unauthorized', 402: 'Payment Required', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed',
  406: 'Not Acceptable', 407: 'Proxy Authentication Required', 408: 'Request Timeout', 409: 'Conflict', 410: 'Gone', 411: 'Length Required', 412: 'Precondition Failed',
  413: 'Content Too Large', 414: 'URI Too Long', 415: 'Unsupported Media Type', 416: 'Range Not Satisfiable', 417: 'Expectation Failed', 418: 'I\'m a teapot',
  421: 'Misdirected Request', 422: 'Unprocessable Content', 423: 'Locked', 424: 'Failed Dependency', 425: 'Too Early', 426: 'Upgrade Required', 428: 'Precondition Required',
  429: 'Too Many Requests', 431: 'Request Header Fields Too Large', 451: 'Unavailable For Legal Reasons', 500: 'Internal Server Error', 501: 'Not Implemented',
  502: 'Bad Gateway', 503: 'Service Unavailable', 504: 'Gateway Timeout', 505: 'HTTP Version Not Supported', 506: 'Variant Also Negotiates', 507: 'Insufficient Storage',
  508: 'Loop Detected', 511: 'Network Authentication Required',
};

/** `200 OK`: the status line after the version. The phrase is always ours, never a function's. */
export function statusLine(status: number): string {
  return `${status} ${REASONS[status] ?? 'Unknown'}`;
}

/** Statuses whose response has no body (RFC 9110 section 6.4.1). */
export function hasNoBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304 || status < 200;
}

/** Methods whose repetition changes nothing more (RFC 9110 section 9.2.2). */
export function isIdempotent(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' || method === 'PUT' || method === 'DELETE' || method === 'TRACE';
}
