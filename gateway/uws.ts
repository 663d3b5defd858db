// The only module that touches uWebSockets.js: its listener, and the narrow part of its request and response that the gateway uses.
import './uws-environment.ts';
import * as native from 'uWebSockets.js';
import type { us_listen_socket } from 'uWebSockets.js';
import { PlatformError } from '../core/errors/index.ts';

/** Valid only while its handler runs, before the first await. */
export interface ClientRequest {
  /** The path, raw. */
  getUrl(): string;
  /** What follows the first `?`, raw; undefined when there is none. */
  getQuery(): string | undefined;
  getCaseSensitiveMethod(): string;
  getHeader(lowerCaseName: string): string;
  /** Names in lower case. Values without the white space around them, decoded as UTF-8. */
  forEach(each: (name: string, value: string) => void): void;
}

/**
 * One response. After the abort handler, `end`, `endWithoutBody` or `close`, any call throws or ends the process, so that exactly one
 * object (client.ts) holds it and forgets it first.
 */
export interface ClientResponse {
  writeStatus(status: string): unknown;
  writeHeader(name: string, value: string | Uint8Array): unknown;
  /** @returns false when the kernel did not take all: wait for onWritable */
  write(chunk: string | Uint8Array): boolean;
  end(body?: string | Uint8Array, closeConnection?: boolean): unknown;
  endWithoutBody(): unknown;
  close(): unknown;
  /** Stops reading the body, and the parser's own timeout with it. */
  pause(): void;
  resume(): void;
  cork(write: () => void): unknown;
  onAborted(handler: () => void): unknown;
  /** The chunk is valid only while the handler runs. Called also after `end`, with what still comes. */
  onData(handler: (chunk: ArrayBuffer, last: boolean) => void): unknown;
  onWritable(handler: (offset: number) => boolean): unknown;
  getRemoteAddressAsText(): ArrayBuffer;
}

export interface Listener {
  /** The port that was bound: of interest when 0 was asked for. */
  readonly port: number;
  /** Open client connections. */
  readonly clients: number;
  /** Takes no new connection; those that are open go on. */
  stopAccepting(): void;
  /** Closes every connection. */
  close(): void;
}

/**
 * Listens on `host:port` and calls `onRequest` for every request of any method. A `onRequest` that neither answers nor attaches an abort
 * handler ends the process.
 *
 * @throws port_taken  the address cannot be bound
 */
export async function listen(host: string, port: number, onRequest: (response: ClientResponse, request: ClientRequest) => void): Promise<Listener> {
  // The switch of the library's advertising header; its types leave it out.
  (native as unknown as { _cfg(key: string): void })._cfg('999999990007');
  const app = native.App();
  let clients = 0;
  app.filter((_response, change) => {
    clients += change;
  });
  app.any('/*', (response, request) => onRequest(response as unknown as ClientResponse, request as unknown as ClientRequest));
  const socket = await new Promise<us_listen_socket | false>((resolve) => {
    app.listen(host, port, resolve);
  });
  if (socket === false) throw new PlatformError('port_taken', { port, setting: 'THIMBLE_PORT' });
  let accepting = true;
  const stopAccepting = (): void => {
    if (!accepting) return;
    accepting = false;
    native.us_listen_socket_close(socket);
  };
  return {
    port: native.us_socket_local_port(socket),
    get clients() {
      return clients;
    },
    stopAccepting,
    close() {
      stopAccepting();
      app.close();
    },
  };
}
