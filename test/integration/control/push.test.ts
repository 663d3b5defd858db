// Route tables to gateways over real frames: what they get, when a write answers, and what a slow or strange one may do.
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FRAME } from '../../../core/protocol/index.ts';
import { HELLO, processState, useControl } from '../../support/control-plane.ts';
import { useGateway, usePeer } from '../../support/control-peers.ts';

describe('a gateway', () => {
  it('gets the whole table first, then a delta for each commit', async () => {
    const { call, deploy, socket } = await useControl();
    await deploy('card', HELLO);
    const gateway = await useGateway(socket);
    expect(gateway.tables).toHaveLength(1);
    expect(gateway.functions.get('card')).toMatchObject({ name: 'card', tenant: 'default', tier: 'default', public: true, traffic: { split: [{ version: 1, weight: 100 }] } });
    const put = await call('PUT', '/v1/functions/card', { debug: true });
    expect(put.body).toMatchObject({ applied: true, revision: gateway.revision });
    expect(gateway.functions.get('card')?.debug).toBe(true);
    expect(gateway.tables).toHaveLength(1);
    expect(gateway.faults).toEqual([]);
  });

  it('that comes back gets what it missed as one delta', async () => {
    const { call, deploy, socket } = await useControl();
    await deploy('kept', HELLO);
    await deploy('changed', HELLO);
    await deploy('gone', HELLO);
    const first = await useGateway(socket);
    first.close();
    await call('PUT', '/v1/functions/changed', { debug: true });
    await call('DELETE', '/v1/functions/gone');
    await call('PUT', '/v1/functions/made');
    await call('PUT', '/v1/functions/brief');
    await call('DELETE', '/v1/functions/brief');
    const again = await useGateway(socket, { has: { epoch: first.epoch, revision: first.revision } });
    await expect.poll(() => again.deltas.length).toBe(1);
    expect(again.tables).toEqual([]);
    expect(again.deltas[0]?.upsert.map((fn) => fn.name).toSorted()).toEqual(['changed', 'made']);
    expect(again.deltas[0]?.remove.toSorted()).toEqual(['brief', 'gone']);
    expect((await call('PUT', '/v1/functions/kept', { debug: true })).body).toMatchObject({ applied: true });
    expect(again.faults).toEqual([]);
  });

  it('that is up to date gets an empty delta; of another epoch or from the future, the whole table', async () => {
    const control = await useControl();
    await control.deploy('card', HELLO);
    const first = await useGateway(control.socket);
    const { epoch, revision } = first;
    first.close();
    const same = await useGateway(control.socket, { has: { epoch, revision } });
    await expect.poll(() => same.deltas.length).toBe(1);
    expect(same.deltas[0]).toMatchObject({ previous: revision, revision, upsert: [], remove: [] });
    const other = await useGateway(control.socket, { has: { epoch: epoch + 1, revision }, name: 'other' });
    await expect.poll(() => other.tables.length).toBe(1);
    const ahead = await useGateway(control.socket, { has: { epoch, revision: revision + 5 }, name: 'ahead' });
    await expect.poll(() => ahead.tables.length).toBe(1);
    expect(ahead.revision).toBe(revision);
  });

  it('keeps its table over a restart of the control plane: another epoch, no gap', async () => {
    const first = await useControl();
    await first.deploy('card', HELLO);
    const gateway = await useGateway(first.socket);
    const { epoch } = gateway;
    const second = await first.restart();
    await expect.poll(() => gateway.epoch).not.toBe(epoch);
    expect(gateway.deltas.at(-1)).toMatchObject({ formerEpoch: epoch, upsert: [], remove: [] });
    const put = await second.call('PUT', '/v1/functions/card', { debug: true });
    expect(put.body).toMatchObject({ applied: true });
    expect(gateway.tables).toHaveLength(1);
    expect(gateway.faults).toEqual([]);
  });

  it('that knows more than a store which was put back gets the whole table, however far the store has come since', async () => {
    const first = await useControl();
    await first.deploy('kept', HELLO);
    await first.stop();
    const backup = join(first.data, 'backup');
    cpSync(join(first.data, 'control'), backup, { recursive: true });
    const second = await useControl(first.data);
    for (const name of ['lost-1', 'lost-2']) await second.call('PUT', `/v1/functions/${name}`);
    const gateway = await useGateway(second.socket);
    const { epoch, revision } = gateway;
    gateway.close();
    await second.stop();
    rmSync(join(first.data, 'control'), { recursive: true });
    cpSync(backup, join(first.data, 'control'), { recursive: true });
    const third = await useControl(first.data);
    // As many commits as were lost, and more: by numbers alone nothing would be missing.
    for (const name of ['new-1', 'new-2', 'new-3', 'new-4']) await third.call('PUT', `/v1/functions/${name}`);
    const again = await useGateway(third.socket, { has: { epoch, revision } });
    await expect.poll(() => again.tables.length).toBe(1);
    expect([...again.functions.keys()].toSorted()).toEqual(['kept', 'new-1', 'new-2', 'new-3', 'new-4']);
    expect(again.epoch).not.toBe(epoch);
  });
});

