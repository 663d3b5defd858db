// An upload split into lines by a transform stream, whatever its chunks were.
export default {
  async fetch(request: Request): Promise<Response> {
    let rest = '';
    const lines = (request.body as ReadableStream<Uint8Array<ArrayBuffer>>).pipeThrough(new TextDecoderStream()).pipeThrough(new TransformStream<string, string>({
      transform(chunk, controller) {
        const parts = (rest + chunk).split('\n');
        rest = parts.pop() ?? '';
        for (const part of parts) controller.enqueue(part);
      },
      flush: (controller) => controller.enqueue(rest),
    }));
    const all: string[] = [];
    for await (const line of lines) all.push(line);
    return Response.json(all);
  },
};
