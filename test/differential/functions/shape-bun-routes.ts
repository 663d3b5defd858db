// `Bun.serve` with routes: by path, by method, with parameters, and `fetch` for the rest.
import { everyday } from './lib/everyday.ts';

Bun.serve({
  routes: {
    '/users/:user/posts/:post': {
      GET: (request) => Response.json({ params: { user: request.params['user'], post: request.params['post'] } }),
      POST: () => Response.json({ made: true }, { status: 201 }),
    },
    '/echo': (request) => everyday(request),
  },
  fetch: (request) => everyday(request),
});
