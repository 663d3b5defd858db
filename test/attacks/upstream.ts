// An upstream on loopback that helps attacks along: endless, hanging, bombs, circles, and a proxy back to the node.
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { gzipSync } from 'node:zlib';

export interface Upstream {
  readonly port: number;
  readonly origin: string;
  /** Where `/proxy` passes requests on to. */
  gatewayPort: number;
  stop(): Promise<void>;
}

const BOMB = gzipSync(Buffer.alloc(2e8));
const CHUNK = Buffer.alloc(65_536);

export async function startUpstream(): Promise<Upstream> {
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    request.on('error', () => {});
    response.on('error', () => {});
    answer(upstream, request, response);
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const upstream: Upstream = {
    port,
    origin: `http://127.0.0.1:${port}`,
    gatewayPort: 0,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return upstream;
}

function answer(upstream: Upstream, request: IncomingMessage, response: ServerResponse): void {
  switch (request.url) {
    case '/hang':
      return;
    case '/endless': {
      const more = (): void => {
        if (response.destroyed) return;
        while (response.write(CHUNK));
        response.once('drain', more);
      };
      more();
      return;
    }
    case '/bomb':
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(BOMB);
      return;
    case '/circle':
      response.writeHead(302, { location: '/circle' }).end();
      return;
    case '/to-metadata':
      response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end();
      return;
    case '/upload':
      request.resume();
      request.on('end', () => response.end('taken'));
      return;
    case '/proxy': {
      // A proxy outside the node: keeps every field, as proxies do, and finds the function by another host name.
      const { 'x-fn': fn, host: _host, connection: _connection, ...fields } = request.headers;
      const onward = httpRequest({ host: '127.0.0.1', port: upstream.gatewayPort, path: '/', method: request.method, headers: { ...fields, host: `${String(fn)}.localhost` } }, (back) => {
        response.writeHead(back.statusCode ?? 502, back.headers);
        back.pipe(response);
      });
      onward.on('error', () => response.destroy());
      response.on('close', () => onward.destroy());
      request.pipe(onward);
      return;
    }
    default:
      request.resume();
      response.end('hello');
  }
}
