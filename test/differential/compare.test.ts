// The judge itself: it must not pass what it should refuse.
import { describe, expect, test } from 'vitest';
import { judge, unexplained } from './compare.ts';
import type { Accepted } from './compare.ts';
import type { Answers } from './record.ts';

const NOTHING: Accepted = { peers: [], thimble: [] };
const agreed: Answers = { 'GET /': { status: '200', '= a': '1' } };
const apart: Answers = { 'GET /': { status: '200', '= a': { deno: '1', bun: '2', workerd: '1' } } };
const follow = (which: 'deno' | 'bun'): Accepted => ({ ...NOTHING, peers: [{ function: 'f', facts: ['= a'], follow: which, why: '' }] });
const differs = (answer: string): Accepted => ({ ...NOTHING, thimble: [{ function: 'f', fact: '= a', answer, why: '' }] });
const wrong = (answers: Answers, facts: Readonly<Record<string, string>>, accepted: Accepted): number => judge('f', answers, { 'GET /': facts }, accepted).wrong.length;

describe('judge', () => {
  test('takes the agreed answer and nothing else', () => {
    expect(wrong(agreed, { status: '200', '= a': '1' }, NOTHING)).toBe(0);
    expect(wrong(agreed, { status: '200', '= a': '2' }, NOTHING)).toBe(1);
    expect(wrong(agreed, { status: '200' }, NOTHING)).toBe(1);
    expect(wrong(agreed, { status: '200', '= a': '1', '= b': '1' }, NOTHING)).toBe(1);
    expect(judge('f', agreed, {}, NOTHING).wrong.length).toBe(2);
  });
  test('follows the peer that is named', () => {
    expect(wrong(apart, { status: '200', '= a': '2' }, follow('bun'))).toBe(0);
    expect(wrong(apart, { status: '200', '= a': '2' }, follow('deno'))).toBe(1);
  });
  test('takes an accepted difference only as long as it is the same one', () => {
    expect(wrong(agreed, { status: '200', '= a': '3' }, differs('3'))).toBe(0);
    expect(wrong(agreed, { status: '200', '= a': '4' }, differs('3'))).toBe(1);
    expect(wrong(agreed, { status: '200', '= a': '1' }, differs('3'))).toBe(1);
  });
  test('refuses an accepted difference of a fact that is not there', () => {
    expect(judge('f', agreed, { 'GET /': { status: '200', '= a': '1' } }, { ...NOTHING, thimble: [{ function: 'f', fact: '= gone', answer: '', why: '' }] }).wrong.length).toBe(1);
  });
});

describe('unexplained', () => {
  const of = (answers: Answers, accepted: Accepted): number => unexplained(new Map([['f', answers]]), accepted).wrong.length;

  test('wants a word for each fact on which the peers differ', () => {
    expect(of(apart, NOTHING)).toBe(1);
    expect(of(apart, follow('deno'))).toBe(0);
    expect(of(agreed, NOTHING)).toBe(0);
  });
  test('wants no word too many', () => {
    expect(of(agreed, follow('deno'))).toBe(1);
    expect(of(apart, { ...NOTHING, peers: [{ function: 'f', facts: ['= a', '= gone'], follow: 'deno', why: '' }] })).toBe(1);
    expect(of(apart, { ...follow('deno'), thimble: [{ function: 'gone', fact: '', answer: '', why: '' }] })).toBe(1);
  });
  test('does not follow a peer that did not answer', () => {
    expect(of({ 'GET /': { '= a': { deno: '1', workerd: '2' } } }, follow('bun'))).toBe(1);
  });
});
