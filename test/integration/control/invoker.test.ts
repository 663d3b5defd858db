// The control plane as an invoker of events: it waits for its gateway, and for no more events than it has room for.
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Invoker } from '../../../control/invoke/invoker.ts';
import { createLogger } from '../../../core/log/index.ts';
import { FRAME, listenPeers } from '../../../core/protocol/index.ts';
import type { EventFrame, FrameConnection } from '../../../core/protocol/index.ts';
import { useTempFolder } from '../../support/sidecar-server.ts';

function useInvoker(path: string): Invoker {
  const invoker = new Invoker(path, { role: 'control', name: 'control', epoch: 7 }, createLogger({ name: 'test', level: 'silent' }));
  onTestFinished(() => invoker.close());
  return invoker;
}

async function useFakeGateway(path: string, onEvent: (frame: EventFrame, connection: FrameConnection) => void): Promise<void> {
  const server = await listenPeers(path, { self: { role: 'gateway', name: 'gateway', epoch: 8 }, accepts: ['control'] }, {
    onOpen: () => {},
    onFrame: (frame, connection) => {
      if (frame[0] === FRAME.event) onEvent(frame, connection);
    },
    onClose: () => {},
  });
  onTestFinished(() => void server.close());
}

const codeOf = async (run: Promise<unknown>): Promise<unknown> => {
  try {
    await run;
    return 'settled';
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
};

test('an event that comes before the gateway does waits for it', async () => {
  const path = join(useTempFolder(), 'g.sock');
  const invoker = useInvoker(path);
  const outcome = invoker.invoke('card', 0, 'business', '{}', '');
  await useFakeGateway(path, ([, id], connection) => connection.send([FRAME.outcome, id, 200, 3, 'x-1', 5, 1, '', '{}']));
  expect(await outcome).toMatchObject({ status: 200, version: 3 });
});

test('without a gateway an event is unavailable', async () => {
  const invoker = useInvoker(join(useTempFolder(), 'g.sock'));
  expect(await codeOf(invoker.invoke('card', 0, 'business', '{}', ''))).toBe('unavailable');
});

test('events beyond a thousand under way are refused, and those that wait learn that the invoker has closed', async () => {
  const path = join(useTempFolder(), 'g.sock');
  let came = 0;
  await useFakeGateway(path, () => (came += 1));
  const invoker = useInvoker(path);
  const waiting = Array.from({ length: 1_000 }, () => codeOf(invoker.invoke('card', 0, 'business', '{}', '')));
  await expect.poll(() => came, { timeout: 5_000 }).toBe(1_000);
  expect(await codeOf(invoker.invoke('card', 0, 'business', '{}', ''))).toBe('overloaded');
  invoker.close();
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(['unavailable']));
});
