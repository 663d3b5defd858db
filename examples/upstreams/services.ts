// Two small HTTP services on plain Node, as a company's back end might have them: products and users.
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { makeProducts, makeUsers } from './data.ts';
import type { Product } from './data.ts';

const MAX_LIMIT = 100;
const MAX_RANKED_USERS = 10_000;

/** `GET /products/ID`, and `GET /products?user=ID&limit=N`: what suits this user best. */
export function productService(): Server {
  const products = makeProducts();
  const ranked = new Map<number, readonly Product[]>();
  return createServer((request, response) => {
    const url = urlOf(request, response);
    if (url === undefined) return;
    const one = /^\/products\/(\d+)$/.exec(url.pathname);
    if (one !== null) {
      answer(response, products[Number(one[1]) - 1]);
      return;
    }
    const user = Number(url.searchParams.get('user'));
    const limit = Number(url.searchParams.get('limit') ?? '5');
    if (url.pathname !== '/products' || !Number.isInteger(user) || user < 1 || !Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
      answer(response, undefined);
      return;
    }
    let best = ranked.get(user);
    if (best === undefined) {
      best = rank(products, user).slice(0, MAX_LIMIT);
      if (ranked.size < MAX_RANKED_USERS) ranked.set(user, best);
    }
    answer(response, { items: best.slice(0, limit), total: products.length });
  });
}

/** Scores the whole catalogue for one user: milliseconds of work, done once a user, so that a load test measures its caller. */
function rank(products: readonly Product[], user: number): Product[] {
  const value = (product: Product): number => product.score + (product.ownerId === user ? 1 : 0) + ((product.id * 31 + user * 17) % 97) / 97 - (product.stock === 0 ? 5 : 0);
  return products
    .map((product) => ({ product, value: value(product) }))
    .sort((a, b) => b.value - a.value || a.product.id - b.product.id)
    .map(({ product }) => product);
}

/** `GET /users/ID`. */
export function userService(): Server {
  const users = makeUsers();
  return createServer((request, response) => {
    const url = urlOf(request, response);
    if (url === undefined) return;
    const one = /^\/users\/(\d+)$/.exec(url.pathname);
    answer(response, one === null ? undefined : users[Number(one[1]) - 1]);
  });
}

/** The request's URL; answers what is no GET of a valid one by itself. */
function urlOf(request: IncomingMessage, response: ServerResponse): URL | undefined {
  const target = request.url ?? '/';
  if (request.method === 'GET' && URL.canParse(target, 'http://upstream')) return new URL(target, 'http://upstream');
  response.writeHead(request.method === 'GET' ? 400 : 405).end();
  return undefined;
}

function answer(response: ServerResponse, body: unknown): void {
  const text = JSON.stringify(body ?? { error: 'not found' });
  response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text);
}
