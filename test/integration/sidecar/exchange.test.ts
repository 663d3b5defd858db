// Life cycle of calls: deadlines, cancels, credits, lost hosts, limits, go-away.
import { describe, expect, it } from 'vitest';
import { FRAME, STREAM_WINDOW_BYTES } from '../../../core/protocol/index.ts';
import { until } from '../../support/sidecar-host.ts';
import { useSidecar } from '../../support/sidecar-server.ts';
import { useRawUpstream, useUpstream } from '../../support/sidecar-upstream.ts';

describe('a deadline', () => {
  it('fails the call with its code and closes the socket of a silent upstream', async () => {
    const upstream = await useUpstream(() => {});
    const sidecar = await useSidecar();
    const host = await sidecar.connect();
    const from = performance.now();
    await expect(host.fetch({ url: upstream.origin, deadlineMs: 60.5 })).rejects.toMatchObject({ code: 'upstream_timeout', params: { afterMs: 61 } });
    expect(performance.now() - from).toBeLessThan(500);
    await until(() => upstream.open() === 0);
    expect(sidecar.server.sockets).toBe(0);
  });

  it('of nothing left fails at once and sends nothing', async () => {
    const upstream = await useUpstream((_request, response) => response.end());
    const host = await (await useSidecar()).connect();
    expect(await host.codeOf({ url: upstream.origin, deadlineMs: 0 })).toBe('upstream_timeout');
    expect(upstream.accepted()).toBe(0);
  });

  it('covers the wait for a free connection, and leaves the others alone', async () => {
    const upstream = await useUpstream((request, response) => void setTimeout(() => response.end('x'), request.url === '/slow' ? 200 : 0));
    const host = await (await useSidecar({ maxConnections: 1 })).connect();
    const slow = host.fetch({ url: `${upstream.origin}/slow` });
    expect(await host.codeOf({ url: upstream.origin, deadlineMs: 40 })).toBe('upstream_timeout');
    expect((await slow).status).toBe(200);
    expect((await host.fetch({ url: upstream.origin })).status).toBe(200);
    expect(upstream.requests.length).toBe(2);
  });

  it('ends with the reply head: a slow body is the host\'s to cancel', async () => {
    const upstream = await useUpstream((_request, response) => {
      response.write('a');
      setTimeout(() => response.end('b'), 120);
    });
    const host = await (await useSidecar()).connect();
    expect((await host.fetch({ url: upstream.origin, deadlineMs: 60 })).body.toString()).toBe('ab');
  });

  it('of any size is taken', async () => {
    const upstream = await useUpstream((_request, response) => response.end('x'));
    const host = await (await useSidecar()).connect();
    expect(await host.codeOf({ url: upstream.origin, deadlineMs: Number.MAX_VALUE })).toBe('ok');
  });
});

describe('a cancel', () => {
  it('closes the upstream socket and still gets its final frame', async () => {
    const upstream = await useUpstream(() => {});
    const host = await (await useSidecar()).connect();
    const call = host.open({ url: upstream.origin });
    await until(() => upstream.requests.length === 1);
    call.cancel();
    await expect(call.answer).rejects.toMatchObject({ code: 'upstream_failed', params: { why: 'cancelled' } });
    await until(() => upstream.open() === 0);
  });

  it('ends a reply that streams', async () => {
    const upstream = await useUpstream((_request, response) => {
      const timer = setInterval(() => response.write('tick'), 5);
      response.on('close', () => clearInterval(timer));
    });
    const host = await (await useSidecar()).connect();
    const call = host.open({ url: upstream.origin });
    await until(() => call.bytes > 8);
    call.cancel();
    await expect(call.answer).rejects.toMatchObject({ params: { why: 'cancelled' } });
    await until(() => upstream.open() === 0);
    expect(host.frames).toEqual([]);
  });

  it('that crosses the final frame is ignored, as are late data and credit', async () => {
    const upstream = await useUpstream((_request, response) => response.end('x'));
    const host = await (await useSidecar()).connect();
    const call = host.open({ url: upstream.origin });
    await call.answer;
    call.cancel();
    call.credit(10);
    host.send([FRAME.data, call.id, Buffer.from('late')]);
    host.send([FRAME.end, call.id]);
    expect(await host.codeOf({ url: upstream.origin })).toBe('ok');
    expect(host.frames).toEqual([]);
  });
});

