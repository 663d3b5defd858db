// Server-sent events over a transform stream that is written after the answer was given.
export default {
  fetch(request: Request): Response {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const encoder = new TextEncoder();
    const first = Number(request.headers.get('last-event-id') ?? 0);
    void (async () => {
      await writer.write(encoder.encode('retry: 1000\n\n'));
      for (let id = first + 1; id <= first + 3; id++) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        await writer.write(encoder.encode(`id: ${id}\nevent: tick\ndata: ${JSON.stringify({ id })}\ndata: ☃\n\n`));
      }
      await writer.close();
    })();
    return new Response(readable, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' } });
  },
};
