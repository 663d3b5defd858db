// The choice of a host: homes, spilling, spreading and shrinking, hosts that come and go, and the balancing of unequal ones.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BUSY, TICKS } from '../../../gateway/balancer.ts';
import { CALM_MS, RETURNS_PER_TICK } from '../../../gateway/homes.ts';
import { MAX_PER_HOST } from '../../../gateway/host-link.ts';
import { Hosts } from '../../../gateway/hosts.ts';
import type { VersionPlace } from '../../../gateway/version-place.ts';
import { FakeLink, fakePlace } from '../../support/gateway-links.ts';

function useHosts(...names: string[]): { readonly hosts: Hosts; readonly links: FakeLink[] } {
  const hosts = new Hosts();
  const links = names.map((name) => new FakeLink(name));
  for (const { link } of links) hosts.add(link);
  return { hosts, links };
}

const names = (place: VersionPlace): string[] => place.homes.map(({ name }) => name);

function other(links: readonly FakeLink[], than: unknown): FakeLink {
  const found = links.find((link) => link !== than);
  if (found === undefined) throw new Error('there is only one');
  return found;
}

describe('one home', () => {
  test('is stable, shared out evenly, and one that comes takes only its share, some at a time', () => {
    const { hosts, links } = useHosts('host-1', 'host-2', 'host-3');
    const places = Array.from({ length: 300 }, (_, i) => fakePlace(`f${i}`));
    const where = (): string[] => places.map((place) => hosts.choose(place, null)?.name ?? '');
    const before = where();
    expect(where()).toEqual(before);
    for (const { name } of links) expect(before.filter((one) => one === name).length).toBeGreaterThan(60);
    hosts.add(new FakeLink('host-4').link);
    // It is empty: nobody is sent there at once, though all look again where they belong.
    expect(where()).toEqual(before);
    let moved = 0;
    for (let tick = 1; tick < 30; tick++) {
      hosts.tick(tick * 500);
      const now = where().filter((name, i) => name !== before[i]);
      expect(now.every((name) => name === 'host-4')).toBe(true);
      expect(now.length - moved).toBeLessThanOrEqual(RETURNS_PER_TICK);
      moved = now.length;
    }
    expect(moved).toBeGreaterThan(45);
    expect(moved).toBeLessThan(130);
    expect(places.every((place) => place.homes.length === 1)).toBe(true);
  });

  test('spills only to another of its homes, never to one that drains, is full or is to be avoided while there is a choice', () => {
    const { hosts, links } = useHosts('a', 'b');
    const place = fakePlace('f');
    const home = hosts.choose(place, null) as unknown as FakeLink;
    const second = other(links, home);
    Object.assign(home, { inFlight: 200, aheadUs: 15_000 });
    expect(hosts.choose(place, null)).toBe(home);
    hosts.homes.add(place, second.link, 0);
    expect(hosts.choose(place, null)).toBe(second);
    home.aheadUs = 5_000;
    expect(hosts.choose(place, null)).toBe(home);
    expect(hosts.choose(place, home.link)).toBe(second);
    hosts.drain(home.link);
    expect(hosts.choose(place, null)).toBe(second);
    expect([hosts.choose(place, second.link), names(place)]).toEqual([second, [second.name]]);
    second.inFlight = MAX_PER_HOST;
    expect(hosts.choose(place, null)).toBeUndefined();
    hosts.remove(second.link);
    expect([hosts.choose(place, null), hosts.openCount]).toEqual([undefined, 0]);
  });

  test('a host to be avoided, or full, makes no second home', () => {
    const { hosts, links } = useHosts('a', 'b');
    const place = fakePlace('f');
    const home = hosts.choose(place, null) as unknown as FakeLink;
    expect(hosts.choose(place, home.link)).toBe(other(links, home));
    home.inFlight = MAX_PER_HOST;
    expect(hosts.choose(place, null)).toBe(other(links, home));
    home.inFlight = 0;
    expect([hosts.choose(place, null), names(place)]).toEqual([home, [home.name]]);
  });

  test('is one of its group, and what is warm in the other one is dropped', () => {
    const { hosts, links } = useHosts('host-1', 'host-2');
    const place = fakePlace('f');
    expect(hosts.choose(place, null, 'slow')).toBeUndefined();
    const fast = hosts.choose(place, null) as unknown as FakeLink;
    const end = fast.run(place);
    const slow = [new FakeLink('slow-1'), new FakeLink('slow-2')];
    for (const { link } of slow) hosts.add(link);
    expect(hosts.choose(place, null)).toBe(fast);
    expect(fast.warm.size).toBe(1);
    expect(slow).toContain(hosts.choose(place, null, 'slow'));
    expect([fast.warm.size, hosts.openCount, hosts.openIn('slow'), hosts.inFlight('default'), hosts.inFlight('slow')]).toEqual([0, 2, 2, 1, 0]);
    end();
    for (const { link } of slow) hosts.drain(link);
    expect([hosts.choose(place, null, 'slow'), hosts.openIn('slow')]).toEqual([undefined, 0]);
    expect(links).toContain(hosts.choose(place, null));
  });
});

