// Route pushes that do not fit one frame, and gateways that do not read.
import { describe, expect, it } from 'vitest';
import { RoutePush } from '../../../control/push/index.ts';
import type { RouteSource } from '../../../control/push/index.ts';
import { createLogger } from '../../../core/log/index.ts';
import { FRAME } from '../../../core/protocol/index.ts';
import type { Frame, FrameConnection } from '../../../core/protocol/index.ts';
import { routeDeltaSchema, routeTableSchema } from '../../../core/routing/index.ts';
import type { RouteFunction } from '../../../core/routing/index.ts';
import { limitsSchema } from '../../../core/schemas/index.ts';

const logger = createLogger({ name: 'test', level: 'fatal', destination: { write: () => {} } });

function route(name: string): RouteFunction {
  return {
    name, tenant: 'default', tier: 'default', public: true, debug: false, shape: 'auto', limits: limitsSchema.parse({}), user: null, triggers: [], keepWarm: 0, secrets: 'x'.repeat(200), traffic: null, versions: {},
  };
}

function source(names: readonly string[], revision: number): RouteSource {
  return { revision, route: (name) => (names.includes(name) ? route(name) : undefined), routes: () => names.map(route), changedSince: () => ({ upsert: names, remove: ['gone'] }) };
}

/** A connection that keeps what was sent. */
function connection(backlogBytes = 0): { readonly frames: Frame[]; readonly destroyed: () => boolean; readonly self: FrameConnection } {
  const frames: Frame[] = [];
  let destroyed = false;
  const self = { peer: { name: 'gateway', role: 'gateway', epoch: 1, pid: 1 }, backlogBytes, send: (frame: Frame) => void frames.push(frame), destroy: () => void (destroyed = true) };
  return { frames, destroyed: () => destroyed, self: self as unknown as FrameConnection };
}

/** What a gateway has after these frames, applied as strictly as a gateway does; and the revisions that it would acknowledge. */
function replay(frames: readonly Frame[], revision = -1, names = new Set<string>()): { readonly names: Set<string>; readonly acknowledged: number[] } {
  let at = revision;
  const acknowledged: number[] = [];
  for (const frame of frames) {
    if (frame[0] === FRAME.table) {
      const table = routeTableSchema.parse(frame[2]);
      names.clear();
      for (const fn of table.functions) names.add(fn.name);
      at = table.revision;
    } else {
      const delta = routeDeltaSchema.parse(frame[2]);
      if (delta.previous !== at) throw new Error(`a delta from ${delta.previous} on ${at}`);
      for (const name of delta.remove) names.delete(name);
      for (const fn of delta.upsert) names.add(fn.name);
      at = delta.revision;
    }
    acknowledged.push(at);
  }
  return { names, acknowledged };
}

const NAMES = Array.from({ length: 25 }, (_, i) => `f${i}`);

describe('a table that does not fit one frame', () => {
  it('comes in pieces of which only the last has the revision', () => {
    const push = new RoutePush({ source: source(NAMES, 9), epoch: 5, origin: 3, logger, tableFrameBytes: 2_000 });
    const gateway = connection();
    push.opened(gateway.self);
    push.subscribe(gateway.self, 0, 0);
    expect(gateway.frames.length).toBeGreaterThan(3);
    const { names, acknowledged } = replay(gateway.frames);
    expect([...names]).toEqual(NAMES);
    expect(acknowledged.filter((revision) => revision === 9)).toEqual([9]);
    expect(acknowledged.at(-1)).toBe(9);
  });

  it('comes whole when it fits, even when it is empty', () => {
    for (const names of [[], NAMES]) {
      const push = new RoutePush({ source: source(names, 9), epoch: 5, origin: 3, logger });
      const gateway = connection();
      push.opened(gateway.self);
      push.subscribe(gateway.self, 5, 0);
      expect(gateway.frames).toHaveLength(1);
      expect(replay(gateway.frames)).toEqual({ names: new Set(names), acknowledged: [9] });
    }
  });
});

describe('a delta that does not fit one frame', () => {
  it('comes in pieces, with the removals and the revision in the last', () => {
    const push = new RoutePush({ source: source(NAMES, 9), epoch: 5, origin: 3, logger, frameBytes: 2_000 });
    const gateway = connection();
    push.opened(gateway.self);
    push.subscribe(gateway.self, 5, 4);
    const { names, acknowledged } = replay(gateway.frames, 4, new Set(['gone', 'kept']));
    expect(names).toEqual(new Set(['kept', ...NAMES]));
    expect([acknowledged[0], acknowledged.at(-1)]).toEqual([4, 9]);
  });
});

describe('a gateway', () => {
  it('that does not read is cut off instead of filling this process', () => {
    const push = new RoutePush({ source: source(NAMES, 9), epoch: 5, origin: 3, logger });
    const stuck = connection(1_000_000_000);
    push.opened(stuck.self);
    push.subscribe(stuck.self, 0, 0);
    push.publish(9, 10, ['f1']);
    expect(stuck.destroyed()).toBe(true);
    expect(stuck.frames).toHaveLength(1);
  });

  it('that has not subscribed gets nothing', () => {
    const push = new RoutePush({ source: source(NAMES, 9), epoch: 5, origin: 3, logger });
    const silent = connection();
    push.opened(silent.self);
    push.publish(8, 9, ['f1']);
    expect(silent.frames).toEqual([]);
    expect(push.synced).toBe(0);
  });
});
