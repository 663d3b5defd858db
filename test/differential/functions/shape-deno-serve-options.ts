// `Deno.serve` with options first.
import { everyday } from './lib/everyday.ts';

Deno.serve({ port: 8_000 }, async (request, info) => (typeof info.remoteAddr === 'object' ? everyday(request) : new Response('no address')));
