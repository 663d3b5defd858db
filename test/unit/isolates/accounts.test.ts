// What is booked of entries: sums that are taken once, rows for the choice of lanes, and the line of the soft limit, which can't flood a log.
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { FrameConnection, Target } from '../../../core/protocol/index.ts';
import { Accounts } from '../../../isolates/accounts.ts';
import { Invocation } from '../../../isolates/invocation.ts';
import type { LogSink } from '../../../isolates/log-sink.ts';
import { RunQueue } from '../../../isolates/run-queue.ts';
import { newTargetState } from '../../../isolates/targets.ts';
import type { TargetState } from '../../../isolates/targets.ts';

interface Line {
  readonly fn: string;
  readonly fields: Record<string, unknown>;
}

class Stand {
  readonly lines: Line[] = [];
  readonly accounts: Accounts;
  readonly #queue = new RunQueue();

  constructor(all = false) {
    const logs = { write: (invocation: Invocation, _level: string, _message: string, fields: string) => this.lines.push({ fn: invocation.target.target.function, fields: JSON.parse(fields) as Record<string, unknown> }) };
    this.accounts = new Accounts(this.#queue, logs as unknown as LogSink, all);
  }

  state(name: string, version = 1): TargetState {
    const target = { function: name, version, tenant: 't', cpuMs: 50 } as Target;
    return newTargetState(target, `${name}${version}${Math.random()}`, this.#queue.open('t', name), this.accounts.open(target));
  }

  invocation(state: TargetState): Invocation {
    return new Invocation(1, {} as FrameConnection, state, '', null, 0);
  }
}

let stand: Stand;
beforeEach(() => {
  stand = new Stand();
});

describe('sums of a version', () => {
  test('are taken once, over all targets of it, and survive their end until then', () => {
    const [one, two] = [stand.state('f'), stand.state('f')];
    stand.accounts.entered(stand.invocation(one), 100);
    stand.accounts.entered(stand.invocation(two), 200);
    stand.accounts.elsewhere(stand.invocation(one), 50);
    stand.accounts.started(stand.invocation(two), 1_000);
    stand.accounts.close(one);
    stand.accounts.close(two);
    expect(stand.accounts.takeUsed()).toEqual([{ function: 'f', version: 1, entries: 2, cpuUs: 350, startupUs: 1_000, softLimits: 0 }]);
    expect(stand.accounts.takeUsed()).toEqual([]);
  });

  test('begin anew with a version that comes back', () => {
    stand.accounts.close(stand.state('f'));
    expect(stand.accounts.takeUsed()).toEqual([]);
    stand.accounts.entered(stand.invocation(stand.state('f')), 7);
    expect(stand.accounts.takeUsed()).toMatchObject([{ function: 'f', entries: 1, cpuUs: 7 }]);
  });
});

describe('rows for gateways', () => {
  test('are of this window, of targets with long entries and of those that had some', () => {
    const [long, short] = [stand.state('long'), stand.state('short')];
    const enter = (state: TargetState, cpuUs: number): void => stand.accounts.entered(stand.invocation(state), cpuUs);
    enter(short, 3_999.4);
    enter(long, 10);
    expect([...stand.accounts.takeNews()]).toEqual([]);
    enter(long, 4_000.6);
    enter(long, 20_000.4);
    enter(long, 5);
    enter(short, 10);
    expect([...stand.accounts.takeNews()]).toEqual([[long, [3, 2, 20_000]]]);
    expect([...stand.accounts.takeNews()]).toEqual([]);
    enter(long, 6.2);
    expect([...stand.accounts.takeNews()]).toEqual([[long, [1, 0, 6]]]);
    stand.accounts.close(long);
    enter(long, 6);
    expect([...stand.accounts.takeNews()]).toEqual([]);
  });

  test('end when entries have been short for very long, and begin again with a long one', () => {
    const state = stand.state('f');
    const window = (cpuUs: number): number => {
      stand.accounts.entered(stand.invocation(state), cpuUs);
      return stand.accounts.takeNews().size;
    };
    window(5_000);
    let rows = 0;
    while (window(1) === 1) rows += 1;
    // Ten minutes.
    expect(rows).toBe(2_400);
    expect(window(5_000)).toBe(1);
    expect(window(1)).toBe(1);
  });

  test('on slow hosts are of every target with entries', () => {
    const slow = new Stand(true);
    const state = slow.state('f');
    slow.accounts.entered(slow.invocation(state), 1);
    expect([...slow.accounts.takeNews()]).toEqual([[state, [1, 0, 1]]]);
    expect([...slow.accounts.takeNews()]).toEqual([]);
  });
});

describe('the line of the soft limit', () => {
  test('comes once a second for each function, says how many it stands for, and all are counted', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const [f, g] = [stand.state('f'), stand.state('g')];
      const reach = (state: TargetState): void => {
        const invocation = stand.invocation(state);
        invocation.cpuUs = 41_234;
        expect(invocation.cpuUs).toBeGreaterThanOrEqual(invocation.softCpuUs);
        stand.accounts.softLimit(invocation);
        expect(invocation.cpuUs).toBeLessThan(invocation.softCpuUs);
      };
      for (let i = 0; i < 10; i++) reach(f);
      reach(g);
      vi.advanceTimersByTime(1_001);
      reach(f);
      expect(stand.lines).toEqual([
        { fn: 'f', fields: { code: 'cpu_soft_limit', limit: 50, used: 41.2 } }, { fn: 'g', fields: { code: 'cpu_soft_limit', limit: 50, used: 41.2 } },
        { fn: 'f', fields: { code: 'cpu_soft_limit', limit: 50, used: 41.2, more: 9 } },
      ]);
      expect(stand.accounts.softLimits).toBe(12);
      expect(f.account.softLimits).toBe(11);
    } finally {
      vi.useRealTimers();
    }
  });
});
