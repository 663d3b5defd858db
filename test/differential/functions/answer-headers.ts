// Headers of the answer as they reach the client.
export default {
  fetch(request: Request): Response {
    switch (new URL(request.url).pathname) {
      case '/latin':
        return new Response('ok', { headers: { 'content-type': 'text/plain', 'x-latin': 'caf\u00e9' } });
      case '/empty':
        return new Response('ok', { headers: { 'content-type': 'text/plain', 'x-empty': '' } });
      default: {
        const headers = new Headers({ 'X-B': 'two', 'X-A': ' one ', 'Cache-Control': 'no-store', ETag: 'W/"1"', 'content-type': 'text/plain' });
        headers.append('vary', 'accept');
        headers.append('vary', 'origin');
        headers.append('link', '</a>; rel=preload');
        headers.append('link', '</b>; rel=preload');
        return new Response('ok', { headers });
      }
    }
  },
};
