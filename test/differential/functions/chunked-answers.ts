// An answer that is written piece by piece, with pauses and empty chunks.
const encoder = new TextEncoder();

export default {
  fetch(): Response {
    let next = 0;
    return new Response(new ReadableStream<Uint8Array>({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, next % 3));
        if (next === 5) controller.enqueue(new Uint8Array(0));
        controller.enqueue(encoder.encode(`piece ${next}\n`));
        next += 1;
        if (next === 20) controller.close();
      },
    }), { headers: { 'content-type': 'text/plain' } });
  },
};
