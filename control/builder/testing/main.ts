// What test files import as `thimble:test` or `vitest`, and the handler by which the gate runs them. Runs inside an isolate.
export { expect } from './expect.ts';
export { handler } from './handler.ts';
export { afterAll, afterEach, beforeAll, beforeEach, describe, it, stubFetch, suite, test } from './suites.ts';
export { vi } from './vi.ts';
import './globals.ts';
