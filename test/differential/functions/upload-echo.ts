// The upload goes back untouched.
export default {
  fetch: (request: Request): Response => new Response(request.body, { headers: { 'content-type': request.headers.get('content-type') ?? 'application/octet-stream' } }),
};
