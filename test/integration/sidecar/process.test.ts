// The sidecar as a process: constant memory for large bodies, kill -9 and a fresh start, drain, figures and logs for the control plane.
import { describe, expect, it } from 'vitest';
import { FRAME, listenPeers } from '../../../core/protocol/index.ts';
import type { Frame } from '../../../core/protocol/index.ts';
import { TestHost, until } from '../../support/sidecar-host.ts';
import { startSidecarProcess, useTempFolder } from '../../support/sidecar-server.ts';
import { useUpstream } from '../../support/sidecar-upstream.ts';

const MIB = 1_048_576;

describe('memory', () => {
  it('stays level while 100 MB go up and 100 MB come down', async () => {
    const part = Buffer.alloc(64 * 1_024, 5);
    const upstream = await useUpstream((request, response) => {
      if (request.method === 'POST') {
        let bytes = 0;
        request.on('data', (chunk: Buffer) => (bytes += chunk.length)).on('end', () => response.end(String(bytes)));
        return;
      }
      let left = 1_600;
      const push = (): void => {
        while (left > 0) {
          left -= 1;
          if (!response.write(part)) {
            response.once('drain', push);
            return;
          }
        }
        response.end();
      };
      push();
    });
    const sidecar = await startSidecarProcess();
    const host = await sidecar.connect();
    const up = async (parts: number): Promise<string> => {
      const call = host.open({ url: upstream.origin, method: 'POST', streamed: true, deadlineMs: 60_000 });
      for (let i = 0; i < parts; i++) await call.write(part);
      call.end();
      return (await call.answer).body.toString();
    };
    await up(200);
    await host.fetch({ url: upstream.origin, countOnly: true, deadlineMs: 60_000 });
    const before = sidecar.peakBytes();
    expect(await up(1_600)).toBe(String(100 * MIB));
    expect((await host.fetch({ url: upstream.origin, countOnly: true, deadlineMs: 60_000 })).bytes).toBe(100 * MIB);
    // Young-generation garbage moves the peak by some megabytes; the bodies are 200.
    expect(sidecar.peakBytes() - before).toBeLessThan(40 * MIB);
  }, 60_000);
});

describe('kill -9', () => {
  it('closes the connections, and a fresh start on the same socket serves', async () => {
    const upstream = await useUpstream((request, response) => {
      if (request.url === '/') response.end('served');
    });
    const folder = useTempFolder();
    const first = await startSidecarProcess({}, folder);
    const host = await first.connect();
    const call = host.open({ url: `${upstream.origin}/silent` });
    await until(() => upstream.requests.length === 1);
    first.child.kill('SIGKILL');
    await expect(call.answer).rejects.toMatchObject({ code: 'connection_closed' });
    await until(() => upstream.open() === 0);
    const second = await startSidecarProcess({}, folder);
    const again = await TestHost.connect(second.boot.sockets.sidecar);
    expect((await again.fetch({ url: upstream.origin })).body.toString()).toBe('served');
  });
});

describe('a drain', () => {
  it('finishes what runs and exits 0, on the message and when the supervisor is gone', async () => {
    let answer: (() => void) | undefined;
    const upstream = await useUpstream((_request, response) => {
      answer = () => response.end('done');
    });
    const sidecar = await startSidecarProcess();
    const host = await sidecar.connect();
    const call = host.fetch({ url: upstream.origin });
    await until(() => answer !== undefined);
    sidecar.child.send({ type: 'drain', withinMs: 5_000 });
    await until(() => host.goaway);
    answer?.();
    expect((await call).status).toBe(200);
    expect(await sidecar.exited).toBe(0);

    const orphan = await startSidecarProcess();
    orphan.child.disconnect();
    expect(await orphan.exited).toBe(0);
  });
});

describe('a start', () => {
  it('with a malformed allow list fails and says so', async () => {
    await expect(startSidecarProcess({ egressAllow: ['10.0.0.0/99'] })).rejects.toThrow('THIMBLE_EGRESS_ALLOW');
  });
});

describe('the control plane', () => {
  it('gets figures twice a second and the logs of functions, also when it comes late', async () => {
    const upstream = await useUpstream((_request, response) => response.end());
    const sidecar = await startSidecarProcess();
    const host = await sidecar.connect();
    await host.fetch({ url: upstream.origin });
    expect(await host.codeOf({ url: 'http://10.0.0.1/', fn: 'card' })).toBe('egress_refused');
    const frames: Frame[] = [];
    const control = await listenPeers(sidecar.boot.sockets.control, { self: { role: 'control', name: 'control', epoch: 1 }, accepts: ['sidecar'] }, {
      onOpen: () => {}, onFrame: (frame) => void frames.push(frame), onClose: () => {},
    });
    await until(() => frames.filter((frame) => frame[0] === FRAME.figures).length >= 2);
    const figures = frames.find((frame) => frame[0] === FRAME.figures)?.[2];
    expect(figures).toMatchObject({ kind: 'sidecar', node: { calls: 2, active: 0, refused: 1, failed: 0, sockets: 1 } });
    expect((figures as { node: { residentBytes: number } }).node.residentBytes).toBeGreaterThan(10 * MIB);
    const logs = frames.find((frame) => frame[0] === FRAME.logs);
    expect(logs?.[2]).toMatchObject([[expect.any(Number), 'warn', 'card', 0, 'inv-1', expect.any(String), expect.any(String)]]);
    sidecar.child.send({ type: 'drain', withinMs: 1_000 });
    await sidecar.exited;
    control.close();
  });
});