describe('a write', () => {
  it('answers applied false at once when no gateway is there', async () => {
    const { call } = await useControl();
    const startedMs = performance.now();
    expect((await call('PUT', '/v1/functions/card')).body).toMatchObject({ applied: false });
    expect(performance.now() - startedMs).toBeLessThan(500);
  });

  it('waits for a gateway that the supervisor runs and that is about to connect', async () => {
    const { call, plane, socket } = await useControl();
    plane.onMessage?.({ type: 'node-state', processes: [processState('gateway', 'gateway', 'starting')], isolation: null });
    const put = call('PUT', '/v1/functions/card');
    await useGateway(socket);
    expect((await put).body).toMatchObject({ applied: true });
  });

  it('waits for every gateway, and answers once the last one has applied it', async () => {
    const { call, socket } = await useControl();
    await useGateway(socket, { name: 'quick' });
    const slow = await useGateway(socket, { name: 'slow', delayMs: 150 });
    await new Promise((resolve) => setTimeout(resolve, 200));
    const startedMs = performance.now();
    const put = await call('PUT', '/v1/functions/card');
    expect(put.body).toMatchObject({ applied: true, revision: slow.revision });
    expect(performance.now() - startedMs).toBeGreaterThan(140);
  });

  it('waits a second for one that never answers, but only once; and waits again after it has caught up', async () => {
    const { call, socket } = await useControl();
    const gateway = await useGateway(socket);
    gateway.delayMs = 'never';
    const timed = async (name: string): Promise<{ ms: number; applied: unknown }> => {
      const startedMs = performance.now();
      const reply = await call('PUT', `/v1/functions/${name}`);
      return { ms: performance.now() - startedMs, applied: reply.body['applied'] };
    };
    const first = await timed('one');
    expect(first.applied).toBe(false);
    expect(first.ms).toBeGreaterThan(950);
    const second = await timed('two');
    expect(second.applied).toBe(false);
    expect(second.ms).toBeLessThan(500);
    gateway.delayMs = 0;
    gateway.acknowledge();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await timed('three')).applied).toBe(true);
  });

  it('does not wait for a gateway that goes away meanwhile', async () => {
    const { call, socket } = await useControl();
    await useGateway(socket, { name: 'good' });
    const bad = await useGateway(socket, { name: 'bad' });
    bad.delayMs = 'never';
    const put = call('PUT', '/v1/functions/card');
    setTimeout(() => bad.close(), 50);
    expect((await put).body).toMatchObject({ applied: true });
  });

  it('is not fooled by an acknowledgement of a revision that does not exist yet', async () => {
    const { call, socket } = await useControl();
    const gateway = await useGateway(socket);
    gateway.delayMs = 'never';
    gateway.send([FRAME.applied, 0, 1_000_000]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect((await call('PUT', '/v1/functions/card')).body).toMatchObject({ applied: false });
  });
});

describe('the socket', () => {
  it('closes the connection of a peer that sends what it may not', async () => {
    const { call, socket } = await useControl();
    const host = await usePeer(socket, 'host', 'host-1');
    host.send([FRAME.subscribe, 0, 0, 0]);
    await expect.poll(host.closes).toBe(1);
    const gateway = await usePeer(socket, 'gateway', 'gateway');
    gateway.send([FRAME.delta, 0, {}]);
    await expect.poll(gateway.closes).toBe(1);
    expect((await call('GET', '/healthz')).status).toBe(200);
  });
});
