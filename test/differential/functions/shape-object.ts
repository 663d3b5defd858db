// A default object with `fetch`.
import { everyday } from './lib/everyday.ts';

export default {
  async fetch(request: Request): Promise<Response> {
    return everyday(request);
  },
};
