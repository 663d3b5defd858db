// `Bun.serve` with `fetch`.
import { everyday } from './lib/everyday.ts';

Bun.serve({
  port: 3_000,
  fetch(request) {
    return everyday(request);
  },
});
