// HEAD: the head of what GET would answer, and no body.
export default {
  fetch(request: Request): Response {
    const headers = { 'content-type': 'text/plain', 'x-method': request.method };
    switch (new URL(request.url).pathname) {
      case '/text':
        return new Response('some text', { headers });
      case '/stream':
        return new Response(new Blob(['streamed']).stream(), { headers });
      default:
        return new Response(null, { headers: { 'x-method': request.method } });
    }
  },
};
