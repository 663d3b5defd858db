// Errors that a function handles itself.
import { describe } from './lib/report.ts';

class CardError extends Error {
  override readonly name = 'CardError';
  readonly code = 'card_missing';
}

async function load(path: string): Promise<string> {
  await Promise.resolve();
  if (path === '/caught') throw new CardError('no card', { cause: new RangeError('cause') });
  if (path === '/response') throw Response.json({ thrown: 'a response' }, { status: 422 });
  return 'fine';
}

export default {
  async fetch(request: Request): Promise<Response> {
    try {
      return new Response(await load(new URL(request.url).pathname), { headers: { 'content-type': 'text/plain' } });
    } catch (error) {
      if (error instanceof Response) return error;
      if (!(error instanceof CardError)) throw error;
      return Response.json({ name: error.name, code: error.code, message: error.message, cause: describe(error.cause), isError: error instanceof Error, stack: typeof error.stack }, { status: 500 });
    }
  },
};
