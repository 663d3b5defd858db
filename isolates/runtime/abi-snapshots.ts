// What a build of a version snapshot and the runtime agree on. Imported by both sides.

/** What the runtime of version snapshots offers until the build has taken it; its first argument is one of `FREEZE`. */
export const FREEZE_GLOBAL = '__thimble_freeze';

/** Steps of a build, in this order. Scripts between them hand over parts and the bundle. */
export const FREEZE = {
  /** (environment as JSON, names of the parts that follow as JSON, answers of the host as JSON): nothing of the tenant's has run. */
  begin: 'begin',
  /** The bundle's script comes next. */
  parts: 'parts',
  evaluate: 'evaluate',
  /** After the microtasks of the evaluation: runs onSnapshot. */
  hook: 'hook',
  /** After those of the hook. Runs nothing of the tenant's. */
  seal: 'seal',
} as const;

/** Begins the message of an error that a step throws: what follows is a reason and, after a line feed, its detail. */
export const FREEZE_FAILED = 'thimble-freeze ';

/** What the host answered to a pure operation while the module was observed: text, or bytes. */
export interface RecordedAnswer {
  /** `operationKey` of code and arguments. */
  readonly key: string;
  readonly text?: string;
  readonly bytes?: readonly number[];
}

/** Arguments are text or absent: anything else is no pure operation that could be told again. */
export function operationKey(code: number, a: unknown, b: unknown, c: unknown): string | undefined {
  let key = `${code}`;
  for (const argument of [a, b, c]) {
    if (argument === undefined) key += '\n-';
    else if (typeof argument === 'string') key += `\n${argument.length}:${argument}`;
    else return undefined;
  }
  return key;
}

/** What the `observe` part saw, by the end of the reason's name. */
export interface Observed {
  readonly touched: readonly string[];
  /** Names of environment variables that were read, written or looked for; '*': all were listed. */
  readonly environment: readonly string[];
}

/**
 * Members that V8 12.4 has in every context but not while it makes a snapshot, as [path of the holder, member]: it adds them after a restore. A module
 * that saw them missing would have taken the wrong branch, and one that defined them itself would be overwritten. A test compares the list with V8.
 */
export const LATE_MEMBERS = [
  ['', 'Iterator'],
  ['', 'SharedArrayBuffer'],
  ['', 'WebAssembly'],
  ['Object', 'groupBy'],
  ['Map', 'groupBy'],
  ['Array', 'fromAsync'],
  ['JSON', 'rawJSON'],
  ['JSON', 'isRawJSON'],
  ['Error', 'stackTraceLimit'],
  ['RegExp.prototype', 'unicodeSets'],
  ['Set.prototype', 'union'],
  ['Set.prototype', 'intersection'],
  ['Set.prototype', 'difference'],
  ['Set.prototype', 'symmetricDifference'],
  ['Set.prototype', 'isSubsetOf'],
  ['Set.prototype', 'isSupersetOf'],
  ['Set.prototype', 'isDisjointFrom'],
] as const;
