// An application object, as routers make them: `fetch` lives on the prototype and needs its receiver.
import { everyday } from './lib/everyday.ts';

type Handler = (request: Request) => Response | Promise<Response>;

class App {
  readonly #routes = new Map<string, Handler>();

  on(method: string, path: string, handler: Handler): this {
    this.#routes.set(`${method} ${path}`, handler);
    return this;
  }

  async fetch(request: Request): Promise<Response> {
    const handler = this.#routes.get(`${request.method} ${new URL(request.url).pathname}`);
    return handler === undefined ? Response.json({ error: 'not_found', path: new URL(request.url).pathname }, { status: 404 }) : handler(request);
  }
}

export default new App().on('GET', '/', everyday).on('GET', '/sum', everyday).on('POST', '/echo', everyday);
