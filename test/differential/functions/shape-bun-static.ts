// `Bun.serve` with a route that is a response, given again and again.
Bun.serve({
  routes: { '/static': new Response('always this', { headers: { 'content-type': 'text/plain' } }) },
  fetch: () => new Response('never', { status: 500 }),
});