describe('more homes', () => {
  test('for a version whose own work piles up; given up one calm time later', () => {
    const { hosts, links } = useHosts('host-1', 'host-2');
    const place = fakePlace('hot', 1_000);
    const ends: (() => void)[] = [];
    hosts.tick(1_000);
    for (let i = 0; i < 64; i++) ends.push((hosts.choose(place, null) as unknown as FakeLink).run(place));
    expect(place.homes).toHaveLength(2);
    expect(links.map(({ inFlight }) => inFlight).every((n) => n >= 25)).toBe(true);
    for (const end of ends) end();
    hosts.tick(1_000 + CALM_MS - 1);
    expect(place.homes).toHaveLength(2);
    const [first, second] = names(place);
    hosts.tick(1_000 + CALM_MS);
    expect(names(place)).toEqual([first]);
    expect(links.find(({ name }) => name === second)?.warm.size).toBe(0);
    expect(hosts.homes.counts).toEqual({ spread: 1, shrink: 1, move: 0 });
    expect(hosts.homes.spread).toBe(0);
  });

  test('not for a version that only suffers from its neighbours', () => {
    const { hosts, links } = useHosts('host-1', 'host-2');
    const place = fakePlace('light');
    const home = hosts.choose(place, null) as unknown as FakeLink;
    home.aheadUs = 400_000;
    for (let i = 0; i < 10; i++) expect(hosts.choose(place, null)).toBe(home);
    expect([place.homes.length, other(links, home).coldStarts]).toEqual([1, 0]);
  });

  test('on the slow lane, whoever is ahead: an entry there is long', () => {
    const { hosts } = useHosts('slow-1', 'slow-2');
    const [a, b] = [fakePlace('a', 20_000), fakePlace('b', 20_000)];
    const first = hosts.choose(a, null, 'slow') as unknown as FakeLink;
    first.run(a);
    // Whatever home hashing gives b: it goes where nothing runs.
    expect(hosts.choose(b, null, 'slow')).not.toBe(first);
  });

  test('random traffic over 500 versions keeps one isolate for each; a single hot one uses all hosts', () => {
    const { hosts, links } = useHosts('host-1', 'host-2');
    const places = Array.from({ length: 500 }, (_, i) => fakePlace(`f${i}`, 150));
    let seed = 1;
    const random = (): number => (seed = Math.imul(seed, 1_103_515_245) + 12_345 >>> 0) / 2 ** 32;
    const running: (() => void)[] = [];
    for (let i = 0; i < 50_000; i++) {
      const place = places[Math.floor(random() * 500)] as VersionPlace;
      running.push((hosts.choose(place, null) as unknown as FakeLink).run(place));
      // 200 at once, which end in any order.
      if (running.length > 200) running.splice(Math.floor(random() * running.length), 1)[0]?.();
      if (i % 500 === 0) hosts.tick(i);
    }
    expect(links.map(({ warm }) => warm.size).reduce((a, b) => a + b)).toBe(500);
    expect(links.map(({ coldStarts }) => coldStarts).reduce((a, b) => a + b)).toBe(500);
    const hot = fakePlace('hot', 2_000);
    for (let i = 0; i < 64; i++) running.push((hosts.choose(hot, null) as unknown as FakeLink).run(hot));
    expect(hot.homes).toHaveLength(2);
  });
});

