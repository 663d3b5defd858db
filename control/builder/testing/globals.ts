// The same names as globals, for test files that import nothing.
import { expect } from './expect.ts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, it, suite, test } from './suites.ts';
import { vi } from './vi.ts';

const NAMES = { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, suite, test, vi } as const;
for (const [name, value] of Object.entries(NAMES)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true, enumerable: false });
