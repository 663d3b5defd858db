// Tenants: quotas that are stored, pushed to gateways and the sidecar, and kept by the control plane itself.
import { expect, it, onTestFinished } from 'vitest';
import { newEpoch } from '../../../core/ids/index.ts';
import { FRAME, ReconnectingPeer } from '../../../core/protocol/index.ts';
import { useControl } from '../../support/control-plane.ts';
import { useGateway } from '../../support/control-peers.ts';
import { until } from '../../support/supervisor-process.ts';

const quotas = { functions: 0, memoryMb: 0, rps: 0, subrequestsPerSec: 0 };

it('a tenant without quotas has none, and one without functions and quotas does not exist', async () => {
  const { call } = await useControl();
  expect((await call('GET', '/v1/tenants/shop')).status).toBe(404);
  await call('PUT', '/v1/functions/card', { tenant: 'shop' });
  expect((await call('GET', '/v1/tenants/shop')).body).toEqual({ name: 'shop', quotas, usage: { functions: 1, isolates: 0, memoryBytes: 0, requests: 0, codes: {} }, changedAt: null });
  expect((await call('GET', '/v1/tenants')).body.items?.map(({ name }) => name)).toEqual(['shop']);
});

it('quotas are replaced whole, validated by field, and pushed with every function of the tenant in one revision', async () => {
  const { call, socket, restart } = await useControl();
  const gateway = await useGateway(socket);
  await call('PUT', '/v1/functions/a', { tenant: 'shop' });
  await call('PUT', '/v1/functions/b', { tenant: 'shop' });
  await call('PUT', '/v1/functions/c', { tenant: 'other' });
  const put = await call('PUT', '/v1/tenants/shop', { quotas: { rps: 5, memoryMb: 100 } });
  expect(put.body).toMatchObject({ quotas: { ...quotas, rps: 5, memoryMb: 100 }, applied: true, usage: { functions: 2 } });
  const pushed = (name: string): unknown => gateway.functions.get(name)?.quotas;
  expect([pushed('a'), pushed('b'), pushed('c')]).toEqual([{ rps: 5, memoryMb: 100 }, { rps: 5, memoryMb: 100 }, undefined]);
  // A function that comes or moves later has them as well.
  await call('PUT', '/v1/functions/c', { tenant: 'shop' });
  expect(pushed('c')).toEqual({ rps: 5, memoryMb: 100 });
  const bad = await call('PUT', '/v1/tenants/shop', { quotas: { rps: -1, cpu: 3 } });
  expect([bad.status, bad.body.errors?.map(({ path }) => path).toSorted()]).toEqual([422, ['quotas.cpu', 'quotas.rps']]);
  expect((await call('PUT', '/v1/tenants/No', { quotas: {} })).status).toBe(422);
  const again = await restart();
  expect((await again.call('GET', '/v1/tenants/shop')).body).toMatchObject({ quotas: { rps: 5, memoryMb: 100 } });
  await again.call('PUT', '/v1/tenants/shop', { quotas: {} });
  const late = await useGateway(socket);
  await until(() => late.functions.size === 3);
  expect(late.functions.get('a')?.quotas).toBeUndefined();
  const audit = await again.call('GET', '/v1/audit');
  expect(audit.body.items?.filter(({ action }) => action === 'tenant.quotas')).toHaveLength(2);
});

it('a gateway that was away during the change gets it, also from a control plane that has restarted since', async () => {
  const { call, socket, restart } = await useControl();
  await call('PUT', '/v1/functions/a', { tenant: 'shop' });
  const { body } = await call('PUT', '/v1/tenants/shop', { quotas: { rps: 7 } });
  expect(body['applied']).toBe(false);
  await restart();
  const gateway = await useGateway(socket);
  await until(() => gateway.functions.get('a')?.quotas?.rps === 7);
});

it('a tenant has no more functions than it may, by creation or by a move, and keeps those it has', async () => {
  const { call } = await useControl();
  await call('PUT', '/v1/functions/a', { tenant: 'shop' });
  await call('PUT', '/v1/functions/b', { tenant: 'shop' });
  await call('PUT', '/v1/functions/x', { tenant: 'other' });
  await call('PUT', '/v1/tenants/shop', { quotas: { functions: 1 } });
  const refused = await call('PUT', '/v1/functions/c', { tenant: 'shop' });
  expect([refused.status, refused.body.code]).toEqual([409, 'function_quota_exceeded']);
  expect((await call('PUT', '/v1/functions/x', { tenant: 'shop' })).body.code).toBe('function_quota_exceeded');
  expect((await call('PUT', '/v1/functions/a', { debug: true })).status).toBe(200);
  await call('DELETE', '/v1/functions/a');
  expect((await call('PUT', '/v1/functions/c', { tenant: 'shop' })).body.code).toBe('function_quota_exceeded');
  await call('DELETE', '/v1/functions/b');
  expect((await call('PUT', '/v1/functions/c', { tenant: 'shop' })).status).toBe(201);
});

it('the sidecar hears of outgoing calls when it connects and at each change', async () => {
  const { call, socket } = await useControl();
  await call('PUT', '/v1/tenants/shop', { quotas: { subrequestsPerSec: 3 } });
  const heard: unknown[] = [];
  const peer = new ReconnectingPeer(socket, { self: { role: 'sidecar', name: 'sidecar', epoch: newEpoch() }, accepts: ['control'] }, {
    onOpen: () => {},
    onFrame: (frame) => {
      if (frame[0] === FRAME.quotas) heard.push(frame[2]);
    },
    onClose: () => {},
  });
  onTestFinished(() => peer.close());
  await until(() => heard.length === 1);
  await call('PUT', '/v1/tenants/lab', { quotas: { subrequestsPerSec: 9 } });
  await call('PUT', '/v1/tenants/shop', { quotas: {} });
  await until(() => heard.length === 3);
  expect(heard).toEqual([[['shop', 3]], [['shop', 3], ['lab', 9]], [['lab', 9]]]);
});
