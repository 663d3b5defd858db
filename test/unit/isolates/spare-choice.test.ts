// Which spares a host keeps when limits are mixed.
import { expect, test } from 'vitest';
import { SpareChoice } from '../../../isolates/spare-choice.ts';

const after = (...asked: number[]): number[] => {
  const choice = new SpareChoice();
  for (const memoryMb of asked) choice.asked(memoryMb);
  return choice.wanted();
};

test('the limit that is asked for most has the spares; a second one that is asked for often has one of them', () => {
  expect(after()).toEqual([64, 64]);
  expect(after(128)).toEqual([128, 128]);
  expect(after(64, 64, 64, 128)).toEqual([64, 64]);
  expect(after(64, 128, 64, 128, 64, 128, 64, 128)).toEqual([128, 64]);
  // One tenant with an odd limit costs the others nothing.
  expect(after(64, 64, 64, 8, 64, 64, 9, 64, 10, 64)).toEqual([64, 64]);
});

test('what was asked for long ago is forgotten', () => {
  expect(after(...Array.from({ length: 30 }, () => 256), ...Array.from({ length: 16 }, () => 64))).toEqual([64, 64]);
});
