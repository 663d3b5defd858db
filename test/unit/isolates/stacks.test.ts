// Frames of stack texts, and the budget for mapping them.
import { expect, test } from 'vitest';
import { mayHoldFrames, rewriteFrames } from '../../../isolates/stacks/frames.ts';
import { WorkBudget } from '../../../isolates/stacks/work-budget.ts';

const lookup = (line: number, column: number): string | undefined => (line < 100 ? `src/a.ts:${line + 1}:${column + 1}` : undefined);
const rewrite = (text: string): string => rewriteFrames(text, 'f@1.js', lookup);

test.each([
  ['    at fetch (f@1.js:3:4)', '    at fetch (src/a.ts:4:5)'],
  ['    at f@1.js:3:4', '    at src/a.ts:4:5'],
  ['    at async Object.fetch (f@1.js:3:4)', '    at async Object.fetch (src/a.ts:4:5)'],
  ['    at async f@1.js:3:4', '    at async src/a.ts:4:5'],
  ['    at new Card (f@1.js:3:4)', '    at new Card (src/a.ts:4:5)'],
  ['    at eval (eval at run (f@1.js:3:4), <anonymous>:1:1)', '    at eval (eval at run (src/a.ts:4:5), <anonymous>:1:1)'],
  ['    at Array.map (<anonymous>)', '    at Array.map (<anonymous>)'],
  ['    at async Promise.all (index 0)', '    at async Promise.all (index 0)'],
  ['    at wasm://wasm/1c:wasm-function[0]:0x1e', '    at wasm://wasm/1c:wasm-function[0]:0x1e'],
  ['    at far (f@1.js:500:4)', '    at far (f@1.js:500:4)'],
  ['    at other (g@1.js:3:4)', '    at other (g@1.js:3:4)'],
  ['f@1.js:3:4 outside of a frame', 'f@1.js:3:4 outside of a frame'],
  ['meet me at node:util:1:2 tonight', 'meet me at node:util:1:2 tonight'],
])('%s', (line, expected) => {
  expect(rewrite(line)).toBe(expected);
});

test.each([
  '    at ft (thimble:runtime:5:10617)', '    at thimble:streams:1:2', '    at async co (thimble:runtime:17:5132)', '    at (<isolated-vm boundary>)', '    at Vm.enter (file:///srv/thimble/isolates/vm.ts:78:41)',
  '    at listOnTimeout (node:internal/timers:585:17)',
])('drops %s', (line) => {
  expect(rewrite(`Error: x\n${line}\n    at fetch (f@1.js:3:4)`)).toBe('Error: x\n    at fetch (src/a.ts:4:5)');
});

test('without a map places stay, and platform frames go all the same', () => {
  expect(rewriteFrames('Error\n    at a (f@1.js:3:4)\n    at b (thimble:runtime:1:2)', 'f@1.js', null)).toBe('Error\n    at a (f@1.js:3:4)');
});

test('plain lines cost one look', () => {
  expect(['hello', 'at noon', ''].map((text) => mayHoldFrames(text, 'f@1.js'))).toEqual([false, false, false]);
  expect(mayHoldFrames('x (f@1.js:1:1)', 'f@1.js')).toBe(true);
});

test.each(['(file://', ' at ', 'f@1.js:1:1', 'f@1.js', '(thimble:', '\n    at f@1.js:1:1'])('hostile repetition of %j takes bounded time', (piece) => {
  const text = `    at ${piece.repeat(Math.floor(16_384 / piece.length))}`;
  const begun = performance.now();
  rewrite(text);
  expect(performance.now() - begun).toBeLessThan(200);
});

test('a function that storms owes what it took, and others keep their share', () => {
  const budget = new WorkBudget();
  expect([budget.allows('a', 0), budget.allows('b', 0)]).toEqual([true, true]);
  budget.spend('a', 200, 0);
  expect([budget.allows('a', 0), budget.allows('b', 0)]).toEqual([false, true]);
  // 100 ms are owed, at 5 ms a second.
  expect([budget.allows('a', 19_000), budget.allows('a', 21_000)]).toEqual([false, true]);
});

test('all functions together have a bound as well', () => {
  const budget = new WorkBudget();
  for (let i = 0; i < 15; i++) budget.spend(`f${i}`, 30, 0);
  expect(budget.allows('fresh', 0)).toBe(false);
  expect(budget.allows('fresh', 3_000)).toBe(true);
});
