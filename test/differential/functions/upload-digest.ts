// A digest over an upload, read chunk by chunk.
import { hex } from './lib/report.ts';

export default {
  async fetch(request: Request): Promise<Response> {
    const reader = (request.body as ReadableStream<Uint8Array>).getReader();
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let length = 0;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value as Uint8Array<ArrayBuffer>);
      length += value.byteLength;
    }
    const digest = await crypto.subtle.digest('SHA-256', await new Blob(parts).arrayBuffer());
    return Response.json({ length, digest: hex(new Uint8Array(digest)) });
  },
};
