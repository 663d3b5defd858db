// What the supervisor keeps on disk: lock, keys, sockets, ports of the examples; and what it hands to children.
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { childEnvironment, hostEnvironment } from '../../../supervisor/child-environment.ts';
import { lockData } from '../../../supervisor/data-lock.ts';
import { openExampleState, saveExampleState } from '../../../supervisor/example-state.ts';
import { ProcessRecord, endLeftovers } from '../../../supervisor/leftovers.ts';
import { ensureSecret } from '../../../supervisor/node-keys.ts';
import { freePort, probePort } from '../../../supervisor/port-probe.ts';
import { residentBytes, startTicks } from '../../../supervisor/proc.ts';
import { socketPaths } from '../../../supervisor/socket-paths.ts';
import { until, useTempFolder } from '../../support/supervisor-process.ts';

async function usePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('no port');
  return address.port;
}

describe('data lock', () => {
  it('is held by one, names its owner, and can be taken after a release', async () => {
    const folder = useTempFolder();
    const lock = await lockData(folder);
    expect(lock.abandoned).toBe(false);
    await expect(lockData(folder)).rejects.toMatchObject({ code: 'data_locked', params: { folder, pid: process.pid } });
    lock.release();
    const again = await lockData(folder);
    expect(again.abandoned).toBe(false);
    again.release();
  });

  it('is free after a kill, and says that it was abandoned', async () => {
    const folder = useTempFolder();
    const code = `import { lockData } from ${JSON.stringify(join(import.meta.dirname, '../../../supervisor/data-lock.ts'))};
      await lockData(${JSON.stringify(folder)}); process.stdout.write('held'); setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'ignore'] });
    onTestFinished(() => void owner.kill('SIGKILL'));
    await new Promise((resolve) => owner.stdout.once('data', resolve));
    await expect(lockData(folder)).rejects.toMatchObject({ code: 'data_locked', params: { pid: owner.pid } });
    owner.kill('SIGKILL');
    await new Promise((resolve) => owner.once('exit', resolve));
    const lock = await lockData(folder);
    expect(lock.abandoned).toBe(true);
    lock.release();
  });

  it('goes to exactly one of many starts at once, also over what a dead owner left', async () => {
    const folder = useTempFolder();
    writeFileSync(join(folder, 'lock.pid'), JSON.stringify({ pid: 999_999, startTicks: '1' }));
    const results = await Promise.allSettled(Array.from({ length: 8 }, async () => lockData(folder)));
    const held = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(held).toHaveLength(1);
    const refused = results.flatMap((result) => (result.status === 'rejected' ? [(result.reason as { code?: string }).code] : []));
    expect(refused).toEqual(Array(7).fill('data_locked'));
    held[0]?.release();
  });
});

describe('leftovers', () => {
  const spawnSleeper = (ignoresTerm: boolean): number => {
    const child = spawn(process.execPath, ['-e', `setTimeout(() => {}, ${ignoresTerm ? 60_000 : 150})`], { stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    if (child.pid === undefined) throw new Error('not spawned');
    return child.pid;
  };

  it('are waited for, and killed when they stay; a pid that was used again is left alone', async () => {
    const file = join(useTempFolder(), 'processes.json');
    const record = new ProcessRecord(file);
    const brief = spawnSleeper(false);
    const stuck = spawnSleeper(true);
    const stranger = spawnSleeper(true);
    record.set('brief', brief);
    record.set('stuck', stuck);
    const rows = JSON.parse(readFileSync(file, 'utf8')) as unknown[];
    writeFileSync(file, JSON.stringify([...rows, { name: 'stranger', pid: stranger, startTicks: '1' }]));
    expect(await endLeftovers(file, 1_000)).toEqual(['stuck']);
    await until(() => startTicks(brief) === undefined && startTicks(stuck) === undefined);
    expect(startTicks(stranger)).toBeDefined();
  });

  it('are none without a record, or with a damaged one', async () => {
    const file = join(useTempFolder(), 'processes.json');
    expect(await endLeftovers(file)).toEqual([]);
    writeFileSync(file, '{"half');
    expect(await endLeftovers(file)).toEqual([]);
  });
});

describe('port probe', () => {
  it('names a taken port and its setting', async () => {
    const port = await usePort();
    await expect(probePort('127.0.0.1', port, 'THIMBLE_PORT')).rejects.toMatchObject({ code: 'port_taken', params: { port, setting: 'THIMBLE_PORT' } });
  });

  it('leaves a free port free', async () => {
    const port = await freePort();
    await probePort('127.0.0.1', port, 'THIMBLE_PORT');
    await expect(probePort('127.0.0.1', port, 'THIMBLE_PORT')).resolves.toBeUndefined();
  });

  it('refuses a host that is no address of this machine as a setting', async () => {
    await expect(probePort('192.0.2.1', 1_234, 'THIMBLE_PORT')).rejects.toMatchObject({ code: 'settings_invalid', params: { errors: [{ path: 'THIMBLE_HOST' }] } });
  });
});

describe('node keys', () => {
  it('are generated once, for the owner only', () => {
    const file = join(useTempFolder(), 'admin.token');
    const first = ensureSecret('THIMBLE_TOKEN', undefined, file);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(ensureSecret('THIMBLE_TOKEN', undefined, file)).toBe(first);
  });

  it('are not written when the settings give them', () => {
    const file = join(useTempFolder(), 'admin.token');
    expect(ensureSecret('THIMBLE_TOKEN', 'given', file)).toBe('given');
    expect(existsSync(file)).toBe(false);
  });

  it('close a file that others can read, and refuse an empty one', () => {
    const file = join(useTempFolder(), 'secret.key');
    writeFileSync(file, 'restored\n');
    chmodSync(file, 0o644);
    expect(ensureSecret('THIMBLE_SECRET_KEY', undefined, file)).toBe('restored');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    writeFileSync(file, '');
    expect(() => ensureSecret('THIMBLE_SECRET_KEY', undefined, file)).toThrow(expect.objectContaining({ code: 'settings_invalid' }));
  });
});

describe('socket paths', () => {
  it('lie in the run folder when they fit', () => {
    const folder = join(useTempFolder(), 'run');
    const { sockets } = socketPaths(folder);
    expect(sockets).toEqual({ gateway: join(folder, 'gateway.sock'), control: join(folder, 'control.sock'), sidecar: join(folder, 'sidecar.sock') });
  });

  it('move to a short private folder when they do not, which the next start removes', () => {
    const folder = join(useTempFolder(), 'a-long-folder-name'.repeat(6), 'run');
    const first = socketPaths(folder);
    const short = join(first.sockets.gateway, '..');
    expect(Buffer.byteLength(first.sockets.control)).toBeLessThanOrEqual(100);
    expect(statSync(short).mode & 0o777).toBe(0o700);
    const second = socketPaths(folder);
    expect(existsSync(short)).toBe(false);
    second.dispose();
    expect(existsSync(join(second.sockets.gateway, '..'))).toBe(false);
  });
});

describe('example state', () => {
  it('keeps its ports, and what is deployed, over starts', async () => {
    const file = join(useTempFolder(), 'examples.json');
    const first = await openExampleState(file);
    expect(first.deployedWith).toBeNull();
    saveExampleState(file, { ports: first.ports, deployedWith: first.ports });
    expect(await openExampleState(file)).toEqual({ ports: first.ports, deployedWith: first.ports });
  });

  it('chooses new ports when one is taken, and still knows the old ones', async () => {
    const file = join(useTempFolder(), 'examples.json');
    const old = { products: await usePort(), users: await freePort() };
    saveExampleState(file, { ports: old, deployedWith: old });
    const next = await openExampleState(file);
    expect(next.deployedWith).toEqual(old);
    expect(next.ports.products).not.toBe(old.products);
    expect(next.ports.products).not.toBe(next.ports.users);
  });

  it('starts anew from a damaged file', async () => {
    const file = join(useTempFolder(), 'examples.json');
    writeFileSync(file, '{');
    expect((await openExampleState(file)).deployedWith).toBeNull();
  });
});

describe('child environment', () => {
  it('holds no secret and nothing unknown but the marks of outside tests', () => {
    expect(childEnvironment({ PATH: '/bin', TZ: 'UTC', THIMBLE_TOKEN: 'secret', THIMBLE_SECRET_KEY: 'secret', AWS_SECRET: 'x', NODE_OPTIONS: '--inspect', THIMBLE_OUTSIDE_MARK: '1', LANG: undefined })).toEqual({
      PATH: '/bin', TZ: 'UTC', THIMBLE_OUTSIDE_MARK: '1',
    });
    expect(hostEnvironment({ PATH: '/bin', TZ: 'UTC', SSL_CERT_FILE: '/ca.pem', THIMBLE_TOKEN: 'secret', THIMBLE_OUTSIDE_MARK: '1' })).toEqual({ TZ: 'UTC', THIMBLE_OUTSIDE_MARK: '1' });
  });
});

describe('/proc', () => {
  it('tells start and memory of a process, and of none', () => {
    expect(startTicks(process.pid)).toMatch(/^\d+$/);
    expect(residentBytes(process.pid)).toBeGreaterThan(10 * 1_048_576);
    expect(startTicks(4_194_305)).toBeUndefined();
    expect(residentBytes(4_194_305)).toBe(0);
  });
});
