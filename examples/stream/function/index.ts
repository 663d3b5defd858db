// Streams 1,000 chunks, each made only when the reader has taken the one before.
const CHUNKS = 1_000;

export default {
  fetch(): Response {
    const encoder = new TextEncoder();
    let next = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(encoder.encode(`chunk ${next}\n`));
        next += 1;
        if (next === CHUNKS) controller.close();
      },
    });
    return new Response(body, { headers: { 'content-type': 'text/plain; charset=utf-8' } });
  },
};
