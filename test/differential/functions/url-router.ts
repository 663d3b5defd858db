// A router of URLPatterns.
const routes: readonly (readonly [URLPattern, (groups: Readonly<Record<string, string | undefined>>) => unknown])[] = [
  [new URLPattern({ pathname: '/cards/:id' }), ({ id }) => ({ card: id })],
  [new URLPattern({ pathname: '/cards/:id/items/:item(\\d+)' }), ({ id, item }) => ({ card: id, item: Number(item) })],
  [new URLPattern({ pathname: '/files/*' }), (groups) => ({ file: groups['0'] })],
];

export default {
  fetch(request: Request): Response {
    for (const [pattern, answer] of routes) {
      const match = pattern.exec(request.url);
      if (match !== null) return Response.json(answer(match.pathname.groups));
    }
    return new Response('nothing here', { status: 404, headers: { 'content-type': 'text/plain' } });
  },
};
