// Every attack against a whole node: its answer has a name, the neighbours never notice, and the node is whole again at once.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Attack } from './attack.ts';
import { ATTACKS, FATAL_SOURCES, REFUSED_SOURCES } from './catalogue/index.ts';
import { LeakWatch } from './leak-watch.ts';
import { sample, seed } from '../support/seed.ts';
import { Stand } from './stand.ts';

const FULL = process.env['THIMBLE_TEST_FULL'] === '1';
const REPEATS = 100;
/** Of those that cost a second or a host each: a hundred of every one would take hours. */
const REPEATS_COSTLY = 20;
/** Attacks that are repeated by turns. */
const GROUP = 20;
/** Repetitions of which one has its neighbours watched. */
const WHOLE_EVERY = 10;
const HOSTS = 2;
/** Attacks of the short form, and costly ones among them: another sample for each seed. */
const SAMPLED = 110;
const SAMPLED_COSTLY = 8;

/** For work on single attacks: only those whose names match, costly ones too. */
const ONLY = process.env['THIMBLE_ATTACKS'];

function choose(): readonly Attack[] {
  if (ONLY !== undefined) return ATTACKS.filter(({ name }) => new RegExp(ONLY).test(name));
  if (FULL) return ATTACKS;
  const costly = ATTACKS.filter((attack) => attack.costly === true);
  return [...sample(ATTACKS.filter((attack) => attack.costly !== true), SAMPLED - SAMPLED_COSTLY), ...sample(costly, SAMPLED_COSTLY)];
}
const chosen = choose();

describe(`${chosen.length} of ${ATTACKS.length} attacks, seed ${seed}`, () => {
  let stand: Stand;
  beforeAll(async () => {
    stand = await Stand.start(HOSTS);
  });
  afterAll(async () => stand.stop());

  it.each(chosen)('$name ($row)', async (attack) => {
    const fn = `a-${attack.name}`;
    await stand.deploy(attack, fn);
    expect(await stand.attack(attack, fn)).not.toEqual([]);
    await stand.node.api('DELETE', `/v1/functions/${fn}`);
  }, 60_000);

  // By turns, a group at a time: each look at the processes takes seconds.
  it.each(FULL ? groupsOf(chosen) : [])('again and again, no process keeps anything of them: $names', async ({ attacks, times }) => {
    for (const attack of attacks) await stand.deploy(attack, `a-${attack.name}`);
    const leaks = new LeakWatch(stand, times);
    await leaks.run(async (n) => {
      for (const attack of attacks) {
        if (n % WHOLE_EVERY === 0) await stand.pardon(`a-${attack.name}`);
        if (n % WHOLE_EVERY === 0) await stand.attack(attack, `a-${attack.name}`, true);
        else await stand.again(attack, `a-${attack.name}`);
      }
      // A host that was killed comes back before the next round.
      await stand.whole();
    });
    for (const attack of attacks) await stand.node.api('DELETE', `/v1/functions/a-${attack.name}`);
    expect(leaks.found).toEqual([]);
  }, 3_600_000);

  it.each(FULL ? [...REFUSED_SOURCES, ...FATAL_SOURCES] : REFUSED_SOURCES)('a version of such a source is refused: %s', async (name, files, code) => {
    const fn = `r-${name}`;
    await stand.node.api('PUT', `/v1/functions/${fn}`, {});
    const answer = await stand.node.api('POST', `/v1/functions/${fn}/versions`, { files, main: Object.keys(files)[0] });
    expect([answer.status, answer.code]).toEqual([422, code]);
    expect((await stand.node.call(fn)).code).toBe('no_version');
    await stand.whole();
  }, 180_000);

  // waitUntil work, and code whose client went away, may go on for 30 s within its budget.
  it('afterwards nothing is left of them: no invocation runs, and every isolate is a neighbour\'s', async () => {
    await expect.poll(async () => stand.running(), { timeout: 45_000, interval: 250 }).toBe(0);
    await stand.whole();
    await expect.poll(async () => stand.isolates(), { timeout: 10_000, interval: 250 }).toBeLessThanOrEqual(stand.neighbours.count * HOSTS);
  }, 90_000);
});

interface Group {
  readonly names: string;
  readonly attacks: readonly Attack[];
  readonly times: number;
}

/** Of one kind each: all of a group are repeated as often, and those that cost a host would hide what the others leave in it. */
function groupsOf(attacks: readonly Attack[]): Group[] {
  const kinds = [attacks.filter(({ costly, kills }) => !costly && !kills), attacks.filter(({ costly, kills }) => costly && !kills), attacks.filter(({ kills }) => kills)];
  return kinds.flatMap((kind, index) => {
    const groups: Group[] = [];
    for (let at = 0; at < kind.length; at += GROUP) {
      const members = kind.slice(at, at + GROUP);
      groups.push({ names: members.map(({ name }) => name).join(' '), attacks: members, times: index === 0 ? REPEATS : REPEATS_COSTLY });
    }
    return groups;
  });
}
