// The runtime inside an isolate: evaluated into the platform snapshot, then bound to its host once per isolate.
import { ENTER, ENTERED, PENDING, REASON, UNRESTORABLE } from './abi.ts';
import { contextHooks } from './async-context.guest.ts';
import { cancelSink, drainId } from './body.guest.ts';
import { newEntry } from './clock.guest.ts';
import { installGlobals, removeUncounted } from './globals.guest.ts';
import { bindOperation, settle } from './host.guest.ts';
import { abort, invoke } from './invocation.guest.ts';
import type { Handler } from './invocation.guest.ts';
import { define, evaluate, evaluated, loaded } from './module.guest.ts';
import type { Evaluation } from './module.guest.ts';
import { loadPart, shareModules } from './parts.guest.ts';
import { JSONParse, reflectDefineProperty } from './primordials.guest.ts';
import { installStackFormat, reportRejection } from './reporting.guest.ts';
import { modules } from './shared-modules.guest.ts';
import { fireTimer } from './timers.guest.ts';
import { usedBytes } from './wasm-native.guest.ts';

/** What parts/observe gives: the run of a module that a build watches. */
interface ObservePart {
  observe(environment: string, shape: string): Evaluation | undefined;
  observed(): string;
}

/** What the runtime of version snapshots adds (freezing.guest.ts). */
export const frozen: { restore: ((hooks: boolean, secrets: string, shape: string) => Evaluation | typeof UNRESTORABLE | undefined) | null } = { restore: null };

/** An entry has begun and not come to its end: what the host saw thrown was thrown by the runtime itself. */
let inside = false;
/** Entries that reached the isolate: the host counts those that it asked for. */
let entries = 0;
/** What the last entry returned, told again after a rejection, whose copy took the result's place. */
let lastResult: string | number | undefined;

/** The one way in. Everything that tenant code can throw is caught below, so nothing of a tenant's crosses as an object. */
function enter(kind: number, id: number, a: unknown, b: unknown, c: unknown): string | number | undefined {
  if (kind === ENTER.wasmBytes) return usedBytes();
  newEntry();
  if (kind === ENTER.rejected && (inside || c !== entries)) return undefined;
  entries += 1;
  inside = true;
  contextHooks.reset?.();
  const result = handle(kind, id, a, b, c);
  // What the entry leaves behind is not the context of the microtasks that follow.
  contextHooks.reset?.();
  inside = false;
  if (kind !== ENTER.rejected) lastResult = result;
  return result;
}

function handle(kind: number, id: number, a: unknown, b: unknown, c: unknown): string | number | undefined {
  switch (kind) {
    case ENTER.invoke:
      invoke(loaded.handler as Handler, loaded.environment, id, a as string, b === undefined ? 0 : (b as number));
      return undefined;
    case ENTER.settle:
      settle(id, a === 1, b, c);
      return undefined;
    case ENTER.timer:
      fireTimer(id);
      return undefined;
    case ENTER.drain:
      settle(drainId(id), true, undefined, undefined);
      return undefined;
    case ENTER.sinkCancel:
      cancelSink(id);
      settle(drainId(id), true, undefined, undefined);
      return undefined;
    case ENTER.abort:
      abort(id);
      return undefined;
    case ENTER.event:
      invoke(loadPart<{ handleEvent: Handler }>('event-handlers').handleEvent, loaded.environment, id, a as string, b === undefined ? 0 : (b as number));
      return undefined;
    case ENTER.load:
      loaded.environment = JSONParse(a as string) as Record<string, string>;
      loaded.shape = b as string;
      return told(evaluate());
    case ENTER.loaded:
      return told(evaluated());
    case ENTER.rejected:
      reportRejection(id & ~REASON.quietly, a, b as string, (id & REASON.quietly) !== 0);
      return lastResult === undefined ? ENTERED.nothing : `${ENTERED.text}${lastResult}`;
    case ENTER.restore:
      return frozen.restore === null ? UNRESTORABLE : told(frozen.restore(id === 1, a as string, b as string));
    case ENTER.observe:
      return told(loadPart<ObservePart>('observe').observe(a as string, b as string));
    case ENTER.observed:
      return loadPart<ObservePart>('observe').observed();
    default:
      return undefined;
  }
}

function told(of: Evaluation | string | undefined): string {
  if (typeof of === 'string') return of;
  return of === undefined ? PENDING : of.stack || of.error;
}

const GLOBAL_BIND = '__thimble_bind';
const GLOBAL_DEFINE = '__thimble_define';

type Bind = (operation: Parameters<typeof bindOperation>[0], wasmBytes: number) => typeof enter;

/** Once per isolate, after its context was made. @returns the one way in */
const bind: Bind = (operation, wasmBytes) => {
  delete (globalThis as Record<string, unknown>)[GLOBAL_BIND];
  removeUncounted(wasmBytes);
  bindOperation(operation);
  return enter;
};

/** @returns whether the host will find it: a module that was evaluated before may have taken the name, or frozen globalThis */
export function offerBind(offered: Bind = bind): boolean {
  return reflectDefineProperty(globalThis, GLOBAL_BIND, { value: offered, configurable: true });
}

/** Takes the module's factory, once: the host calls it by loading the bundle. */
export function offerDefine(): void {
  reflectDefineProperty(globalThis, GLOBAL_DEFINE, {
    value: (factory: Parameters<typeof define>[0]): void => {
      delete (globalThis as Record<string, unknown>)[GLOBAL_DEFINE];
      define(factory);
    },
    configurable: true,
  });
}

installGlobals();
installStackFormat();
shareModules(modules);

// Both names are gone before tenant code runs: `bind` takes off itself, the host takes off `define` by loading.
offerBind((operation, wasmBytes) => {
  const entry = bind(operation, wasmBytes);
  offerDefine();
  return entry;
});
