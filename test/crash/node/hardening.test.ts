// A whole node: what confines its hosts as the kernel sees it, what each tier's hosts know, and memory that V8 does not count.
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Isolation } from '../../../core/config/index.ts';
import { deriveTierKey } from '../../../core/crypto/index.ts';
import { tryTools } from '../../../supervisor/sandbox/tools.ts';
import { bootNode, spawnNode, startLoad, useNode } from '../../support/node.ts';
import type { TestNode } from '../../support/node.ts';
import { until } from '../../support/supervisor-process.ts';

const MIB = 1_048_576;
/** For tests that start nodes: a loaded machine starts slowly. */
const STARTS_MS = 120_000;
const HELLO = "export default { fetch() { return new Response('hello'); } };";
const tools = await tryTools();
const isRoot = process.getuid?.() === 0;

const isolationOf = async (node: TestNode): Promise<Isolation> => (await node.api('GET', '/healthz')).body['isolation'] as Isolation;
const proc = (pid: number, name: string): string => readFileSync(`/proc/${pid}/${name}`, 'latin1');
const logged = (node: TestNode, text: string): Readonly<Record<string, unknown>>[] =>
  node.output.split('\n').filter((line) => line.startsWith('{') && line.includes(text)).map((line) => JSON.parse(line) as Record<string, unknown>);

describe('a node with two tiers', () => {
  let node: TestNode;
  beforeAll(async () => {
    node = await bootNode({ env: { THIMBLE_TIERS: 'partner:1' } });
    await node.deploy('hello', HELLO);
    // Of each tier one process waits for the next death.
    await until(() => node.processes().filter(({ name }) => name === 'standby').length === 2, 60_000);
  }, STARTS_MS);
  afterAll(async () => void (await node.stop()));

  const hosts = (): number[] => node.processes().filter(({ name }) => /host-|standby/.test(name)).map(({ pid }) => pid);

  it('says at start and in /healthz what confines its hosts', async () => {
    const isolation = await isolationOf(node);
    const [line, ...more] = logged(node, '"permissionModel"');
    expect(more).toEqual([]);
    expect(line).toMatchObject({ ...isolation });
    expect(isolation).toMatchObject({ mode: 'auto', permissionModel: true, network: typeof tools.network === 'string' ? 'shared' : 'none' });
    expect(isolation.missing.every(({ measure, why }) => measure !== '' && why !== '')).toBe(true);
  });

  it('and every host, standby or not, is what that says', async () => {
    const isolation = await isolationOf(node);
    expect(hosts()).toHaveLength(4);
    for (const pid of hosts()) {
      const status = proc(pid, 'status');
      expect(/^NoNewPrivs:\s+(\d)$/m.exec(status)?.[1]).toBe(isolation.noNewPrivileges ? '1' : '0');
      expect(['CapPrm', 'CapBnd'].every((set) => new RegExp(`^${set}:\\s+0+$`, 'm').test(status))).toBe(isolation.noCapabilities);
      expect(Number(/^Uid:\s+(\d+)/m.exec(status)?.[1])).toBe(isolation.uid);
      expect(/^Max data size\s+(\d+|unlimited)/m.exec(proc(pid, 'limits'))?.[1]).toBe(String(isolation.dataLimitBytes ?? 'unlimited'));
      expect(readlinkSync(`/proc/${pid}/ns/net`) === readlinkSync('/proc/self/ns/net')).toBe(isolation.network === 'shared');
    }
  });

  it('so is a program that makes a snapshot, but for its memory', async () => {
    const isolation = await isolationOf(node);
    await node.deploy('slow', `let sum = 0; for (let i = 0; i < 2e7; i++) sum += i; ${HELLO}`);
    // Each tool before it has its command line too: what counts is what it is in the end.
    const program = (): { readonly status: string; readonly network: string } | undefined => {
      for (const pid of readdirSync('/proc').map(Number)) {
        try {
          if (!(pid > 0) || !proc(pid, 'cmdline').includes('isolates/snapshots/') || basename(readlinkSync(`/proc/${pid}/exe`)) !== 'node') continue;
          const found = { status: proc(pid, 'status'), network: readlinkSync(`/proc/${pid}/ns/net`) };
          if (found.status.includes(`PPid:\t${node.pidOf('control')}\n`)) return found;
        } catch {
          // It has ended.
        }
      }
      return undefined;
    };
    let seen: ReturnType<typeof program>;
    await expect.poll(() => (seen ??= program()), { timeout: 30_000, interval: 10 }).toBeDefined();
    const { status = '', network } = seen ?? {};
    expect(/^NoNewPrivs:\s+(\d)$/m.exec(status)?.[1]).toBe(isolation.noNewPrivileges ? '1' : '0');
    expect(['CapPrm', 'CapBnd'].every((set) => new RegExp(`^${set}:\\s+0+$`, 'm').test(status))).toBe(isolation.noCapabilities);
    expect(Number(/^Uid:\s+(\d+)/m.exec(status)?.[1])).toBe(isolation.uid);
    expect(network === readlinkSync('/proc/self/ns/net')).toBe(isolation.network === 'shared');
  }, 60_000);

  it('the processes know no secret but by their first message', () => {
    const key = readFileSync(join(node.dataFolder, 'secret.key'), 'utf8').trim();
    const secrets = [key, node.token, ...['default', 'partner'].map((tier) => deriveTierKey(key, tier).toString('base64'))];
    for (const { name, pid } of node.processes()) {
      if (name === 'supervisor') continue;
      const seen = proc(pid, 'environ') + proc(pid, 'cmdline');
      for (const secret of secrets) expect(seen).not.toContain(secret);
    }
  });

  it('a host\'s environment holds what its functions may see, and Node\'s channel', () => {
    const names = hosts().flatMap((pid) => proc(pid, 'environ').split('\0').filter((entry) => entry !== '').map((entry) => entry.slice(0, entry.indexOf('='))));
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !/^(?:TZ|LANG|LC_ALL|THIMBLE_OUTSIDE_TEST|NODE_CHANNEL_FD|NODE_CHANNEL_SERIALIZATION_MODE)$/.test(name))).toEqual([]);
  });

  it('a tier\'s host comes back from that tier\'s standby', async () => {
    const before = hosts();
    const died = node.kill('partner.host-1');
    await until(() => node.processes().some(({ name, pid }) => name === 'partner.host-1' && pid !== died));
    // It was there already: nothing was started for it.
    expect(before).toContain(node.pidOf('partner.host-1'));
    expect((await node.call('hello')).text).toBe('hello');
  });
});

