// Connections between processes over real Unix sockets: hello rules, batching, heartbeat, go-away of either side, reconnecting.
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { PlatformError } from '../../../../core/errors/index.ts';
import { FRAME, FrameConnection, FrameReader, PROTOCOL_VERSION, ReconnectingPeer, encode, listenPeers } from '../../../../core/protocol/index.ts';
import type { ConnectionOptions, Frame, Role } from '../../../../core/protocol/index.ts';
import { until } from '../../../support/sidecar-host.ts';

function usePath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'thimble-core-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'x.sock');
}

const self = (role: Role, epoch = 1): ConnectionOptions['self'] => ({ role, name: `${role}-1`, epoch });

interface Side {
  readonly frames: Frame[];
  readonly opened: FrameConnection[];
  readonly closed: (PlatformError | undefined)[];
  readonly handlers: ConstructorParameters<typeof FrameConnection>[2];
}

function side(onFrame?: (frame: Frame, connection: FrameConnection) => void): Side {
  const [frames, opened, closed]: [Frame[], FrameConnection[], (PlatformError | undefined)[]] = [[], [], []];
  return {
    frames, opened, closed,
    handlers: {
      onOpen: (connection) => void opened.push(connection),
      onFrame: (frame, connection) => {
        frames.push(frame);
        onFrame?.(frame, connection);
      },
      onClose: (_connection, error) => void closed.push(error),
    },
  };
}

async function useListener(options: Partial<ConnectionOptions> = {}, onFrame?: (frame: Frame, connection: FrameConnection) => void): Promise<Side & { path: string; server: Server }> {
  const path = usePath();
  const there = side(onFrame);
  const server = await listenPeers(path, { self: self('gateway'), accepts: ['host'], ...options }, there.handlers);
  onTestFinished(() => {
    for (const connection of there.opened) connection.destroy();
    server.close();
  });
  return { ...there, path, server };
}

function useConnection(path: string, options: Partial<ConnectionOptions> = {}): Side & { connection: FrameConnection } {
  const here = side();
  const connection = new FrameConnection(connect(path), { self: self('host'), accepts: ['gateway'], ...options }, here.handlers);
  onTestFinished(() => connection.destroy());
  return { ...here, connection };
}

/** A peer without manners: sends these bytes as they are. */
function useRaw(path: string, ...values: (Buffer | readonly unknown[])[]): { socket: Socket; frames: Frame[]; closed: Promise<void> } {
  const socket = connect(path).on('error', () => {});
  const frames: Frame[] = [];
  const reader = new FrameReader();
  socket.on('data', (chunk: Buffer) => reader.push(chunk, (frame) => frames.push(frame)));
  for (const value of values) {
    const payload = Buffer.isBuffer(value) ? value : encode(value);
    const prefix = Buffer.alloc(4);
    prefix.writeUInt32LE(payload.length);
    socket.write(Buffer.concat([prefix, payload]));
  }
  onTestFinished(() => void socket.destroy());
  return { socket, frames, closed: new Promise((resolve) => socket.once('close', () => resolve())) };
}

const HELLO = [FRAME.hello, 0, PROTOCOL_VERSION, 'host', 'host-1', 5, 9] as const;

describe('hello', () => {
  it('tells each side who the other is', async () => {
    const there = await useListener();
    const here = useConnection(there.path, { self: self('host', 77) });
    await until(() => here.opened.length === 1 && there.opened.length === 1);
    expect(there.opened[0]?.peer).toEqual({ role: 'host', name: 'host-1', epoch: 77, pid: process.pid });
    expect(here.connection.peer).toMatchObject({ role: 'gateway', epoch: 1 });
  });

  it.each([
    ['of another protocol version', [FRAME.hello, 0, PROTOCOL_VERSION + 1, 'host', 'h', 5, 9]], ['of a role that may not connect', [FRAME.hello, 0, PROTOCOL_VERSION, 'control', 'c', 5, 9]],
    ['of an unknown role', [FRAME.hello, 0, PROTOCOL_VERSION, 'root', 'c', 5, 9]], ['with epoch 0', [FRAME.hello, 0, PROTOCOL_VERSION, 'host', 'h', 5, 0]], ['missing, with a frame in its place', [FRAME.end, 1]],
  ])('%s closes the connection and opens nothing', async (_name, frame) => {
    const there = await useListener();
    const raw = useRaw(there.path, frame);
    await raw.closed;
    await until(() => there.closed.length === 1);
    expect(there.closed[0]?.code).toBe('protocol_violation');
    expect(there.opened).toEqual([]);
    expect(there.frames).toEqual([]);
  });

  it('a second time closes the connection', async () => {
    const there = await useListener();
    await useRaw(there.path, HELLO, HELLO).closed;
    expect(there.opened).toHaveLength(1);
    expect(there.closed[0]?.code).toBe('protocol_violation');
  });

  it('that does not come in time closes the connection', async () => {
    const there = await useListener({ helloMs: 30 });
    await useRaw(there.path).closed;
    expect(there.closed[0]?.code).toBe('protocol_violation');
  });
});

