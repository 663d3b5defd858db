// A backend-for-frontend: GET /cards/:id joins a user and the products that suit them into what one screen shows.
import { toCard } from './card.ts';
import { getProducts, getUser, UpstreamError } from './upstreams.ts';
import type { Env } from './upstreams.ts';

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const id = /^\/cards\/(\d{1,9})$/.exec(new URL(request.url).pathname)?.[1];
    if (id === undefined) return Response.json({ error: 'not_found', message: 'try /cards/42' }, { status: 404 });
    try {
      const [user, products] = await Promise.all([getUser(env, id, request.signal), getProducts(env, id, request.signal)]);
      if (user === null) return Response.json({ error: 'not_found', message: `there is no card ${id}` }, { status: 404 });
      const card = toCard(user, products, isStaff(request, env));
      return Response.json(card, { headers: { 'cache-control': 'private, max-age=10' } });
    } catch (error) {
      if (!(error instanceof UpstreamError)) throw error;
      console.warn('upstream failed', error.service, error.message);
      return Response.json({ error: 'upstream_failed', service: error.service }, { status: 502 });
    }
  },
};

/** Staff see the whole phone number: `authorization: Bearer KEY`. */
function isStaff(request: Request, env: Env): boolean {
  return request.headers.get('authorization') === `Bearer ${env.STAFF_KEY}`;
}
