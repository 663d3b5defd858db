// The copy that is kept of a request and its answer: what passes to the client, what is held, what is let go; and when nothing is drawn.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLogger } from '../../../core/log/index.ts';
import { AccessLog } from '../../../gateway/access-log.ts';
import { Dispatcher } from '../../../gateway/dispatcher.ts';
import { KEPT_BYTES, MAX_HASHED_BYTES } from '../../../gateway/shadow/answer-record.ts';
import type { Mirror } from '../../../gateway/shadow/mirror.ts';
import { MAX_HELD_BYTES, MAX_OPEN, Shadows } from '../../../gateway/shadow/shadows.ts';
import type { ClientResponse } from '../../../gateway/uws.ts';
import { routeFunction } from '../../support/gateway-fakes.ts';

/** Notes what the client's native response was asked for. */
class Native implements ClientResponse {
  readonly calls: string[] = [];
  abort: () => void = () => {};
  data: (chunk: ArrayBuffer, last: boolean) => void = () => {};
  writeStatus(status: string): void { this.calls.push(`status ${status}`); }
  writeHeader(name: string): void { this.calls.push(`header ${name}`); }
  write(chunk: string | Uint8Array): boolean { return this.calls.push(`write ${chunk.length}`) % 2 === 0; }
  end(body?: string | Uint8Array, close?: boolean): void { this.calls.push(`end ${body?.length ?? 'none'} ${close ?? false}`); }
  endWithoutBody(): void { this.calls.push('endWithoutBody'); }
  close(): void { this.calls.push('close'); }
  pause(): void { this.calls.push('pause'); }
  resume(): void { this.calls.push('resume'); }
  cork(write: () => void): void { this.calls.push('cork'); write(); }
  onAborted(handler: () => void): void { this.abort = handler; }
  onData(handler: (chunk: ArrayBuffer, last: boolean) => void): void { this.data = handler; }
  onWritable(): void { this.calls.push('onWritable'); }
  getRemoteAddressAsText(): ArrayBuffer { return new ArrayBuffer(3); }
}

const fn = routeFunction('card', { versions: { 1: 'sha256-1', 2: 'sha256-2' }, shadow: { version: 2, since: '2026-01-01T00:00:00.000Z', methods: ['GET', 'POST'] } });
const logger = createLogger({ name: 'gateway', level: 'silent' });

