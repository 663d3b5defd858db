// Upstream servers for the sidecar's tests: node:http on loopback, on an ephemeral port, gone when the test ends.
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { TEST_CERTIFICATE, TEST_KEY } from './sidecar-tls.ts';

export interface Upstream {
  readonly port: number;
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  /** Connections accepted so far. */
  readonly accepted: () => number;
  /** Connections open now. */
  readonly open: () => number;
  readonly requests: IncomingMessage[];
}

async function listen(server: Server): Promise<{ readonly port: number; readonly accepted: () => number; readonly open: () => number }> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  server.on('connection', (socket: Socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { port: (server.address() as AddressInfo).port, accepted: () => accepted, open: () => sockets.size };
}

export async function useUpstream(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<Upstream> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    handler(request, response);
  });
  const at = await listen(server);
  return { ...at, origin: `http://127.0.0.1:${at.port}`, requests };
}

/** Over TLS, with the test certificate; a client must trust it and call `api.acme.test` or 127.0.0.1. */
export async function useTlsUpstream(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<Upstream> {
  const requests: IncomingMessage[] = [];
  const server = createTlsServer({ cert: TEST_CERTIFICATE, key: TEST_KEY }, (request, response) => {
    requests.push(request);
    handler(request, response);
  });
  server.on('tlsClientError', () => {});
  const at = await listen(server);
  return { ...at, origin: `https://127.0.0.1:${at.port}`, requests };
}

/** A server that speaks raw bytes, for responses that node:http would not send. */
export async function useRawUpstream(onSocket: (socket: Socket) => void): Promise<Upstream> {
  const at = await listen(createTcpServer(onSocket));
  return { ...at, origin: `http://127.0.0.1:${at.port}`, requests: [] };
}

/** The whole body of a request. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
