// The caller's body, read in each way.
import { describe, rejected, show } from './lib/report.ts';

export default {
  async fetch(request: Request): Promise<Response> {
    try {
      return new Response(show(await read(request, new URL(request.url).pathname)), { headers: { 'content-type': 'text/plain' } });
    } catch (error) {
      return new Response(describe(error), { status: 400, headers: { 'content-type': 'text/plain' } });
    }
  },
};

async function read(request: Request, path: string): Promise<unknown> {
  switch (path) {
    case '/text':
      return request.text();
    case '/json':
    case '/broken-json':
      return request.json();
    case '/bytes':
      return request.arrayBuffer();
    case '/blob': {
      const blob = await request.blob();
      return [blob.type, blob.size, await blob.text()];
    }
    case '/form':
      return [...(await request.formData())];
    case '/twice':
      return [await request.text(), await rejected(() => request.text()), request.bodyUsed];
    case '/unread':
      return request.bodyUsed;
    case '/none':
      return [request.body, await request.text()];
    case '/chunks': {
      const decoder = new TextDecoder();
      let text = '';
      for await (const chunk of request.body as ReadableStream<Uint8Array>) text += decoder.decode(chunk, { stream: true });
      return text + decoder.decode();
    }
    default:
      return 'nothing';
  }
}
