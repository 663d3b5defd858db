// How the gate asks: one invocation lists the tests, one runs each, so that every test has the function's own limits and none can end the others.
import { checkAssertions, forgetAssertions } from './expect.ts';
import { cleanUp, close, isWanted, lineage, tests } from './suites.ts';
import type { Suite, Test, TestContext } from './suites.ts';

// Taken before a test file is evaluated: what it patches must not reach the report.
const { parse, stringify } = JSON;
const { Response: Answer } = globalThis;
const now = performance.now.bind(performance);
const { setTimeout: later } = globalThis;

/** What nobody caught while the test at hand ran. */
let unhandled: { readonly thrown: unknown } | undefined;
interface Rejection {
  readonly reason: unknown;
  preventDefault(): void;
}
(globalThis as unknown as { addEventListener(type: string, listener: (event: Rejection) => void): void }).addEventListener('unhandledrejection', (event) => {
  unhandled ??= { thrown: event.reason };
  event.preventDefault();
});

const MAX_MESSAGE_CHARACTERS = 4_096;
const MAX_STACK_CHARACTERS = 8_192;

interface Order {
  /** Goes back with the answer: only what got the order can know it. */
  readonly nonce: string;
  /** null: list the tests. */
  readonly run: number | null;
}

interface Described {
  readonly message: string;
  readonly stack: string;
}

/** Suites whose `beforeAll` hooks have run in this isolate: another one begins anew. */
const begun = new Set<Suite>();

async function runAll(hooks: readonly ((context: TestContext) => unknown)[], context: TestContext): Promise<void> {
  for (const one of hooks) await one(context);
}

async function attempt(test: Test, context: TestContext): Promise<void> {
  forgetAssertions();
  unhandled = undefined;
  let failure: { readonly thrown: unknown } | undefined;
  const suites = lineage(test.suite);
  try {
    for (const suite of suites) {
      if (begun.has(suite)) continue;
      await runAll(suite.hooks.beforeAll, context);
      begun.add(suite);
    }
    for (const suite of suites) await runAll(suite.hooks.beforeEach, context);
    await test.body?.(context);
    checkAssertions();
  } catch (thrown) {
    failure = { thrown };
  }
  for (const suite of suites.toReversed()) {
    try {
      await runAll(suite.hooks.afterEach.toReversed(), context);
      if (!tests.some((other, index) => index > tests.indexOf(test) && isWanted(other) && lineage(other.suite).includes(suite))) await runAll(suite.hooks.afterAll.toReversed(), context);
    } catch (thrown) {
      failure ??= { thrown };
    }
  }
  cleanUp();
  // Rejections are told behind the microtasks of an entry.
  await new Promise((resolve) => void later(resolve, 0));
  failure ??= unhandled;
  if (test.mode === 'fails') {
    if (failure === undefined) throw new Error('the test was declared to fail, and passed');
    return;
  }
  if (failure !== undefined) throw failure.thrown;
}

function describeThrown(thrown: unknown): Described {
  if (!(thrown instanceof Error)) return { message: short(`thrown: ${String(thrown)}`, MAX_MESSAGE_CHARACTERS), stack: '' };
  return { message: short(`${thrown.name}: ${thrown.message}`, MAX_MESSAGE_CHARACTERS), stack: short(thrown.stack ?? '', MAX_STACK_CHARACTERS) };
}

const short = (text: string, characters: number): string => (text.length <= characters ? text : `${text.slice(0, characters)}…`);

const fullName = (test: Test): string => [...lineage(test.suite).map(({ name }) => name), test.name].filter((name) => name !== '').join(' > ');

export const handler = {
  async fetch(request: Request, env: Readonly<Record<string, string>>): Promise<Response> {
    close();
    const { nonce, run } = parse(await request.text()) as Order;
    const answer = (body: object): Response => new Answer(stringify({ nonce, ...body }));
    if (run === null) return answer({ tests: tests.map((test) => ({ name: fullName(test), stack: test.stack, wanted: isWanted(test) })) });
    const test = tests[run];
    if (test === undefined) return answer({ error: { message: `there is no test ${run}`, stack: '' } });
    const startedMs = now();
    try {
      await attempt(test, { env });
      return answer({ ms: now() - startedMs });
    } catch (thrown) {
      return answer({ ms: now() - startedMs, error: describeThrown(thrown) });
    }
  },
};
