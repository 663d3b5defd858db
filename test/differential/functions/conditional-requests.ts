// ETags and 304.
export default {
  fetch(request: Request): Response {
    const etag = '"v1"';
    if (request.headers.get('if-none-match') === etag) return new Response(null, { status: 304, headers: { etag } });
    return new Response('version 1', { headers: { etag, 'content-type': 'text/plain' } });
  },
};
