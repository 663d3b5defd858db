// Streams the request's body back through a transform that counts it: constant memory, however long the body is.
export default {
  fetch(request: Request): Response {
    if (request.body === null) return new Response(null, { status: 204 });
    let bytes = 0;
    const counter = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        bytes += chunk.byteLength;
        controller.enqueue(chunk);
      },
      flush() {
        console.log('echoed', { bytes });
      },
    });
    return new Response(request.body.pipeThrough(counter), { headers: { 'content-type': request.headers.get('content-type') ?? 'application/octet-stream' } });
  },
};
