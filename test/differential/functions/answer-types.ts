// The content type that an answer gets from its body.
const bytes = new TextEncoder().encode('body');

export default {
  fetch(request: Request): Response {
    switch (new URL(request.url).pathname) {
      case '/string':
        return new Response('body');
      case '/bytes':
        return new Response(bytes);
      case '/buffer':
        return new Response(bytes.slice().buffer);
      case '/view':
        return new Response(new DataView(bytes.buffer, 1, 2));
      case '/params':
        return new Response(new URLSearchParams([['a', 'b c'], ['ü', '&']]));
      case '/form':
        return new Response('a=b', { headers: { 'content-type': 'application/x-www-form-urlencoded' } });
      case '/blob':
        return new Response(new Blob(['body']));
      case '/blob-typed':
        return new Response(new Blob(['body'], { type: 'text/css' }));
      case '/stream':
        return new Response(new Blob(['body']).stream());
      case '/json':
        return Response.json({ body: 'ü' });
      case '/set-by-hand':
        return new Response('body', { headers: { 'Content-Type': 'Text/Markdown; Charset=utf-8' } });
      default:
        return new Response(null);
    }
  },
};
