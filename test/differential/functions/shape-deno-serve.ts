// `Deno.serve` with a handler.
import { everyday } from './lib/everyday.ts';

Deno.serve((request) => everyday(request));
