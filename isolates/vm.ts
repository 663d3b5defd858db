// isolated-vm behind one adapter: the only module that imports it. No object of it ever reaches tenant code.
import { setFlagsFromString } from 'node:v8';
import ivm from 'isolated-vm';
import { PlatformError } from '../core/errors/index.ts';
import type { Platform } from './platform/load.ts';

export type Operation = (code: number, a: unknown, b: unknown, c: unknown, d: unknown, e: unknown, f: unknown) => unknown;

/** What the watchdog needs to hold: a handle that can be disposed from another isolate. */
export type IsolateHandle = ivm.Isolate;

/** What a heap takes, bytes. */
export interface HeapSize {
  /** Objects, garbage among them, and counted buffers. */
  usedBytes: number;
  /** Pages that V8 holds for the heap, and counted buffers. */
  residentBytes: number;
}

const BIND = '__thimble_bind';
const WASM_PART = 'wasm';
const MIB = 1_048_576;
/** The runtime's name in stacks: frames of files that begin so are left out of them. */
export const RUNTIME_FILE = 'thimble:runtime';

/** An isolate with one context, for one tenant's function or still nobody's. Lives until `dispose` or until a limit kills it. */
export class Vm {
  readonly #isolate: ivm.Isolate;
  readonly #context: ivm.Context;
  readonly #platform: Platform;
  readonly #enter: ivm.Reference<(...args: unknown[]) => unknown>;
  /** Code caches go with the platform snapshot only: V8 compares checksums of the read-only heap. */
  readonly #takesCaches: boolean;
  #usesWasm = false;
  #operation: Operation = () => {
    throw new TypeError('the isolate has no owner');
  };
  // Reused: an entry allocates no array. Each argument that crosses costs, so most entries take the short one.
  readonly #short: unknown[] = [0, 0, undefined];
  readonly #long: unknown[] = [0, 0, undefined, undefined, undefined];

  /**
   * Makes isolate and context, from the platform snapshot when there is one.
   *
   * @param memoryMb  V8's limit; 8 at least
   * @param wasm  keep WebAssembly, whose memories get as much again
   * @param versionSnapshot  `externalBytes` of a version's own snapshot, which was checked: its module is evaluated already
   */
  constructor(platform: Platform, memoryMb: number, wasm: boolean, versionSnapshot: unknown = null) {
    this.#platform = platform;
    this.#takesCaches = versionSnapshot === null;
    const snapshot = (versionSnapshot ?? platform.snapshot) as ivm.ExternalCopy<ArrayBuffer> | null;
    this.#isolate = new ivm.Isolate(snapshot === null ? { memoryLimit: memoryMb } : { memoryLimit: memoryMb, snapshot });
    this.#context = this.#isolate.createContextSync();
    if (snapshot === null) {
      this.#isolate.compileScriptSync(platform.runtime, { filename: RUNTIME_FILE }).runSync(this.#context);
    }
    const answer = (code: number, a: unknown, b: unknown, c: unknown, d: unknown, e: unknown, f: unknown): unknown => {
      try {
        return this.#operation(code, a, b, c, d, e, f);
      } catch (thrown) {
        throw withoutStack(thrown);
      }
    };
    const bind = this.#context.global.getSync(BIND, { reference: true }) as ivm.Reference<(operation: unknown, wasmBytes: number) => unknown>;
    this.#enter = bind.applySync(undefined, [new ivm.Callback(answer) as unknown, wasm ? memoryMb * MIB : 0] as never, { result: { reference: true } }) as never;
    bind.release();
  }

  /** Who answers its operations. Once, before anything is entered. */
  attach(operation: Operation): void {
    this.#operation = operation;
  }

  get handle(): IsolateHandle {
    return this.#isolate;
  }

  get isDisposed(): boolean {
    return this.#isolate.isDisposed;
  }

  /**
   * Compiles a bundle and has it hand over its factory; nothing of the tenant's runs yet. Throws a SyntaxError of the bundle.
   *
   * @param codeCache  `externalBytes` of V8's code cache of just this code, or null
   * @returns whether V8 took the code cache
   */
  define(code: string, filename: string, codeCache: unknown = null): boolean {
    const cachedData = this.#takesCaches ? (codeCache as ivm.ExternalCopy<ArrayBuffer> | null) : null;
    const script = this.#isolate.compileScriptSync(code, cachedData === null ? { filename } : { filename, cachedData });
    script.runSync(this.#context);
    script.release();
    return cachedData !== null && (script as { cachedDataRejected?: boolean }).cachedDataRejected !== true;
  }

  /**
   * The one way into tenant code: synchronous, with the microtasks that follow. Primitives only, but `b` may be an ArrayBuffer, which is given up.
   *
   * Throws when the isolate was disposed on the way, by the watchdog or by its memory limit.
   */
  enter(kind: number, id: number, a: unknown, b: unknown, c: unknown): unknown {
    const args = b === undefined && c === undefined ? this.#short : this.#long;
    args[0] = kind;
    args[1] = id;
    args[2] = a;
    if (args === this.#long) {
      args[3] = b instanceof ArrayBuffer ? new ivm.ExternalCopy(b, { transferOut: true }).copyInto({ release: true, transferIn: true }) : b;
      args[4] = c;
    }
    const result: unknown = this.#enter.applySync(undefined, args as never[]);
    args[2] = undefined;
    if (args === this.#long) args[3] = args[4] = undefined;
    return result;
  }

  /** Runs a part of the platform in this isolate; may be called while an entry waits in an operation. */
  runLazy(name: string): void {
    const part = this.#platform.lazy.get(name);
    if (part === undefined) throw new PlatformError('protocol_violation', { why: 'an unknown part of the platform was asked for' });
    const options = part.cachedData === null || !this.#takesCaches ? {} : { cachedData: part.cachedData as ivm.ExternalCopy<ArrayBuffer> };
    const script = this.#isolate.compileScriptSync(part.code, { filename: `thimble:${name}`, ...options });
    script.runSync(this.#context);
    script.release();
    if (name === WASM_PART) this.#usesWasm = true;
  }

  /** The function has touched WebAssembly: its memories are not in V8's count. */
  get usesWasm(): boolean {
    return this.#usesWasm;
  }

  /** Costs 2.5 µs. Zeros once disposed. */
  measure(into: HeapSize): void {
    if (this.#isolate.isDisposed) {
      into.usedBytes = into.residentBytes = 0;
      return;
    }
    const heap = this.#isolate.getHeapStatisticsSync();
    into.usedBytes = heap.used_heap_size + heap.externally_allocated_size;
    into.residentBytes = heap.total_physical_size + heap.externally_allocated_size;
  }

  /** Any further context of an isolate from a version's snapshot is a second copy of that heap, tenant's code and all: no collector is to be had that way. */
  get canCollect(): boolean {
    return this.#takesCaches;
  }

  /**
   * A full garbage collection, now: about 1 ms for each MB that survives, on this thread. isolated-vm offers none, but a context that is made while V8's
   * `--expose-gc` is on has the function (V8, src/extensions/gc-extension.cc). The tenant's own context was made without and never sees it.
   *
   * @param shrink  gives the kernel back every page that is not needed, and drops the code that has not run for a while; takes three times as long
   */
  collect(shrink: boolean): void {
    if (!this.canCollect) return;
    setFlagsFromString('--expose-gc');
    let context: ivm.Context;
    try {
      context = this.#isolate.createContextSync();
    } finally {
      setFlagsFromString('--no-expose-gc');
    }
    try {
      context.evalSync(shrink ? `gc({ type: 'major', flavor: 'last-resort' })` : 'gc()');
    } finally {
      if (!this.#isolate.isDisposed) context.release();
    }
  }

  dispose(): void {
    if (!this.#isolate.isDisposed) this.#isolate.dispose();
  }
}

/** What the host throws into an isolate: its stack would show the host's frames and the machine's paths. */
function withoutStack(thrown: unknown): unknown {
  if (thrown instanceof Error) thrown.stack = `${thrown.name}: ${thrown.message}`;
  return thrown;
}

/** An isolate of our own code, for the watchdog: runs on isolated-vm's thread pool. */
export function trustedFunctions<const Names extends readonly string[]>(source: string, names: Names): { readonly [N in Names[number]]: (...args: unknown[]) => void } {
  const isolate = new ivm.Isolate({ memoryLimit: 32 });
  const context = isolate.createContextSync();
  context.evalSync(source);
  return Object.fromEntries(
    names.map((name) => {
      const reference = context.global.getSync(name, { reference: true }) as ivm.Reference<(...args: unknown[]) => void>;
      return [name, (...args: unknown[]) => reference.applyIgnored(undefined, args as never[])];
    }),
  ) as never;
}

/** A SharedArrayBuffer as an argument for a trusted isolate: shared, not copied. */
export function shared(buffer: SharedArrayBuffer): unknown {
  return new ivm.ExternalCopy(buffer).copyInto({ release: true });
}

/** Bytes that many isolates use: snapshot blobs and V8 code caches. Only ever what this node has made and checked. */
export function externalBytes(bytes: Uint8Array): unknown {
  const copy = new Uint8Array(bytes).buffer;
  return new ivm.ExternalCopy(copy, { transferOut: true });
}

export interface SnapshotScript {
  readonly code: string;
  readonly filename: string;
}

/**
 * A snapshot of the heap after these scripts. Runs on the calling thread without any limit, and aborts the process where V8 can't do it: only in a
 * process of its own. Throws what a script throws.
 */
export function makeSnapshot(scripts: readonly SnapshotScript[]): Uint8Array {
  const blob = ivm.Isolate.createSnapshot([...scripts]);
  return new Uint8Array(blob.copy());
}

/** V8's code cache of a script, for isolates made from `snapshot`: V8 rejects a cache that comes from an isolate of another one. Nothing of it runs. */
export function makeCodeCache(code: string, filename: string, snapshot: Uint8Array): Uint8Array {
  const isolate = new ivm.Isolate({ memoryLimit: 256, snapshot: externalBytes(snapshot) as ivm.ExternalCopy<ArrayBuffer> });
  const script = isolate.compileScriptSync(code, { filename, produceCachedData: true } as never) as ivm.Script & { cachedData?: ivm.ExternalCopy<ArrayBuffer> };
  const { cachedData } = script;
  return cachedData === undefined ? new Uint8Array(0) : new Uint8Array(cachedData.copy());
}