describe('a node whose hosts may take 512 MiB', () => {
  let node: TestNode;
  beforeAll(async () => {
    node = await bootNode({ hosts: 2, env: { THIMBLE_HOST_MEMORY_MB: '512' } });
    await node.deploy('hello', HELLO);
    await node.deploy('flood', `globalThis.kept = [];
      export default { fetch() { for (let i = 0; i < 20000; i += 1) kept.push(new Intl.DateTimeFormat(['de', 'fr', 'en'][i % 3], { dateStyle: 'full', timeStyle: 'long' })); return new Response('all kept'); } };`,
    { limits: { cpuMs: 60_000, wallMs: 60_000, memoryMb: 1_024 } });
  }, STARTS_MS);
  afterAll(async () => void (await node.stop()));

  it('the process of a flood of ICU objects is killed by name of its size, the neighbours are served, and it is back', async () => {
    const load = startLoad(node, 'hello', { connections: 2 });
    const answer = await node.call('flood', '/', { timeoutMs: 60_000 });
    await until(() => node.processes().filter(({ name }) => /^host-\d$/.test(name)).length === 2, 20_000);
    const answers = await load.stop();
    // Memory that no isolate is charged for: what it costs is the host, and never more than that.
    expect([answer.status, answer.code]).toEqual([502, 'host_lost']);
    const killed = logged(node, 'too much memory');
    expect(killed.map(({ limit }) => limit)).toEqual([512 * MIB]);
    expect(Number(killed[0]?.['residentBytes'])).toBeGreaterThan(512 * MIB);
    expect(answers.filter(({ status, code }) => status !== 200 && code !== 'host_lost')).toEqual([]);
    // Those on the flood's host wait for its thread, which has a budget of a minute; from the kill on, nobody does.
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(answer.ms + 2_000);
    expect((await node.call('hello')).text).toBe('hello');
  }, STARTS_MS);
});

