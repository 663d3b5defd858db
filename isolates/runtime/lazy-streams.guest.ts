// The script behind streams.guest.ts, evaluated on first touch: the web-streams-polyfill classes, which follow the standard's own algorithms.
import * as streams from 'web-streams-polyfill';

(globalThis as unknown as { __thimble_lazy(part: unknown): void }).__thimble_lazy({ ...streams });
