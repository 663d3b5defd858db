// The HTTP listener of the control plane: hono over node:http, bounded, and closed without cutting an answer.
import { createServer } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';
import { PlatformError } from '../../core/errors/index.ts';
import type { Bindings } from './app.ts';
import { problemResponse } from './problems.ts';

export interface HttpServer {
  readonly port: number;
  /** Takes nothing new; resolves when every answer is out, or after `withinMs`, when the rest is cut. */
  close(withinMs: number): Promise<void>;
}

const HEADERS_MS = 10_000;
const REQUEST_MS = 60_000;
const KEEP_ALIVE_MS = 15_000;
const MAX_CONNECTIONS = 1_000;

/** @throws port_taken */
export async function listenHttp(app: Hono<Bindings>, host: string, port: number): Promise<HttpServer> {
  const listener = getRequestListener((request, env) => app.fetch(request, env), {
    overrideGlobalObjects: false,
    // Only what cannot be made a Request comes here, such as a Host header that is no host.
    errorHandler: () => problemResponse(new PlatformError('bad_request', { why: 'its address or host is malformed' })),
  });
  const server = createServer({ headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS, keepAliveTimeout: KEEP_ALIVE_MS, requireHostHeader: true }, (incoming, outgoing) => {
    void listener(incoming, outgoing);
  });
  server.maxConnections = MAX_CONNECTIONS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new PlatformError('port_taken', { port, setting: 'THIMBLE_CONTROL_PORT' }, { cause: error }) : error);
    });
    server.listen(port, host, () => resolve());
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: (withinMs) =>
      new Promise((resolve) => {
        const late = setTimeout(() => server.closeAllConnections(), withinMs);
        server.close(() => {
          clearTimeout(late);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}
