// An answer whose stream breaks after its head went out ends without its last chunk.
export default {
  fetch(request: Request): Response {
    const { pathname } = new URL(request.url);
    const encoder = new TextEncoder();
    let next = 0;
    return new Response(new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (pathname !== '/at-once' && next < 3) {
          await new Promise((resolve) => setTimeout(resolve, 10));
          controller.enqueue(encoder.encode(`part ${next++}\n`));
        } else if (pathname === '/fine') {
          controller.close();
        } else {
          // Once the head is on its way.
          await new Promise((resolve) => setTimeout(resolve, 30));
          controller.error(new Error('broken'));
        }
      },
    }), { headers: { 'content-type': 'text/plain' } });
  },
};
