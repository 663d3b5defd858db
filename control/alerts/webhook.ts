// One HTTP POST to an operator's webhook, by the Standard Webhooks specification. The receiver is trusted with nothing: not with time, bytes or redirects.
import { createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage, RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Webhook } from '../../core/schemas/index.ts';

export interface WebhookCall {
  readonly webhook: Webhook;
  readonly id: string;
  readonly body: string;
  /** Milliseconds since 1970: of this attempt. */
  readonly atMs: number;
  /** For the whole exchange, milliseconds. */
  readonly timeoutMs: number;
}

/** What came of it. `status` 0: no answer came, and `error` says why. `retryAfterS` 0: none was asked for. */
export interface WebhookAnswer {
  readonly status: number;
  readonly error: string;
  readonly retryAfterS: number;
}

/** Of a response head. Bodies are not read at all. */
const MAX_HEAD_BYTES = 16_384;
const MAX_ERROR_CHARACTERS = 200;

/**
 * `webhook-id`, `webhook-timestamp` and, with a secret, `webhook-signature`: `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function webhookHeaders({ webhook: { secret }, id, body, atMs }: Pick<WebhookCall, 'webhook' | 'id' | 'body' | 'atMs'>): Record<string, string> {
  const timestamp = String(Math.floor(atMs / 1_000));
  const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp };
  if (secret === undefined) return headers;
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
  return { ...headers, 'webhook-signature': `v1,${signature}` };
}

/** Sends it once, on a connection of its own. Resolves with the head of the answer, or with what went wrong; never rejects. Redirects are answers like others. */
export function callWebhook(call: WebhookCall): Promise<WebhookAnswer> {
  return new Promise((resolve) => {
    const url = new URL(call.webhook.url);
    const failed = (thrown: unknown): void => resolve({ status: 0, error: (thrown instanceof Error ? thrown.message : String(thrown)).slice(0, MAX_ERROR_CHARACTERS), retryAfterS: 0 });
    const options: RequestOptions = {
      method: 'POST', agent: false, maxHeaderSize: MAX_HEAD_BYTES,
      // Not `timeout`: it starts anew with every byte, and a receiver that sends one now and then would hold us for ever.
      signal: AbortSignal.timeout(call.timeoutMs),
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(call.body), 'user-agent': 'thimble', connection: 'close', ...webhookHeaders(call) },
    };
    const onAnswer = (answer: IncomingMessage): void => {
      const { statusCode = 0, headers } = answer;
      answer.on('error', () => {});
      answer.destroy();
      resolve({ status: statusCode, error: statusCode >= 200 && statusCode < 300 ? '' : `it answered ${statusCode}`, retryAfterS: seconds(headers['retry-after']) });
    };
    try {
      const outgoing = url.protocol === 'https:' ? httpsRequest(url, options, onAnswer) : httpRequest(url, options, onAnswer);
      outgoing.on('error', (error) => failed(options.signal?.aborted === true ? new Error(`no answer within ${call.timeoutMs} ms`) : error));
      outgoing.end(call.body);
    } catch (thrown) {
      failed(thrown);
    }
  });
}

/** Retry-After in seconds; dates are not worth their clock. */
function seconds(header: string | undefined): number {
  return header !== undefined && /^\d{1,6}$/.test(header) ? Number(header) : 0;
}
