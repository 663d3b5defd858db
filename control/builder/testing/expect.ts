// `expect` as vitest has it: its own matchers on chai, without its runner.
import { ASYMMETRIC_MATCHERS_OBJECT, GLOBAL_EXPECT, JestAsymmetricMatchers, JestChaiExpect, JestExtend, chai, getState, setState } from '@vitest/expect';
import type { ExpectStatic } from '@vitest/expect';

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

const globals = globalThis as unknown as Record<symbol, object>;

function make(): ExpectStatic {
  const call = (value: unknown, message?: string): unknown => {
    setState({ assertionCalls: getState(expect).assertionCalls + 1 }, expect);
    return chai.expect(value, message);
  };
  const made = Object.assign(call, chai.expect, globals[ASYMMETRIC_MATCHERS_OBJECT], {
    getState: () => getState(expect),
    setState: (state: object) => setState(state, expect),
    extend: (matchers: object) => (chai.expect as unknown as { extend(on: object, matchers: object): void }).extend(expect, matchers),
    unreachable: (message?: string) => chai.assert.fail(`expected ${message === undefined ? '' : `"${message}" `}not to be reached`),
    assertions: (count: number) => setState({ expectedAssertionsNumber: count, expectedAssertionsNumberErrorGen: () => new Error(`expected ${count} assertions, got ${getState(expect).assertionCalls}`) }, expect),
    hasAssertions: () => setState({ isExpectingAssertions: true, isExpectingAssertionsError: new Error('expected at least one assertion, got none') }, expect),
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- put together from the parts that the type names
  return made as unknown as ExpectStatic;
}

export const expect: ExpectStatic = make();
Object.defineProperty(globalThis, GLOBAL_EXPECT, { value: expect, configurable: true, writable: true });

/** Before each test. */
export function forgetAssertions(): void {
  setState({ assertionCalls: 0, isExpectingAssertions: false, isExpectingAssertionsError: null, expectedAssertionsNumber: null, expectedAssertionsNumberErrorGen: null }, expect);
}

/** After each test. @throws Error  it made another number of assertions than it said */
export function checkAssertions(): void {
  const { assertionCalls, isExpectingAssertions, isExpectingAssertionsError, expectedAssertionsNumber, expectedAssertionsNumberErrorGen } = getState(expect);
  if (expectedAssertionsNumber !== null && expectedAssertionsNumber !== undefined && assertionCalls !== expectedAssertionsNumber) throw expectedAssertionsNumberErrorGen?.() ?? new Error('another number of assertions');
  if (isExpectingAssertions === true && assertionCalls === 0) throw isExpectingAssertionsError ?? new Error('no assertions');
}
