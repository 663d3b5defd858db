// One small service that every shape answers with: so only the shape differs.

export async function everyday(request: Request): Promise<Response> {
  const url = new URL(request.url);
  switch (url.pathname) {
    case '/':
      return new Response('hello', { headers: { 'content-type': 'text/plain' } });
    case '/sum':
      return Response.json({ sum: Number(url.searchParams.get('a')) + Number(url.searchParams.get('b')) });
    case '/echo':
      return new Response(`${request.method} ${await request.text()}`, { headers: { 'content-type': 'text/plain' } });
    default:
      return Response.json({ error: 'not_found', path: url.pathname }, { status: 404 });
  }
}
