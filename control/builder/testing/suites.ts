// The tests and hooks that test files declare, in the order in which they do.
import { unstubAllGlobals, vi } from './vi.ts';

export interface TestContext {
  /** Environment of the function, without its secrets. */
  readonly env: Readonly<Record<string, string>>;
}
type Body = (context: TestContext) => unknown;
type Hook = (context: TestContext) => unknown;
type Mode = 'run' | 'skip' | 'todo' | 'fails';

export interface Suite {
  readonly name: string;
  readonly parent: Suite | null;
  readonly skipped: boolean;
  readonly only: boolean;
  readonly hooks: Record<'beforeAll' | 'beforeEach' | 'afterEach' | 'afterAll', Hook[]>;
}

export interface Test {
  readonly name: string;
  readonly suite: Suite;
  readonly mode: Mode;
  readonly only: boolean;
  readonly body: Body | undefined;
  /** Where it was declared, as a stack. */
  readonly stack: string;
}

/** Far more than a deploy should wait for. */
const MAX_TESTS = 1_000;

const newSuite = (name: string, parent: Suite | null, skipped: boolean, only: boolean): Suite => ({ name, parent, skipped, only, hooks: { beforeAll: [], beforeEach: [], afterEach: [], afterAll: [] } });
const root = newSuite('', null, false, false);
let current = root;
let closed = false;
export const tests: Test[] = [];

/** From now on a declaration is an error: a test that declares tests would have them forgotten. */
export function close(): void {
  closed = true;
}

function declare(name: unknown, body: Body | undefined, mode: Mode, only: boolean): void {
  if (closed) throw new Error('a test cannot be declared while tests run');
  if (tests.length >= MAX_TESTS) throw new Error(`at most ${MAX_TESTS} tests`);
  tests.push({ name: nameOf(name), suite: current, mode: body === undefined ? 'todo' : mode, only, body, stack: new Error('declared').stack ?? '' });
}

function group(name: unknown, body: (() => unknown) | undefined, skipped: boolean, only: boolean): void {
  if (closed) throw new Error('a suite cannot be declared while tests run');
  const outer = current;
  current = newSuite(nameOf(name), outer, skipped || body === undefined || outer.skipped, only || outer.only);
  try {
    const returned = body?.();
    if (returned instanceof Promise) throw new Error(`the body of describe("${current.name}") must not be asynchronous`);
  } finally {
    current = outer;
  }
}

const nameOf = (name: unknown): string => (typeof name === 'function' ? name.name : String(name)).slice(0, 300);

/** The function among the arguments: options may come before it, a timeout after. */
function bodyOf(args: readonly unknown[]): Body | undefined {
  return args.find((one) => typeof one === 'function') as Body | undefined;
}

/** printf-like, as vitest has it: %s %d %i %f %j %o %#, and $name of an object. */
function titled(title: unknown, args: readonly unknown[], index: number): string {
  let at = 0;
  const [first] = args;
  const filled = nameOf(title).replace(/%([sdifjo#%])/g, (mark, kind: string) => {
    if (kind === '%') return '%';
    if (kind === '#') return String(index);
    if (at >= args.length) return mark;
    const value = args[at++];
    return kind === 'j' || kind === 'o' ? JSON.stringify(value) ?? 'undefined' : String(value);
  });
  return typeof first !== 'object' || first === null ? filled : filled.replace(/\$([\w.]+)/g, (_, path: string) => String(path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], first)));
}

type Table = readonly unknown[];
type Each<F> = (table: Table) => (name: unknown, body: (...row: never[]) => unknown) => F;
const each = (add: (name: string, body: Body) => void): Each<void> => (table) => (name, body) => {
  for (const [index, entry] of table.entries()) {
    const row = Array.isArray(entry) ? (entry as unknown[]) : [entry];
    add(titled(name, row, index), () => (body as (...all: unknown[]) => unknown)(...row));
  }
};

interface TestFunction {
  (name: unknown, ...args: readonly unknown[]): void;
  readonly skip: TestFunction;
  readonly only: TestFunction;
  readonly todo: (name: unknown) => void;
  readonly fails: TestFunction;
  readonly each: Each<void>;
  readonly skipIf: (condition: unknown) => TestFunction;
  readonly runIf: (condition: unknown) => TestFunction;
}

function testFunction(mode: Mode, only: boolean): TestFunction {
  const add = (name: unknown, ...args: readonly unknown[]): void => declare(name, bodyOf(args), mode, only);
  return Object.defineProperties(add, {
    skip: { get: () => testFunction('skip', only) },
    only: { get: () => testFunction(mode, true) },
    fails: { get: () => testFunction('fails', only) },
    todo: { value: (name: unknown) => declare(name, undefined, 'todo', false) },
    each: { value: each((name, body) => declare(name, body, mode, only)) },
    skipIf: { value: (condition: unknown) => (condition ? testFunction('skip', only) : testFunction(mode, only)) },
    runIf: { value: (condition: unknown) => (condition ? testFunction(mode, only) : testFunction('skip', only)) },
  }) as TestFunction;
}

interface DescribeFunction {
  (name: unknown, ...args: readonly unknown[]): void;
  readonly skip: DescribeFunction;
  readonly only: DescribeFunction;
  readonly each: Each<void>;
}

function describeFunction(skipped: boolean, only: boolean): DescribeFunction {
  const add = (name: unknown, ...args: readonly unknown[]): void => group(name, bodyOf(args) as (() => unknown) | undefined, skipped, only);
  return Object.defineProperties(add, {
    skip: { get: () => describeFunction(true, only) },
    only: { get: () => describeFunction(skipped, true) },
    each: { value: each((name, body) => group(name, body as () => unknown, skipped, only)) },
  }) as DescribeFunction;
}

export const test: TestFunction = testFunction('run', false);
export const it: TestFunction = test;
export const describe: DescribeFunction = describeFunction(false, false);
export const suite: DescribeFunction = describe;

const hook = (kind: keyof Suite['hooks']) => (body: Hook): void => {
  if (closed) throw new Error('a hook cannot be declared while tests run');
  current.hooks[kind].push(body);
};
export const beforeAll = hook('beforeAll');
export const beforeEach = hook('beforeEach');
export const afterEach = hook('afterEach');
export const afterAll = hook('afterAll');

/** Answers every fetch until the end of the test; without it a fetch is refused. */
export function stubFetch(answer: (request: Request) => Response | Promise<Response>): void {
  vi.stubGlobal('fetch', async (input: string | URL | Request, init?: RequestInit) => answer(new Request(input, init)));
}

/** From the root to the suite itself. */
export function lineage(of: Suite): Suite[] {
  return of.parent === null ? [of] : [...lineage(of.parent), of];
}

/** Whether the test is to run: not skipped, and among those that `only` names if any does. */
export function isWanted(one: Test): boolean {
  if (one.mode === 'skip' || one.mode === 'todo' || one.suite.skipped) return false;
  return !tests.some((other) => other.only || other.suite.only) || one.only || one.suite.only;
}

export function cleanUp(): void {
  unstubAllGlobals();
}
