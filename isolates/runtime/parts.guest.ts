// Parts of the platform that are made on first touch: their code costs heap and start-up time that most functions never need.
import { OP } from './abi.ts';
import { op } from './host.guest.ts';
import { LAZY_INTERFACES } from './lazy-interfaces.guest.ts';
import { MapPrototypeGet, MapPrototypeSet, NativeMap, NativeTypeError, reflectApply, reflectDefineProperty } from './primordials.guest.ts';
import { exposeInterface } from './webidl.guest.ts';

/** What a part is to the bundler: `make(shared, take)` evaluates it; `shared` holds the modules of the snapshot, `take` gets its exports. */
type MakePart = (shared: unknown, take: (exports: object) => void) => void;

const HANDOVER = '__thimble_part';

const parts = new NativeMap<string, object>();
let shared: unknown;

/** The exports of the snapshot's own modules: parts use these, and not copies of their own. */
export function shareModules(modules: unknown): void {
  shared = modules;
}

/** The exports of `parts/NAME.guest.ts`; the first call has the host run its script in this isolate, during the call. */
export function loadPart<Part extends object>(name: string): Part {
  const known = MapPrototypeGet(parts, name) as Part | undefined;
  if (known !== undefined) return known;
  let loaded: Part | undefined;
  const hand = (make: MakePart): void => {
    reflectApply(make as never, undefined, [
      shared,
      (exports: Part): void => {
        loaded = exports;
      },
    ]);
  };
  if (!reflectDefineProperty(globalThis, HANDOVER, { value: hand, configurable: true })) throw new NativeTypeError(`globalThis is frozen: ${name} can not be made`);
  try {
    op(OP.lazy, name);
  } finally {
    delete (globalThis as Record<string, unknown>)[HANDOVER];
  }
  if (loaded === undefined) throw new NativeTypeError(`${name} can not be made`);
  const names = LAZY_INTERFACES[name] ?? [];
  for (let i = 0; i < names.length; i++) exposeInterface(names[i] as string, (loaded as Record<string, object>)[names[i] as string] as object);
  MapPrototypeSet(parts, name, loaded);
  return loaded;
}

/** The part's exports if something has touched it already: where a class was never made, no value can be an instance of it. */
export function partIfLoaded<Part extends object>(name: string): Part | undefined {
  return MapPrototypeGet(parts, name) as Part | undefined;
}
