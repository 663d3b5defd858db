// The host's scheduler with fake work: who is next, by CPU time; order, bounds, withdrawal; nothing waits that need not.
import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { QUANTUM_US } from '../../../isolates/fair-rounds.ts';
import type { Invocation } from '../../../isolates/invocation.ts';
import { RunQueue } from '../../../isolates/run-queue.ts';
import type { FunctionFlow, QueueBounds } from '../../../isolates/run-queue.ts';

/** As much of an invocation as the queue knows. */
const invocation = (): Invocation => ({ queued: null }) as unknown as Invocation;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A queue whose entries take as long as they say, on a clock of their own, beside a loop that ends its turns as the host's does. */
class Stand {
  readonly queue: RunQueue;
  readonly ran: string[] = [];
  readonly usedUs = new Map<string, number>();
  turns = 0;
  #turnEnds = false;

  constructor(bounds?: QueueBounds) {
    this.queue = new RunQueue(bounds);
  }

  enter(flow: FunctionFlow, name: string, us: number): void {
    this.ran.push(name);
    this.usedUs.set(flow.name, (this.usedUs.get(flow.name) ?? 0) + us);
    this.queue.charge(flow, us);
    if (this.#turnEnds) return;
    this.#turnEnds = true;
    setImmediate(() => {
      this.#turnEnds = false;
      this.queue.endTurn();
    });
  }

  /** Work arrives. @returns whether it was taken */
  arrive(flow: FunctionFlow, name: string, us: number, owner = invocation()): boolean {
    if (!this.queue.admits(flow)) return this.queue.add(flow, owner, () => this.enter(flow, name, us)) !== null;
    this.enter(flow, name, us);
    return true;
  }

  async drained(): Promise<void> {
    while (this.queue.figures.queued > 0) {
      await turn();
      this.turns += 1;
    }
  }
}

describe('with nobody waiting', () => {
  test('work runs at once, whatever its function used before', async () => {
    const stand = new Stand();
    const a = stand.queue.open('t', 'a');
    stand.arrive(a, 'a1', 100_000);
    await turn();
    await turn();
    stand.arrive(a, 'a2', 100_000);
    expect(stand.ran).toEqual(['a1', 'a2']);
    expect(stand.queue.figures.waits).toBe(0);
  });

  test('what comes in one turn runs at once for a quantum; then the loop reads its sockets first', async () => {
    const stand = new Stand();
    const flows = ['a', 'b', 'c'].map((name) => stand.queue.open(name, name));
    for (const flow of flows) stand.arrive(flow, flow.name, QUANTUM_US * 0.6);
    expect(stand.ran).toEqual(['a', 'b']);
    await turn();
    expect(stand.ran).toEqual(['a', 'b', 'c']);
  });
});

describe('fairness', () => {
  test('one entry of a function is behind one entry of a flood, not behind the flood', async () => {
    const stand = new Stand();
    const flood = stand.queue.open('t', 'flood');
    const good = stand.queue.open('t', 'good');
    for (let i = 0; i < 100; i++) stand.arrive(flood, 'flood', 20_000);
    stand.arrive(good, 'good', 100);
    await stand.drained();
    expect(stand.ran.indexOf('good')).toBe(1);
    expect(stand.ran.length).toBe(101);
  });

  test('it is seen although it comes while the flood is served', async () => {
    const stand = new Stand();
    const flood = stand.queue.open('t', 'flood');
    const good = stand.queue.open('t', 'good');
    for (let i = 0; i < 50; i++) stand.arrive(flood, 'flood', 20_000);
    for (let i = 0; i < 20; i++) {
      await turn();
      const before = stand.ran.length;
      stand.arrive(good, 'good', 100);
      await turn();
      expect(stand.ran.slice(before).indexOf('good')).toBeLessThanOrEqual(1);
    }
    await stand.drained();
  });

  test('two that always have work get the same CPU time, however long their entries are', async () => {
    const stand = new Stand();
    const long = stand.queue.open('t', 'long');
    const short = stand.queue.open('t', 'short');
    for (let i = 0; i < 100; i++) stand.arrive(long, 'long', 7_000);
    for (let i = 0; i < 7_000; i++) stand.arrive(short, 'short', 100);
    while (stand.ran.length < 3_000) await turn();
    const [a, b] = [stand.usedUs.get('long') ?? 0, stand.usedUs.get('short') ?? 0];
    expect(Math.abs(a - b)).toBeLessThanOrEqual(7_000 + 2 * QUANTUM_US);
    await stand.drained();
  });

  test('a tenant with many functions gets no more than one with one', async () => {
    const stand = new Stand();
    const many = Array.from({ length: 50 }, (_, i) => stand.queue.open('many', `m${i}`));
    const one = stand.queue.open('one', 'one');
    for (let i = 0; i < 40; i++) for (const flow of many) stand.arrive(flow, 'many', 500);
    for (let i = 0; i < 1_000; i++) stand.arrive(one, 'one', 500);
    while (stand.ran.length < 1_000) await turn();
    const mine = stand.usedUs.get('one') ?? 0;
    expect(Math.abs(mine - 250_000)).toBeLessThan(10 * QUANTUM_US);
    await stand.drained();
    // And its own functions share what it has.
    for (const flow of many) expect(stand.usedUs.get(flow.name)).toBe(20_000);
  });

  test('cold starts of one tenant hold up neither its own warm functions nor another tenant', async () => {
    const stand = new Stand();
    const cold = Array.from({ length: 30 }, (_, i) => stand.queue.open('t', `cold${i}`));
    const own = stand.queue.open('t', 'own');
    const other = stand.queue.open('u', 'other');
    // A start really uses the thread: its cost is measured.
    const start = (): void => {
      stand.ran.push('start');
      const until = performance.now() + 4;
      while (performance.now() < until);
    };
    for (const flow of cold) stand.queue.start(flow, start);
    for (let i = 0; i < 20; i++) {
      const before = stand.ran.length;
      stand.arrive(own, 'own', 100);
      stand.arrive(other, 'other', 100);
      await turn();
      // At most one start before them, and never two in a turn.
      expect(stand.ran.slice(before).filter((name) => name === 'start').length).toBeLessThanOrEqual(1);
      expect(stand.ran.slice(before)).toContain('own');
      expect(stand.ran.slice(before)).toContain('other');
    }
    await stand.drained();
    expect(stand.ran.filter((name) => name === 'start').length).toBe(30);
  });

  test('any mixture: nothing is lost, order holds within each function, and shares differ by an entry and some quanta at the most', async () => {
    const work = fc.array(fc.record({ flow: fc.nat({ max: 4 }), us: fc.integer({ min: 1, max: 9_000 }) }), { minLength: 1, maxLength: 400 });
    await fc.assert(
      fc.asyncProperty(work, async (items) => {
        const stand = new Stand();
        const flows = Array.from({ length: 5 }, (_, i) => stand.queue.open(`t${i}`, `f${i}`));
        for (const [i, { flow, us }] of items.entries()) stand.arrive(flows[flow] as FunctionFlow, `${flow} ${i}`, us);
        const left = flows.map((_, i) => items.filter(({ flow }) => flow === i).length);
        let at = 0;
        while (stand.queue.figures.queued > 0) {
          await turn();
          for (; at < stand.ran.length; at++) left[Number((stand.ran[at] as string).split(' ')[0])]! -= 1;
          // Those that still wait have had about the same.
          const used = flows.filter((_, i) => left[i]! > 0).map((flow) => stand.usedUs.get(flow.name) ?? 0);
          expect(Math.max(0, ...used) - Math.min(...used, Math.max(0, ...used))).toBeLessThanOrEqual(9_000 + 3 * QUANTUM_US);
        }
        expect(stand.ran.length).toBe(items.length);
        for (const [i] of flows.entries()) {
          const order = stand.ran.filter((name) => name.startsWith(`${i} `)).map((name) => Number(name.split(' ')[1]));
          expect(order).toEqual(order.toSorted((x, y) => x - y));
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('bounds', () => {
  test('a function, and the host, hold so many and no more', async () => {
    const stand = new Stand({ perFunction: 3, perHost: 5 });
    const [a, b] = [stand.queue.open('t', 'a'), stand.queue.open('u', 'b')];
    stand.arrive(a, 'a', QUANTUM_US);
    expect([1, 2, 3, 4].map(() => stand.arrive(a, 'a', 1))).toEqual([true, true, true, false]);
    expect([1, 2, 3].map(() => stand.arrive(b, 'b', 1))).toEqual([true, true, false]);
    await stand.drained();
    expect(stand.ran.length).toBe(6);
    expect(stand.arrive(a, 'a', 1)).toBe(true);
  });

  test('what an invocation has waiting goes with it; the rest keeps its order', async () => {
    const stand = new Stand();
    const a = stand.queue.open('t', 'a');
    const gone = invocation();
    stand.arrive(a, 'first', QUANTUM_US);
    for (let i = 0; i < 6; i++) stand.arrive(a, `${i}`, 1, i % 2 === 0 ? gone : invocation());
    stand.queue.takeOut(gone);
    expect(stand.queue.figures.queued).toBe(3);
    await stand.drained();
    expect(stand.ran).toEqual(['first', '1', '3', '5']);
  });

  test('a throw of one entry leaves the others their turns', async () => {
    const stand = new Stand();
    const a = stand.queue.open('t', 'a');
    stand.arrive(a, 'first', QUANTUM_US);
    let thrown = 0;
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', () => (thrown += 1));
    stand.queue.add(a, invocation(), () => {
      throw new Error('broken');
    });
    stand.arrive(a, 'second', 1);
    await stand.drained();
    process.removeAllListeners('uncaughtException');
    for (const listener of listeners) process.on('uncaughtException', listener);
    expect([thrown, stand.ran]).toEqual([1, ['first', 'second']]);
  });
});
