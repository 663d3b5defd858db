// The runtime of version snapshots: evaluates a module while V8 makes a snapshot, with no host behind it, and wakes it up after a restore.
import { OP, UNRESTORABLE } from './abi.ts';
import { FREEZE, FREEZE_FAILED, FREEZE_GLOBAL, LATE_MEMBERS, operationKey } from './abi-snapshots.ts';
import type { RecordedAnswer } from './abi-snapshots.ts';
import { contextHooks } from './async-context.guest.ts';
import { newEntry } from './clock.guest.ts';
import { removeUncounted } from './globals.guest.ts';
import { bindOperation } from './host.guest.ts';
import { frozen, offerBind, offerDefine } from './main.guest.ts';
import { awaitThen, chooseHandler, evaluate, evaluated, failed, loaded } from './module.guest.ts';
import type { Evaluation } from './module.guest.ts';
import {
  JSONParse, MapPrototypeGet, MapPrototypeSet, NativeError, NativeMap, NativeTypeError, NativeUint8Array, ObjectKeys, StringPrototypeSplit, TypedArrayBuffer, reflectApply, reflectDefineProperty, reflectGetOwnPropertyDescriptor,
} from './primordials.guest.ts';

/** How parts.guest.ts takes a part. */
const HANDOVER = '__thimble_part';
const DONE: Evaluation = { error: '', stack: '' };

type Hand = (make: unknown) => void;
type Globals = Record<string, unknown>;

/** Parts that the module touched when it was observed, each made when it is touched again. */
let makers = new NativeMap<string, unknown>();
let answers = new NativeMap<string, RecordedAnswer>();
/** Operations that were asked for and cannot be had here; '' while there was none. */
let refused = '';
let progress: Evaluation | undefined;

/** What stands in for the host: parts and answers that are known from the run that was observed. */
function operation(code: number, a?: unknown, b?: unknown, c?: unknown): unknown {
  if (code === OP.lazy) {
    const make = MapPrototypeGet(makers, a);
    if (make !== undefined) {
      (globalThis as unknown as Record<string, Hand>)[HANDOVER]?.(make);
      return undefined;
    }
  }
  if (code === OP.log) return undefined;
  const answer = MapPrototypeGet(answers, operationKey(code, a, b, c)) as RecordedAnswer | undefined;
  if (answer !== undefined) return answer.bytes === undefined ? answer.text : TypedArrayBuffer(new NativeUint8Array(answer.bytes));
  if (refused === '') refused = `operation ${code}${code === OP.lazy ? ` ${String(a)}` : ''}`;
  throw new NativeTypeError('the host can not be asked while a snapshot is made');
}

function begin(environment: string, partNames: string, recorded: string): void {
  removeUncounted(0);
  bindOperation(operation);
  loaded.environment = JSONParse(environment) as Record<string, string>;
  const told = JSONParse(recorded) as RecordedAnswer[];
  for (let i = 0; i < told.length; i++) MapPrototypeSet(answers, (told[i] as RecordedAnswer).key, told[i]);
  const names = JSONParse(partNames) as string[];
  let next = 0;
  reflectDefineProperty(globalThis, HANDOVER, { value: (make: unknown) => void MapPrototypeSet(makers, names[next++], make), configurable: true });
}

function fail(reason: string, detail: string): never {
  throw new NativeError(`${FREEZE_FAILED}${reason}\n${detail}`);
}

/** Throws unless what came before went well. */
function mustHaveSucceeded(what: 'evaluation' | 'hook'): void {
  const { error, stack } = progress ?? evaluated();
  if (refused !== '') fail('differs', refused);
  if (error !== '') fail(what === 'hook' ? 'hook_threw' : 'threw', stack || error);
}

/** A hook of the module: a named export, or a member of the default export. */
function hookNamed(name: 'onSnapshot' | 'onRestore'): (() => unknown) | undefined {
  const { exports } = loaded;
  const main = exports?.['default'] as Globals | null | undefined;
  const own = exports?.[name];
  const hook = typeof own === 'function' ? own : (typeof main === 'object' || typeof main === 'function') && main !== null ? main[name] : undefined;
  const self = hook === own ? undefined : main;
  return typeof hook === 'function' ? () => reflectApply(hook as never, self, []) as unknown : undefined;
}

/** Runs a hook, then `ready`. @returns undefined when the hook is asynchronous: `evaluated` tells after the microtasks */
function runHook(name: 'onSnapshot' | 'onRestore', ready: () => Evaluation): Evaluation | undefined {
  try {
    const result = hookNamed(name)?.();
    if ((typeof result !== 'object' && typeof result !== 'function') || result === null) return ready();
    awaitThen(result, ready);
    return undefined;
  } catch (thrown) {
    return failed(thrown);
  }
}

/** What V8 adds after a restore must not be there: it would be defined twice. */
function mustLackLateMembers(): void {
  for (let i = 0; i < LATE_MEMBERS.length; i++) {
    const [path, member] = LATE_MEMBERS[i] as (typeof LATE_MEMBERS)[number];
    const steps = path === '' ? [] : StringPrototypeSplit(path, '.');
    let holder: unknown = globalThis;
    for (let step = 0; step < steps.length; step++) holder = reflectGetOwnPropertyDescriptor(holder as object, steps[step] as string)?.value;
    if ((typeof holder === 'object' || typeof holder === 'function') && holder !== null && reflectGetOwnPropertyDescriptor(holder, member) !== undefined) {
      fail('touches_unavailable', `${path}${path === '' ? '' : '.'}${member} was defined`);
    }
  }
}

function seal(): void {
  mustHaveSucceeded('hook');
  mustLackLateMembers();
  makers = new NativeMap();
  answers = new NativeMap();
  bindOperation(() => {
    throw new NativeTypeError('the host is not bound');
  });
  contextHooks.reset?.();
  newEntry();
  if (!offerBind()) fail('globals_frozen', '');
}

/** After a restore: the secrets, which no snapshot holds, the hook, and the handler of the shape that the function has now. */
frozen.restore = (hooks, secrets, shape) => {
  loaded.shape = shape;
  const given = JSONParse(secrets) as Record<string, string>;
  const names = ObjectKeys(given);
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    if (!reflectDefineProperty(loaded.environment, name, { value: given[name], writable: true, enumerable: true, configurable: true })) return UNRESTORABLE;
  }
  if (hooks) return runHook('onRestore', chooseHandler);
  try {
    return chooseHandler();
  } catch (thrown) {
    return failed(thrown);
  }
};

/** One step of a build; see FREEZE. The build keeps it where no tenant can name it. */
function freeze(step: string, a?: string, b?: string, c?: string): void {
  switch (step) {
    case FREEZE.begin:
      return begin(a as string, b as string, c as string);
    case FREEZE.parts:
      delete (globalThis as Globals)[HANDOVER];
      return offerDefine();
    case FREEZE.evaluate:
      progress = evaluate(() => DONE);
      return undefined;
    case FREEZE.hook:
      mustHaveSucceeded('evaluation');
      progress = runHook('onSnapshot', () => DONE);
      return undefined;
    case FREEZE.seal:
      return seal();
    default:
      return fail('threw', `unknown step ${step}`);
  }
}

// Nobody restores this runtime without a module: the seal offers it again.
delete (globalThis as Globals)['__thimble_bind'];
reflectDefineProperty(globalThis, FREEZE_GLOBAL, { value: freeze, configurable: true });