describe('balancing', () => {
  /** A tick with the given busy shares; each version used the given CPU time in the window before. */
  const tick = (hosts: Hosts, links: readonly FakeLink[], busy: readonly number[], work: ReadonlyMap<VersionPlace, number>, nowMs: number): void => {
    links.forEach((link, i) => { link.load = { ...link.load, busy: busy[i] ?? 0 }; });
    for (const [place, us] of work) place.used(us, hosts.window);
    hosts.tick(nowMs);
  };
  const settled = (hosts: Hosts, count: number, on: FakeLink): VersionPlace[] => {
    const found: VersionPlace[] = [];
    for (let i = 0; found.length < count; i++) {
      const place = fakePlace(`v${i}`);
      if (hosts.choose(place, null) !== on.link) continue;
      on.run(place)();
      found.push(place);
    }
    return found;
  };

  test('moves versions off a host that stays much busier than another, no more than evens them out', () => {
    const { hosts, links } = useHosts('host-1', 'host-2');
    const [busy, idle] = links as [FakeLink, FakeLink];
    const places = settled(hosts, 10, busy);
    const work = new Map(places.map((place) => [place, 40_000]));
    for (let i = 1; i < TICKS; i++) tick(hosts, links, [0.9, 0.3], work, 20_000 + i);
    expect(hosts.homes.counts.move).toBe(0);
    tick(hosts, links, [0.9, 0.3], work, 20_000 + TICKS);
    // A third of the work of the busier one makes both equal.
    const moved = places.filter((place) => place.homes[0] === idle.link);
    expect(moved.length).toBeGreaterThanOrEqual(3);
    expect(moved.length).toBeLessThanOrEqual(4);
    expect(places.every((place) => place.homes.length === 1)).toBe(true);
    expect(busy.warm.size).toBe(10 - moved.length);
    // The other way round at once: what has just moved stays where it is.
    for (let i = 0; i < 3 * TICKS; i++) tick(hosts, links, [0.3, 0.9], work, 21_000 + i);
    expect(moved.every((place) => place.homes[0] === idle.link)).toBe(true);
  });

  test('spreads a version that is more than the difference', () => {
    const { hosts, links } = useHosts('host-1', 'host-2');
    const [place] = settled(hosts, 1, links[0] as FakeLink) as [VersionPlace];
    for (let i = 0; i <= TICKS; i++) tick(hosts, links, [1, 0.1], new Map([[place, 400_000]]), 20_000 + i);
    expect([names(place), hosts.homes.counts]).toEqual([['host-1', 'host-2'], { spread: 1, shrink: 0, move: 0 }]);
  });

  test('leaves hosts alone that are equally busy, or not busy', () => {
    const { hosts, links } = useHosts('host-1', 'host-2');
    const work = new Map(settled(hosts, 4, links[0] as FakeLink).map((place) => [place, 40_000]));
    for (let i = 0; i < 10; i++) tick(hosts, links, [1, 0.9], work, 20_000 + i);
    for (let i = 0; i < 10; i++) tick(hosts, links, [BUSY - 0.05, 0], work, 30_000 + i);
    for (let i = 0; i < 10; i++) tick(hosts, links, i % TICKS === 0 ? [0.5, 0.5] : [1, 0], work, 40_000 + i);
    expect(hosts.homes.counts).toEqual({ spread: 0, shrink: 0, move: 0 });
  });
});