describe('THIMBLE_SANDBOX', () => {
  it('require starts where everything can be had, and names what is missing elsewhere', async () => {
    // No util-linux on this PATH; Node itself is started by its own.
    const folder = mkdtempSync(join(tmpdir(), 'thimble-path-'));
    symlinkSync(process.execPath, join(folder, 'node'));
    const refused = await spawnNode({ env: { THIMBLE_SANDBOX: 'require', PATH: folder } });
    expect(await refused.exited).toEqual({ code: 1, signal: null });
    expect(refused.output).toContain('settings_invalid');
    for (const measure of ['noNewPrivileges', 'network', 'dataLimit']) expect(refused.output).toContain(`THIMBLE_SANDBOX: requires ${measure}`);
    expect(refused.processes()).toEqual([]);
    await refused.stop();
    const without = await useNode({ env: { PATH: folder } });
    rmSync(folder, { recursive: true });
    expect(await isolationOf(without)).toMatchObject({ permissionModel: true, noNewPrivileges: false, network: 'shared', dataLimitBytes: null });
    await without.deploy('hello', HELLO);
    expect((await without.call('hello')).text).toBe('hello');
  }, STARTS_MS);

  it('off is said too, and goes with no user of its own', async () => {
    const node = await useNode({ env: { THIMBLE_SANDBOX: 'off' } });
    expect(await isolationOf(node)).toMatchObject({ mode: 'off', permissionModel: false, noNewPrivileges: false, network: 'shared' });
    expect(logged(node, 'hosts are not confined')).toHaveLength(1);
    await node.deploy('hello', HELLO);
    expect((await node.call('hello')).text).toBe('hello');
    const refused = await spawnNode({ env: { THIMBLE_SANDBOX: 'off', THIMBLE_HOST_UID: '64100' } });
    expect(await refused.exited).toEqual({ code: 1, signal: null });
    expect(refused.output).toContain('THIMBLE_HOST_UID');
    await refused.stop();
  }, STARTS_MS);
});

describe.runIf(isRoot && typeof tools.privileges !== 'string')('THIMBLE_HOST_UID', () => {
  it('hosts of each tier have a user of their own, serve, come back, and fail with mapped stacks', async () => {
    const data = join(mkdtempSync(join(tmpdir(), 'thimble-uid-')), 'data');
    chmodSync(join(data, '..'), 0o755);
    mkdirSync(data, { mode: 0o700 });
    try {
      const node = await useNode({ env: { THIMBLE_DATA: data, THIMBLE_HOST_UID: '64100', THIMBLE_TIERS: 'partner:1', THIMBLE_SANDBOX: typeof tools.network === 'string' ? 'auto' : 'require' } });
      expect(await isolationOf(node)).toMatchObject({ uid: 64_100, ownUid: true });
      expect([proc(node.pidOf('host-1'), 'status'), proc(node.pidOf('partner.host-1'), 'status')].map((status) => /^Uid:\s+(\d+)/m.exec(status)?.[1])).toEqual(['64100', '64101']);
      await node.deploy('hello', HELLO);
      await node.deploy('throws', { 'index.ts': 'export default {\n  fetch(): Response {\n    throw new Error("on line three");\n  },\n};' }, { debug: true });
      // Copied to the other tier's folder, where the group is that tier's.
      await node.deploy('theirs', HELLO);
      expect((await node.api('PUT', '/v1/functions/theirs', { tier: 'partner' })).status).toBe(200);
      const modes = readdirSync(join(data, 'versions/partner'), { recursive: true, encoding: 'utf8' }).map((path) => statSync(join(data, 'versions/partner', path)));
      expect(modes.length).toBeGreaterThan(3);
      expect(modes.filter(({ gid, mode }) => gid !== 64_101 || (mode & 0o040) === 0 || (mode & 0o007) !== 0)).toEqual([]);
      expect((await node.call('theirs')).text).toBe('hello');
      expect((await node.call('hello')).text).toBe('hello');
      expect((await node.call('throws')).text).toContain('index.ts:3');
      // Under that user too its snapshot was tried: it is only not worth one.
      const snapshot = async (): Promise<unknown> => (await node.api('GET', '/v1/functions/hello/versions/1')).body['snapshot'];
      await expect.poll(snapshot, { timeout: 30_000, interval: 100 }).not.toMatchObject({ state: 'pending' });
      expect(await snapshot()).toMatchObject({ state: 'none', reason: 'not_earned' });
      node.kill('host-1');
      await until(() => node.processes().some(({ name }) => name === 'host-1'));
      expect((await node.call('hello')).text).toBe('hello');
    } finally {
      rmSync(join(data, '..'), { recursive: true, force: true, maxRetries: 5 });
    }
  }, STARTS_MS);
});
