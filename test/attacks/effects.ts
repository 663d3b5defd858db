// The upstream that knows what was really done: it counts, for each token, how often a function's call with it arrived.
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export class Effects {
  readonly #counts: Uint8Array;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((request, response) => {
    const token = Number(request.url?.slice(1));
    this.#counts[token] = (this.#counts[token] ?? 0) + 1;
    request.resume();
    // Some take longer, so that a host dies with calls under way.
    if (token % 8 === 0) setTimeout(() => response.end('ok'), token % 5);
    else response.end('ok');
  });

  /** @param tokens  how many there are, from 0 */
  constructor(tokens: number) {
    this.#counts = new Uint8Array(tokens);
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** How often the effect of this token took place. */
  of(token: number): number {
    return this.#counts[token] ?? 0;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
