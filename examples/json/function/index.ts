// A small JSON answer that depends on the request: its method, path, query and one header.
export default {
  fetch(request: Request): Response {
    const url = new URL(request.url);
    return Response.json({
      message: 'hello',
      method: request.method,
      path: url.pathname,
      name: url.searchParams.get('name') ?? 'world',
      agent: request.headers.get('user-agent'),
      items: [1, 2, 3, 4, 5].map((id) => ({ id, label: `item ${id}`, even: id % 2 === 0 })),
    });
  },
};
