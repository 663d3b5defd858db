// An upload streamed through three transforms into the answer.
export default {
  fetch(request: Request): Response {
    const body = (request.body as ReadableStream<Uint8Array<ArrayBuffer>>)
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new TransformStream<string, string>({ transform: (chunk, controller) => controller.enqueue(chunk.toUpperCase()) }))
      .pipeThrough(new TextEncoderStream());
    return new Response(body, { headers: { 'content-type': 'text/plain' } });
  },
};
