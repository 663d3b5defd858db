// Bodies of a megabyte, whole and streamed.
const SIZE = 1_000_000;

export default {
  fetch(request: Request): Response {
    switch (new URL(request.url).pathname) {
      case '/text':
        return new Response('ab☃'.repeat(SIZE / 5), { headers: { 'content-type': 'text/plain' } });
      case '/bytes':
        return new Response(Uint8Array.from({ length: SIZE }, (_, i) => i * 7), { headers: { 'content-type': 'application/octet-stream' } });
      case '/json':
        return Response.json(Array.from({ length: 20_000 }, (_, i) => ({ i, square: i * i, name: `n${i}` })));
      default: {
        let next = 0;
        return new Response(new ReadableStream<Uint8Array>({
          pull(controller) {
            controller.enqueue(new Uint8Array(SIZE / 100).fill(next));
            next += 1;
            if (next === 100) controller.close();
          },
        }), { headers: { 'content-type': 'application/octet-stream' } });
      }
    }
  },
};