function use(random?: () => number): { shadows: Shadows; live: Dispatcher; draw: (bodyBytes?: number, of?: typeof fn) => { mirror: Mirror | undefined; native: Native }; counts: (kind: 'skipped' | 'dropped') => Record<string, number> } {
  const live = new Dispatcher({ epoch: 1, table: { get: () => undefined, takeKilled: () => [] }, accessLog: new AccessLog(logger), logger });
  const shadows = new Shadows({ epoch: 1, live, routes: { get: () => ({ fn }) }, logger, ...(random === undefined ? {} : { random }) });
  const all = { skipped: {} as Record<string, number>, dropped: {} as Record<string, number> };
  return {
    shadows, live,
    draw: (bodyBytes = 0, of = fn) => {
      const native = new Native();
      return { native, mirror: shadows.draw(of, 1, { method: 'GET', path: '/', query: '', head: 'GET\nhttp://x/', acceptedAtMs: performance.now() }, bodyBytes, native) };
    },
    counts: (kind) => {
      const { rows = [] } = (shadows.take()?.[2] ?? {}) as { rows?: { skipped: Record<string, number>; dropped: Record<string, number> }[] };
      for (const row of rows) for (const one of ['skipped', 'dropped'] as const) for (const [reason, n] of Object.entries(row[one])) all[one][reason] = (all[one][reason] ?? 0) + n;
      return all[kind];
    },
  };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setImmediate', 'setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

describe('a mirror', () => {
  it('passes every call on, in its order, with its answer', () => {
    const { draw } = use();
    const { mirror, native } = draw();
    mirror?.cork(() => {
      mirror.writeStatus('200 OK');
      mirror.writeHeader('content-type', 'text/plain');
      expect([mirror.write('abc'), mirror.write('de')]).toEqual([true, false]);
      mirror.onWritable(() => true);
      mirror.pause();
      mirror.resume();
      mirror.end('f', true);
    });
    expect(native.calls).toEqual(['cork', 'status 200 OK', 'header content-type', 'write 3', 'write 2', 'onWritable', 'pause', 'resume', 'end 1 true']);
    expect(mirror?.getRemoteAddressAsText().byteLength).toBe(3);
    const other = draw();
    other.mirror?.endWithoutBody();
    expect(other.native.calls).toEqual(['endWithoutBody']);
  });

  it('hands body chunks on as they come, and keeps copies', () => {
    const { draw } = use();
    const { mirror, native } = draw(-1);
    const seen: number[] = [];
    mirror?.onData((chunk, last) => seen.push(chunk.byteLength + Number(last)));
    const memory = new Uint8Array([1, 2, 3]);
    native.data(memory.buffer, false);
    memory.fill(9);
    native.data(memory.buffer, true);
    expect(seen).toEqual([3, 4]);
    expect([...(mirror?.body ?? [])]).toEqual([1, 2, 3, 9, 9, 9]);
  });

  it.each([
    ['request_body', (mirror: Mirror, native: Native): void => {
      mirror.onData(() => {});
      for (let n = 0; n < 5; n++) native.data(new ArrayBuffer(16 * 1_024), false);
    }],
    ['request_body', (mirror: Mirror): void => mirror.end('answered before the body had come')],
    ['response_body', (mirror: Mirror): void => {
      for (let n = 0; n <= MAX_HASHED_BYTES; n += 65_536) mirror.write(new Uint8Array(65_536));
    }],
    ['stream', (mirror: Mirror): void => {
      mirror.writeHeader('Content-Type', 'text/event-stream');
      mirror.write('data: 1\n\n');
    }],
    ['stream', (mirror: Mirror): void => {
      mirror.write('a');
      vi.advanceTimersByTime(10_001);
      mirror.write('b');
    }],
    ['client_gone', (mirror: Mirror, native: Native): void => {
      mirror.onAborted(() => {});
      native.abort();
    }],
    ['client_gone', (mirror: Mirror): void => mirror.close()],
    ['not_served', (mirror: Mirror): void => mirror.writeHeader('x-thimble-reason', 'overloaded;limit=1')],
    ['not_served', (mirror: Mirror): void => mirror.writeHeader('x-thimble-fallback', 'static')],
  ])('is given up for %s once, lets go of all, and still passes everything on', (reason, act) => {
    const { shadows, draw, counts } = use();
    const { mirror, native } = draw(-1);
    if (mirror === undefined) throw new Error('it was not drawn');
    act(mirror, native);
    expect([counts('skipped'), shadows.open, shadows.heldBytes]).toEqual([{ [reason]: 1 }, 0, 0]);
    const before = native.calls.length;
    mirror.write('x');
    mirror.end('y');
    mirror.close();
    vi.runAllTimers();
    expect(native.calls.length).toBe(before + 3);
    expect([counts('skipped'), shadows.open, shadows.heldBytes]).toEqual([{ [reason]: 1 }, 0, 0]);
  });
});

describe('a draw', () => {
  it('holds so many bytes and so many requests, and no more', () => {
    const first = use();
    let drawn = 0;
    for (; drawn < 1_000; drawn++) {
      const { mirror } = first.draw();
      if (mirror === undefined) break;
      mirror.write(new Uint8Array(KEPT_BYTES));
    }
    expect(drawn).toBeGreaterThan(100);
    expect(first.counts('dropped')).toEqual({ memory: 1 });
    expect(first.shadows.heldBytes).toBeLessThanOrEqual(MAX_HELD_BYTES + KEPT_BYTES + 100);
    const second = use();
    for (drawn = 0; second.draw().mirror !== undefined; drawn++);
    // Two thirds for one function, and the next one still gets some.
    expect(drawn).toBe(Math.ceil((MAX_OPEN * 2) / 3));
    expect(second.counts('dropped')).toEqual({ too_many: 1 });
    expect(second.draw(0, { ...fn, name: 'other' }).mirror).toBeDefined();
  });

  it('takes the share that was asked for', () => {
    let at = 0;
    const { draw } = use(() => (at++ % 100) / 100);
    const quarter = { ...fn, shadow: { ...(fn.shadow as NonNullable<typeof fn.shadow>), percent: 25 } };
    let drawn = 0;
    for (let n = 0; n < 400; n++) {
      const { mirror, native } = draw(0, quarter);
      if (mirror === undefined) continue;
      drawn += 1;
      mirror.onAborted(() => {});
      native.abort();
    }
    expect(drawn).toBe(100);
  });

  it('is none once the gateway ends', () => {
    const { shadows, draw } = use();
    const { mirror } = draw();
    shadows.close();
    mirror?.end('late');
    vi.runAllTimers();
    expect([draw().mirror, shadows.open, shadows.heldBytes]).toEqual([undefined, 0, 0]);
  });
});
