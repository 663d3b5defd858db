// What went wrong with an upstream, in words that are safe to tell a function: no address, no path, no library text.

/** The `why` of upstream_failed. */
export type FailureWhy =
  | 'connection_refused' | 'connect_timeout' | 'unreachable' | 'dns' | 'tls' | 'reset' | 'bad_response' | 'headers_too_large' | 'body_too_large'
  | 'redirect' | 'too_many_redirects' | 'bad_redirect' | 'streamed_body_redirect' | 'cancelled' | 'failed';

const BY_CODE: Readonly<Record<string, FailureWhy>> = {
  ECONNREFUSED: 'connection_refused',
  ECONNRESET: 'reset', EPIPE: 'reset', ECONNABORTED: 'reset', UND_ERR_SOCKET: 'reset', UND_ERR_ABORTED: 'reset', UND_ERR_INFO: 'reset',
  ETIMEDOUT: 'connect_timeout', UND_ERR_CONNECT_TIMEOUT: 'connect_timeout',
  EHOSTUNREACH: 'unreachable', ENETUNREACH: 'unreachable', EADDRNOTAVAIL: 'unreachable', ENETDOWN: 'unreachable', EACCES: 'unreachable', EPERM: 'unreachable',
  ENOTFOUND: 'dns', EAI_AGAIN: 'dns',
  EPROTO: 'tls', DEPTH_ZERO_SELF_SIGNED_CERT: 'tls', SELF_SIGNED_CERT_IN_CHAIN: 'tls', HOSTNAME_MISMATCH: 'tls',
  UND_ERR_HEADERS_OVERFLOW: 'headers_too_large',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'bad_response', UND_ERR_RESPONSE: 'bad_response',
};

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && !('code' in error && typeof error.code === 'string')) return codeOf(error.errors[0]);
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

export function failureWhy(error: unknown): FailureWhy {
  const code = codeOf(error);
  const known = BY_CODE[code];
  if (known !== undefined) return known;
  // undici 8.12 leaves the code of its parser errors undefined.
  if (code.startsWith('HPE_') || (error instanceof Error && error.name === 'HTTPParserError')) return 'bad_response';
  if (code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL') || code.startsWith('CERT_') || code.startsWith('UNABLE_TO_')) return 'tls';
  return 'failed';
}

/** Whether a kept-alive connection was closed by the server just as the request went out. */
export function isStaleConnection(error: unknown): boolean {
  return failureWhy(error) === 'reset';
}
