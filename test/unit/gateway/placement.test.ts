// Which group an invocation runs in: every combination of what is known of its function and version, and of hosts that are there or not.
import { expect, test } from 'vitest';
import type { Exchange } from '../../../gateway/exchange.ts';
import { groupFor, presentGroup, tierGroups } from '../../../gateway/placement.ts';
import { fakePlace } from '../../support/gateway-links.ts';

interface Known {
  readonly tier?: string;
  readonly wasm?: boolean;
  readonly slow?: boolean;
  readonly penalised?: boolean;
}

function exchangeOf({ tier = 'default', wasm = false, slow = false, penalised = false }: Known): Exchange {
  const place = fakePlace('f');
  for (let i = 0; slow && i < 3; i++) place.lane.long(i, 1, 20_000, 20_000);
  return { route: { gate: { standing: penalised ? { penalised } : null } }, target: { frame: { wasm }, groups: tierGroups(tier), place } } as unknown as Exchange;
}

test.each<[Known, open: readonly string[], group: string, wishes: readonly string[]]>([
  [{}, [], 'default', []],
  [{ tier: 'lab' }, [], 'lab.default', []],
  [{ wasm: true }, [], 'wasm', []],
  [{ slow: true }, [], 'default', ['slow']],
  [{ slow: true }, ['slow'], 'slow', []],
  [{ slow: true, tier: 'lab' }, ['slow'], 'lab.default', ['lab.slow']],
  [{ slow: true, wasm: true }, ['slow'], 'wasm', []],
  [{ penalised: true, slow: true, wasm: true }, ['slow', 'wasm'], 'penalty', []],
  [{ penalised: true, tier: 'lab' }, [], 'lab.penalty', []],
])('%j with %j open: %s, wished for %j', (known, open, group, wished) => {
  const wishes: string[] = [];
  const state = { openIn: (one: string) => Number(open.includes(one)), wish: (one: string) => void wishes.push(one) };
  expect([groupFor(exchangeOf(known), state), wishes]).toEqual([group, wished]);
});

test('it is kept warm where its calls go, in its own tier, and never where its kind may not run', () => {
  const { place } = exchangeOf({ slow: true }).target;
  const open = (...groups: string[]) => ({ openIn: (one: string) => Number(groups.includes(one)) });
  const warm = (tier: string, wasm: boolean, at: typeof place | undefined, ...groups: string[]): string => presentGroup(tierGroups(tier), wasm, undefined, at, open(...groups));
  expect([warm('default', false, place, 'slow'), warm('default', false, place), warm('default', true, place, 'slow')]).toEqual(['slow', 'default', 'wasm']);
  expect([warm('lab', false, place, 'slow'), warm('lab', false, place, 'lab.slow')]).toEqual(['lab.default', 'lab.slow']);
  expect([warm('default', false, undefined, 'slow'), warm('default', false, fakePlace('g'), 'slow')]).toEqual(['default', 'default']);
});