describe('back-pressure', () => {
  it('stops reading the upstream when the host grants no credit', async () => {
    let written = 0;
    const upstream = await useUpstream((_request, response) => {
      const push = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 1))) written += 65_536;
        if (!response.destroyed) response.once('drain', push);
      };
      push();
    });
    const sidecar = await useSidecar();
    const host = await sidecar.connect();
    const call = host.open({ url: upstream.origin, autoCredit: false, countOnly: true });
    await call.head;
    await until(() => call.bytes >= STREAM_WINDOW_BYTES);
    await new Promise((resolve) => setTimeout(resolve, 150));
    const stoppedAt = written;
    expect(call.bytes).toBeLessThanOrEqual(STREAM_WINDOW_BYTES + 65_536);
    expect(sidecar.server.heldBytes).toBeLessThan(1_000_000);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(written).toBe(stoppedAt);
    // Credit in small change: the window never opens by more than was spent.
    const before = call.bytes;
    call.credit(100_000);
    await until(() => call.bytes > before);
    await until(() => call.bytes >= before + 100_000);
    call.cancel();
    await until(() => sidecar.server.heldBytes === 0);
  });

  it('stops granting credit when the upstream does not read', async () => {
    const upstream = await useRawUpstream((socket) => socket.pause());
    const sidecar = await useSidecar();
    const host = await sidecar.connect();
    const call = host.open({ url: upstream.origin, method: 'POST', streamed: true, deadlineMs: 1_000 });
    let sent = 0;
    void (async () => {
      while (!call.over) {
        await call.write(Buffer.alloc(60_000));
        sent += 60_000;
      }
    })();
    await expect(call.answer).rejects.toMatchObject({ code: 'upstream_timeout' });
    // Kernel buffers of both ends take some megabytes; the sidecar itself no more than the window.
    expect(sent).toBeLessThan(20_000_000);
    expect(sidecar.server.heldBytes).toBe(0);
  });
});

describe('a host that goes away', () => {
  it('has all its calls cancelled, and nobody else\'s', async () => {
    const upstream = await useUpstream((request, response) => {
      if (request.url === '/fine') setTimeout(() => response.end('fine'), 100);
    });
    const sidecar = await useSidecar();
    const [first, second] = [await sidecar.connect('host-1'), await sidecar.connect('host-2')];
    for (let i = 0; i < 10; i++) first.open({ url: upstream.origin });
    const other = second.fetch({ url: `${upstream.origin}/fine` });
    await until(() => upstream.requests.length === 11);
    first.close();
    await until(() => upstream.open() === 1);
    expect((await other).body.toString()).toBe('fine');
    expect(sidecar.server.tally.active).toBe(0);
  });
});

describe('limits', () => {
  it('turn away calls above the number per function, tenant and connection, and take new ones afterwards', async () => {
    const held: { end(): void }[] = [];
    const upstream = await useUpstream((_request, response) => void held.push(response));
    const sidecar = await useSidecar({ limits: { callsPerFunction: 2, callsPerTenant: 3, callsPerConnection: 4 } });
    const host = await sidecar.connect();
    const { origin: url } = upstream;
    const running = [host.fetch({ url, fn: 'a' }), host.fetch({ url, fn: 'a' })];
    expect(await host.codeOf({ url, fn: 'a' })).toBe('overloaded');
    running.push(host.fetch({ url, fn: 'b' }));
    expect(await host.codeOf({ url, fn: 'c' })).toBe('overloaded');
    running.push(host.fetch({ url, fn: 'd', tenant: 'other' }));
    expect(await host.codeOf({ url, fn: 'e', tenant: 'third' })).toBe('overloaded');
    await until(() => held.length === 4);
    for (const response of held) response.end();
    await Promise.all(running);
    held.length = 0;
    const after = host.fetch({ url, fn: 'a' });
    await until(() => held.length === 1);
    held[0]?.end();
    expect((await after).status).toBe(200);
    expect(sidecar.server.tally.failed).toBe(3);
  });
});

describe('a drain', () => {
  it('says go-away, turns new calls away, finishes those under way, then closes', async () => {
    let answer: (() => void) | undefined;
    const upstream = await useUpstream((_request, response) => {
      answer = () => response.end('done');
    });
    const sidecar = await useSidecar();
    const [busy, idle] = [await sidecar.connect('host-1'), await sidecar.connect('host-2')];
    const call = busy.fetch({ url: upstream.origin });
    await until(() => answer !== undefined);
    const drained = sidecar.server.drain(5_000);
    await until(() => busy.goaway);
    expect(await idle.closed).toBe('');
    expect(await busy.codeOf({ url: upstream.origin })).toBe('unavailable');
    answer?.();
    expect((await call).body.toString()).toBe('done');
    await drained;
    expect(await busy.closed).toBe('');
    await expect(sidecar.connect()).rejects.toThrow('closed');
  });

  it('cuts off what still runs when its time is over', async () => {
    const upstream = await useUpstream(() => {});
    const sidecar = await useSidecar();
    const host = await sidecar.connect();
    const call = host.open({ url: upstream.origin });
    await until(() => upstream.requests.length === 1);
    await sidecar.server.drain(50);
    await expect(call.answer).rejects.toMatchObject({ code: 'connection_closed' });
    await until(() => upstream.open() === 0);
  });
});
