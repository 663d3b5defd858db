// Work that goes on after the answer.
import { report } from './lib/report.ts';

const seen: string[] = [];

export default {
  async fetch(request: Request, _env: unknown, ctx: ExecutionContext): Promise<Response> {
    if (new URL(request.url).pathname === '/seen') return Response.json(seen);
    ctx.waitUntil((async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      seen.push('later');
    })());
    seen.push('at once');
    return report({
      methods: () => [typeof ctx.waitUntil, typeof ctx.passThroughOnException],
      returns: () => ctx.waitUntil(Promise.resolve()),
    });
  },
};