describe('frames', () => {
  it('sent before the hello has come follow it, in order', async () => {
    const there = await useListener();
    const here = useConnection(there.path);
    for (let i = 1; i <= 5; i++) here.connection.send([FRAME.end, i]);
    await until(() => there.frames.length === 5);
    expect(there.frames.map((f) => f[1])).toEqual([1, 2, 3, 4, 5]);
  });

  it.each([
    ['one write', undefined, true, 1],
    ['few writes, the first before the turn ends', 1_024, false, 5],
  ] as const)('of one loop turn go out in %s', async (_what, eagerBytes, allWait, mostWrites) => {
    const path = usePath();
    const chunks: number[] = [];
    const server = createServer((socket) => socket.on('data', (chunk: Buffer) => chunks.push(chunk.length)));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    onTestFinished(() => void server.close());
    const here = useConnection(path, eagerBytes === undefined ? {} : { eagerBytes });
    await until(() => chunks.length === 1);
    for (let i = 1; i <= 500; i++) here.connection.send([FRAME.end, i]);
    expect(here.connection.backlogBytes > 3_000).toBe(allWait);
    await until(() => chunks.slice(1).reduce((sum, n) => sum + n, 0) >= 500 * 7);
    expect(chunks.length - 1).toBeLessThanOrEqual(mostWrites);
  });


  it('are handed over at once by flush', async () => {
    const there = await useListener();
    const here = useConnection(there.path);
    await until(() => here.opened.length === 1);
    here.connection.send([FRAME.end, 1]);
    const waiting = here.connection.backlogBytes;
    here.connection.flush();
    expect(waiting).toBeGreaterThan(0);
    expect(here.connection.backlogBytes).toBe(0);
    await until(() => there.frames.length === 1);
  });

  it('after a throw of the receiver close the connection with its error, and only that connection', async () => {
    const there = await useListener({}, () => {
      throw new TypeError('a defect');
    });
    const [bad, good] = [useConnection(there.path), useConnection(there.path)];
    await until(() => there.opened.length === 2);
    bad.connection.send([FRAME.end, 1]);
    await until(() => bad.closed.length === 1);
    expect(there.closed.map((e) => e?.code)).toEqual(['internal']);
    expect(good.connection.closed).toBe(false);
  });

  it('sent after the close are dropped, and the close is told once', async () => {
    const there = await useListener();
    const here = useConnection(there.path);
    await until(() => here.opened.length === 1);
    here.connection.destroy();
    here.connection.destroy();
    here.connection.send([FRAME.end, 1]);
    here.connection.end();
    here.connection.flush();
    await until(() => there.closed.length === 1);
    expect(here.closed).toEqual([undefined]);
    expect(there.closed).toEqual([undefined]);
    expect(there.frames).toEqual([]);
  });

  it('sent before end arrive', async () => {
    const there = await useListener();
    const here = useConnection(there.path);
    await until(() => here.opened.length === 1);
    here.connection.send([FRAME.data, 1, Buffer.alloc(3_000_000)]);
    here.connection.end();
    await until(() => there.frames.length === 1);
    await until(() => here.closed.length === 1 && there.closed.length === 1);
    const [frame] = there.frames;
    expect(frame?.[0] === FRAME.data && frame[2].length).toBe(3_000_000);
  });
});

describe('heartbeat', () => {
  it('pings are answered, and a peer that answers stays', async () => {
    const there = await useListener({ pingMs: 5 });
    const raw = useRaw(there.path, HELLO);
    await until(() => raw.frames.some((f) => f[0] === FRAME.ping));
    raw.socket.destroy();
    const here = useConnection(there.path);
    await until(() => here.opened.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(here.connection.closed).toBe(false);
    expect(here.frames).toEqual([]);
  });

  it('a peer that does not answer is given up', async () => {
    const there = await useListener({ pingMs: 5 });
    await useRaw(there.path, HELLO).closed;
    expect(there.closed[0]?.code).toBe('protocol_violation');
  });
});

describe('listener and reconnecting peer', () => {
  it('replace a socket file that a dead process left, for this user only', async () => {
    const path = usePath();
    writeFileSync(path, 'left over');
    const server = await listenPeers(path, { self: self('gateway'), accepts: ['host'] }, side().handlers);
    onTestFinished(() => void server.close());
    expect(statSync(path).isSocket()).toBe(true);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('find each other whoever comes first, and again after every loss', async () => {
    const path = usePath();
    const here = side();
    const peer = new ReconnectingPeer(path, { self: self('host'), accepts: ['gateway'] }, here.handlers);
    onTestFinished(() => peer.close());
    await new Promise((resolve) => setTimeout(resolve, 40));
    expect(peer.connection).toBeUndefined();
    expect(here.closed).toEqual([]);
    for (let life = 1; life <= 3; life++) {
      const there = side();
      const server = await listenPeers(path, { self: self('gateway', life), accepts: ['host'] }, there.handlers);
      await until(() => here.opened.length === life);
      expect(peer.connection?.peer?.epoch).toBe(life);
      await until(() => there.opened.length === 1);
      there.opened[0]?.destroy();
      server.close();
      await until(() => here.closed.length === life);
      expect(peer.connection).toBeUndefined();
    }
  });

  it('stop for good with close', async () => {
    const there = await useListener();
    const here = side();
    const peer = new ReconnectingPeer(there.path, { self: self('host'), accepts: ['gateway'] }, here.handlers);
    await until(() => here.opened.length === 1);
    peer.close();
    await until(() => here.closed.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(there.opened).toHaveLength(1);
  });

  it('tell of a listener that refuses them, and keep trying', async () => {
    const there = await useListener({ accepts: ['sidecar'] });
    const here = side();
    const peer = new ReconnectingPeer(there.path, { self: self('host'), accepts: ['gateway'] }, here.handlers);
    onTestFinished(() => peer.close());
    await until(() => there.closed.length >= 3);
    expect(there.closed.every((e) => e?.code === 'protocol_violation')).toBe(true);
  });
});
