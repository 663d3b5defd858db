// `vi`: mock functions and stubbed globals, the part of vitest's that needs no module loader.
import { clearAllMocks, fn, isMockFunction, resetAllMocks, restoreAllMocks, spyOn } from '@vitest/spy';

const MISSING = Symbol('missing');
const stubbed = new Map<PropertyKey, unknown>();
const globals = globalThis as unknown as Record<PropertyKey, unknown>;

function stubGlobal(name: PropertyKey, value: unknown): void {
  if (!stubbed.has(name)) stubbed.set(name, name in globals ? globals[name] : MISSING);
  Object.defineProperty(globals, name, { value, configurable: true, writable: true, enumerable: false });
}

export function unstubAllGlobals(): void {
  for (const [name, value] of stubbed) {
    if (value === MISSING) Reflect.deleteProperty(globals, name);
    else Object.defineProperty(globals, name, { value, configurable: true, writable: true, enumerable: false });
  }
  stubbed.clear();
}

export const vi = { fn, spyOn, isMockFunction, clearAllMocks, resetAllMocks, restoreAllMocks, stubGlobal, unstubAllGlobals } as const;
