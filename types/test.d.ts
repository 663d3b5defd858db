// `thimble:test`, for test files that a deploy runs. The types are those of vitest, which has to be installed where they are checked.
import 'vitest';

declare module 'vitest' {
  interface TestContext {
    /** Environment of the function, without its secrets. Only at a deploy. */
    readonly env: Readonly<Record<string, string>>;
  }
}

declare module 'thimble:test' {
  export { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, suite, test, vi } from 'vitest';
  /** Answers every fetch until the end of the test; without it a fetch is refused. */
  export function stubFetch(answer: (request: Request) => Response | Promise<Response>): void;
}
