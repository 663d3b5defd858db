// The exchange engine with a client of another kind: what the interface promises to both sides.
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { PlatformError } from '../../../core/errors/index.ts';
import { FRAME, FrameConnection, STREAM_WINDOW_BYTES } from '../../../core/protocol/index.ts';
import type { Call, CallTask, MiddlewareClient } from '../../../sidecar/index.ts';
import { callFrame, until } from '../../support/sidecar-host.ts';
import { useSidecar } from '../../support/sidecar-server.ts';

/** Hands every call to the test, and notes what the engine tells its task. */
class ManualClient implements MiddlewareClient {
  readonly name = 'kv';
  readonly operations = new Set(['get']);
  readonly sockets = 3;
  readonly calls: Call[] = [];
  readonly told: string[] = [];
  closed = false;
  onStart: ((call: Call) => void) | undefined;

  start(call: Call): CallTask {
    this.calls.push(call);
    this.onStart?.(call);
    return {
      bodyData: (bytes) => void this.told.push(`data ${bytes.length}`),
      bodyEnd: () => void this.told.push('bodyEnd'),
      resume: () => void this.told.push('resume'),
      abort: () => void this.told.push('abort'),
    };
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

const KV = { url: '', client: 'kv', operation: 'get', head: 'key' } as const;

describe('the engine', () => {
  it('hands a call over with all that the frame says', async () => {
    const kv = new ManualClient();
    const host = await (await useSidecar({ clients: [kv] })).connect();
    const open = host.open({ ...KV, head: 'get\nkey', body: 'value', deadlineMs: 123, tenant: 'shop', fn: 'card', traceparent: 'tp' });
    await until(() => kv.calls.length === 1);
    expect(kv.calls[0]).toMatchObject({
      operation: 'get', head: 'get\nkey', body: 'value', streamed: false, deadlineMs: 123, tenant: 'shop', fn: 'card', invocation: 'inv-1', traceparent: 'tp',
    });
    kv.calls[0]?.reply('200', Buffer.from('answer'));
    expect((await open.answer).body.toString()).toBe('answer');
    expect(kv.told).toEqual([]);
  });

  it('sends one final frame, whatever the client does after it', async () => {
    const kv = new ManualClient();
    const host = await (await useSidecar({ clients: [kv] })).connect();
    const open = host.open(KV);
    await until(() => kv.calls.length === 1);
    const [call] = kv.calls;
    call?.reply('200', null);
    call?.reply('200', null);
    call?.fail('upstream_failed', { why: 'late' });
    call?.replyStream('200');
    call?.write(Buffer.from('late'));
    call?.end();
    call?.consumed(5);
    await open.answer;
    expect(await host.codeOf({ url: 'http://localhost/' })).toBe('egress_refused');
    expect(host.frames).toEqual([]);
  });

  it('takes a reply that is given before start returns, and a throw as the failure of the call', async () => {
    const kv = new ManualClient();
    const sidecar = await useSidecar({ clients: [kv] });
    const host = await sidecar.connect();
    kv.onStart = (call) => call.reply('200', Buffer.from('at once'));
    expect((await host.fetch(KV)).body.toString()).toBe('at once');
    kv.onStart = () => {
      throw new PlatformError('upstream_failed', { why: 'dns' });
    };
    await expect(host.fetch(KV)).rejects.toMatchObject({ code: 'upstream_failed', params: { why: 'dns' } });
    kv.onStart = () => {
      throw new TypeError('a defect');
    };
    await expect(host.fetch(KV)).rejects.toMatchObject({ code: 'internal', params: null });
    expect(sidecar.server.tally).toMatchObject({ active: 0, calls: 3, failed: 2 });
  });

  it('aborts the task once, on cancel, deadline and loss of the host, and takes nothing from it afterwards', async () => {
    const kv = new ManualClient();
    const sidecar = await useSidecar({ clients: [kv] });
    const host = await sidecar.connect();
    const cancelled = host.open(KV);
    await until(() => kv.calls.length === 1);
    cancelled.cancel();
    await until(() => cancelled.over);
    await host.codeOf({ ...KV, deadlineMs: 20 });
    host.open(KV);
    await until(() => kv.calls.length === 3);
    host.close();
    await until(() => kv.told.length === 3);
    expect(kv.told).toEqual(['abort', 'abort', 'abort']);
    expect(sidecar.server.tally.active).toBe(0);
    for (const call of kv.calls) call.reply('200', null);
  });

  it('passes a streamed request body on and gives credit for what is consumed', async () => {
    const kv = new ManualClient();
    const sidecar = await useSidecar({ clients: [kv] });
    const host = await sidecar.connect();
    const open = host.open({ ...KV, streamed: true });
    for (let i = 0; i < 4; i++) await open.write(Buffer.alloc(64 * 1_024));
    let more = false;
    void open.write(Buffer.alloc(10)).then(() => (more = true));
    await until(() => kv.told.length === 4);
    expect(more).toBe(false);
    expect(sidecar.server.heldBytes).toBe(STREAM_WINDOW_BYTES);
    kv.calls[0]?.consumed(STREAM_WINDOW_BYTES);
    await until(() => more);
    open.end();
    await until(() => kv.told.length === 6);
    expect(kv.told.slice(4)).toEqual(['data 10', 'bodyEnd']);
    kv.calls[0]?.reply('200', null);
    await open.answer;
    expect(sidecar.server.heldBytes).toBe(0);
  });

  it('keeps what is written without credit, cuts large writes, and says when to go on', async () => {
    const kv = new ManualClient();
    const sidecar = await useSidecar({ clients: [kv] });
    const host = await sidecar.connect();
    const open = host.open({ ...KV, autoCredit: false });
    await until(() => kv.calls.length === 1);
    const call = kv.calls[0] as Call;
    call.replyStream('200');
    expect(call.write(Buffer.alloc(200_000, 1))).toBe(true);
    expect(call.write(Buffer.alloc(100_000, 2))).toBe(false);
    expect(call.write(Buffer.alloc(1_000, 3))).toBe(false);
    call.end();
    await until(() => open.bytes === 300_000);
    expect(sidecar.server.heldBytes).toBe(1_000);
    expect(open.over).toBe(false);
    open.credit(300_000);
    const answer = await open.answer;
    expect(answer.bytes).toBe(301_000);
    expect(answer.body.at(-1)).toBe(3);
    expect(sidecar.server.heldBytes).toBe(0);
  });

  it('drops what is queued when the client fails half-way', async () => {
    const kv = new ManualClient();
    const sidecar = await useSidecar({ clients: [kv] });
    const host = await sidecar.connect();
    const open = host.open({ ...KV, autoCredit: false });
    await until(() => kv.calls.length === 1);
    kv.calls[0]?.replyStream('200');
    kv.calls[0]?.write(Buffer.alloc(300_000));
    kv.calls[0]?.write(Buffer.alloc(300_000));
    kv.calls[0]?.fail('upstream_failed', { why: 'reset' });
    await expect(open.answer).rejects.toMatchObject({ params: { why: 'reset' } });
    expect(sidecar.server.heldBytes).toBe(0);
  });

  it('stops producing for a host that does not read its socket, and goes on when it does', async () => {
    const kv = new ManualClient();
    const sidecar = await useSidecar({ clients: [kv], limits: { backlogBytes: 500_000 } });
    const socket = connect(sidecar.path);
    let bytes = 0;
    const opened = new Promise<FrameConnection>((resolve) => {
      new FrameConnection(socket, { self: { role: 'host', name: 'slow', epoch: 1 }, accepts: ['sidecar'] }, {
        onOpen: resolve,
        onFrame: (frame) => {
          if (frame[0] === FRAME.data) bytes += frame[2].length;
        },
        onClose: () => {},
      });
    });
    const host = await opened;
    for (let id = 1; id <= 40; id++) host.send(callFrame(id, { ...KV, deadlineMs: 60_000 }));
    await until(() => kv.calls.length === 40);
    socket.pause();
    let blocked = 0;
    for (const call of kv.calls) {
      call.replyStream('200');
      if (!call.write(Buffer.alloc(200_000))) blocked += 1;
      call.end();
    }
    // 40 bodies of 200 KB each have credit; the socket stops them.
    expect(blocked).toBeGreaterThan(20);
    expect(sidecar.server.heldBytes).toBeGreaterThan(4_000_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(sidecar.server.heldBytes).toBeGreaterThan(4_000_000);
    socket.resume();
    await until(() => bytes === 8_000_000);
    await until(() => sidecar.server.tally.active === 0);
    expect(sidecar.server.heldBytes).toBe(0);
    socket.destroy();
  });

  it('turns new calls away while too many body bytes wait', async () => {
    const kv = new ManualClient();
    const sidecar = await useSidecar({ clients: [kv], limits: { heldBytes: 100_000 } });
    const host = await sidecar.connect();
    const open = host.open({ ...KV, streamed: true });
    await open.write(Buffer.alloc(120_000));
    await until(() => kv.told.length === 1);
    expect(await host.codeOf(KV)).toBe('overloaded');
    kv.calls[0]?.consumed(120_000);
    const second = host.fetch(KV);
    await until(() => kv.calls.length === 2);
    kv.calls[1]?.reply('200', null);
    expect((await second).bytes).toBe(0);
  });

  it('closes its clients after a drain and counts their sockets', async () => {
    const kv = new ManualClient();
    const sidecar = await useSidecar({ clients: [kv] });
    expect(sidecar.server.sockets).toBe(3);
    await sidecar.server.drain(0);
    expect(kv.closed).toBe(true);
  });

  it('accepts hosts only', async () => {
    const sidecar = await useSidecar();
    const closed = await new Promise<string | undefined>((resolve) => {
      new FrameConnection(connect(sidecar.path), { self: { role: 'gateway', name: 'gateway', epoch: 1 }, accepts: ['sidecar'] }, {
        onOpen: () => {}, onFrame: () => {}, onClose: (_connection, error) => resolve(error?.code ?? 'closed'),
      });
    });
    expect(closed).toBe('closed');
  });
});

describe('the log of functions', () => {
  it('is bounded per function between two pushes, and what did not fit is counted', async () => {
    const kv = new ManualClient();
    const sidecar = await useSidecar({ clients: [kv] });
    const host = await sidecar.connect();
    host.open({ ...KV, fn: 'loud' });
    host.open({ ...KV, fn: 'quiet' });
    await until(() => kv.calls.length === 2);
    for (let i = 0; i < 150; i++) kv.calls[0]?.log('warn', `line ${i}`, { i });
    kv.calls[1]?.log('info', 'one', {});
    const frame = sidecar.server.tally.takeLogs();
    expect(frame?.[2].length).toBe(101);
    expect(frame?.[3]).toEqual({ loud: 50 });
    kv.calls[0]?.log('warn', 'again', {});
    expect(sidecar.server.tally.takeLogs()?.[2].length).toBe(1);
  });
});
