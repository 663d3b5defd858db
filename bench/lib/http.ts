// One HTTP request with a Host header of our choice, which fetch does not allow.
import { request } from 'node:http';
import type { Agent, IncomingHttpHeaders } from 'node:http';

export interface Call {
  readonly port: number;
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Default: a new connection for this request. */
  readonly agent?: Agent;
  /** Default 30,000. */
  readonly timeoutMs?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Milliseconds from the call to the last byte of the answer. */
  readonly ms: number;
}

export function call({ port, method = 'GET', path, headers = {}, body, agent, timeoutMs = 30_000 }: Call): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const outgoing = request({ host: '127.0.0.1', port, method, path, headers: { ...headers, ...length }, agent: agent ?? false, timeout: timeoutMs }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: Buffer.concat(chunks).toString('utf8'), ms: performance.now() - startedMs });
      });
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer to ${method} ${path} within ${timeoutMs} ms`)));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}
