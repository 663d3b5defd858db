// A receiver of webhooks on loopback that checks signatures by its own means, and can be as bad as receivers are.
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Received {
  readonly id: string;
  readonly path: string;
  readonly signature: string;
  readonly timestamp: string;
  readonly body: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface WebhookSink {
  readonly url: string;
  readonly port: number;
  readonly received: Received[];
  /** How it answers; default: 204. */
  answer: (request: Received, response: ServerResponse, incoming: IncomingMessage) => void;
  readonly close: () => Promise<void>;
}

export async function useWebhookSink(port = 0): Promise<WebhookSink> {
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('error', () => {});
    response.on('error', () => {});
    incoming.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const header = (name: string): string => String(incoming.headers[name] ?? '');
      const { type = '', data = {} } = JSON.parse(body) as Partial<Received>;
      const one = { id: header('webhook-id'), path: incoming.url ?? '', signature: header('webhook-signature'), timestamp: header('webhook-timestamp'), body, type, data };
      sink.received.push(one);
      sink.answer(one, response, incoming);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const bound = (server.address() as AddressInfo).port;
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  onTestFinished(close);
  const sink: WebhookSink = {
    url: `http://127.0.0.1:${bound}/hook/very-secret-path`, port: bound, received: [], close,
    answer: (_request, response) => void response.writeHead(204).end(),
  };
  return sink;
}

/** As a receiver does it by the Standard Webhooks specification. */
export function isSigned({ id, timestamp, body, signature }: Received, secret: string): boolean {
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  return signature.split(' ').includes(`v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`, 'utf8').digest('base64')}`);
}