test('whatever hosts and load do: a host that is open and has room, one home at least, and none given up within its time', () => {
  const command = fc.oneof(
    { weight: 12, arbitrary: fc.record({ do: fc.constant('call' as const), fn: fc.nat(7), avoid: fc.option(fc.nat(3)), slow: fc.boolean() }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('end' as const), at: fc.nat(50) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('tick' as const), ms: fc.integer({ min: 1, max: 6_000 }), busy: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 6, maxLength: 6 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('drain' as const), host: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('die' as const), host: fc.nat(5) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('come' as const), host: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('fill' as const), host: fc.nat(5) }) },
  );
  const broken: string[] = [];
  const must = (holds: boolean, what: string): void => {
    if (!holds) broken.push(what);
  };
  fc.assert(fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
    const hosts = new Hosts();
    const slots: (FakeLink | undefined)[] = Array.from({ length: 6 });
    const nameOf = (i: number): string => (i < 4 ? `host-${i + 1}` : `slow-${i - 3}`);
    const places = [100, 500, 500, 1_000, 1_000, 5_000, 20_000, 20_000].map((mean, i) => fakePlace(`f${i}`, mean));
    const ends: (() => void)[] = [];
    const grownAt = new Map<VersionPlace, number>();
    let now = 0;
    hosts.tick(now);
    for (const one of commands) {
      switch (one.do) {
        case 'call': {
          const place = places[one.fn] as VersionPlace;
          const avoid = one.avoid === null ? null : (slots[one.avoid]?.link ?? null);
          const group = one.slow ? 'slow' : 'default';
          const before = place.homes;
          const chosen = hosts.choose(place, avoid, group) as unknown as FakeLink | undefined;
          const open = slots.filter((link) => link !== undefined && link.group === group && !link.draining);
          const free = open.filter((link) => (link?.inFlight ?? 0) < MAX_PER_HOST);
          const homes = place.homes as unknown as FakeLink[];
          must((chosen === undefined) === (free.length === 0), 'a host exactly when one has room');
          must(open.length === 0 || (homes.length >= 1 && new Set(homes).size === homes.length && homes.every((link) => open.includes(link))), 'homes are open hosts, one at least, none twice');
          if (chosen === undefined) break;
          must(free.includes(chosen), 'an open host with room');
          must(chosen.link !== avoid || free.length === 1, 'the one to be avoided only without another');
          if (place.homes.length > before.length) grownAt.set(place, now);
          ends.push(chosen.run(place));
          break;
        }
        case 'end':
          ends.splice(one.at, 1)[0]?.();
          break;
        case 'tick': {
          now += one.ms;
          const sizes = places.map((place) => place.homes.length);
          const { move } = hosts.homes.counts;
          slots.forEach((link, i) => { if (link !== undefined) link.load = { ...link.load, busy: one.busy[i] ?? 0 }; });
          for (const place of places) place.used(10_000, hosts.window);
          hosts.tick(now);
          places.forEach((place, i) => {
            const size = sizes[i] ?? 0;
            if (place.homes.length > size) grownAt.set(place, now);
            // The return to where it belongs may join two homes.
            must(place.homes.length >= size || hosts.homes.counts.move > move || now - (grownAt.get(place) ?? 0) >= CALM_MS, 'a home is kept for its time');
          });
          break;
        }
        case 'drain': {
          const link = slots[one.host];
          if (link !== undefined) hosts.drain(link.link);
          break;
        }
        case 'die': {
          const link = slots[one.host];
          if (link !== undefined) hosts.remove(link.link);
          slots[one.host] = undefined;
          break;
        }
        case 'come':
          if (slots[one.host] === undefined) {
            const link = (slots[one.host] = new FakeLink(nameOf(one.host)));
            hosts.add(link.link);
          }
          break;
        case 'fill': {
          const link = slots[one.host];
          if (link !== undefined) link.inFlight = MAX_PER_HOST;
          break;
        }
      }
    }
    return broken.length === 0;
  }), { numRuns: 400 });
  expect(broken).toEqual([]);
});
