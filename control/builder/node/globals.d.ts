// What a bundle's factory gets as its third parameter (core/versions/index.ts).
import type * as asyncHooks from 'node:async_hooks';
import type * as crypto from 'node:crypto';

interface Builtins {
  readonly 'node:async_hooks': typeof asyncHooks;
  /** `setBuffer` says what it makes its answers of. */
  readonly 'node:crypto': typeof crypto & { setBuffer?(buffer: BufferConstructor): void };
  readonly process: NodeJS.Process;
}

declare global {
  function __thimble<Name extends keyof Builtins>(name: Name): Builtins[Name];
}
