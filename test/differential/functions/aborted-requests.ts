// A client that goes away in the middle of a stream: its source is cancelled.
let cancelled = 0;

export default {
  fetch(request: Request): Response {
    if (new URL(request.url).pathname === '/seen') return Response.json({ cancelled });
    const encoder = new TextEncoder();
    let timer: ReturnType<typeof setInterval>;
    return new Response(new ReadableStream<Uint8Array>({
      start(controller) {
        timer = setInterval(() => controller.enqueue(encoder.encode('tick tick\n')), 5);
      },
      cancel() {
        clearInterval(timer);
        cancelled += 1;
      },
    }), { headers: { 'content-type': 'text/plain' } });
  },
};
