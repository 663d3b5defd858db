// What confines hosts: found out by trying, applied by the launcher, attacked from inside of a process that it starts.
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Isolation } from '../../../core/config/index.ts';
import { PlatformError } from '../../../core/errors/index.ts';
import { detectSandbox } from '../../../supervisor/sandbox/detect.ts';
import type { DetectOptions } from '../../../supervisor/sandbox/detect.ts';
import { hostUsers, shareFolders } from '../../../supervisor/sandbox/host-users.ts';
import { permissionFlags } from '../../../supervisor/sandbox/permission-flags.ts';
import { Sandbox } from '../../../supervisor/sandbox/sandbox.ts';
import { tryTools } from '../../../supervisor/sandbox/tools.ts';
import type { Tools } from '../../../supervisor/sandbox/tools.ts';

const MIB = 1_048_576;
const ROOT = join(import.meta.dirname, '../../..');
const ATTACKS = join(ROOT, 'test/support/sandbox-attacks.ts');
const isRoot = process.getuid?.() === 0;
const tools = await tryTools();
const prefix = (tool: keyof Tools): readonly string[] | undefined => (typeof tools[tool] === 'string' ? undefined : tools[tool]);

function useFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'thimble-sandbox-'));
  chmodSync(folder, 0o755);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function options(more: Partial<DetectOptions> = {}): DetectOptions {
  const folder = useFolder();
  return {
    mode: 'auto', users: undefined, tiers: ['default'], probe: join(ROOT, 'supervisor/sandbox/probe.ts'), reached: [`${folder}/`],
    readable: () => ({ entry: join(ROOT, 'isolates/main.ts'), platformFolder: folder, versionsFolder: folder }),
    memory: { residentBytes: 700 * MIB, dataBytes: 900 * MIB }, environment: {}, ...more,
  };
}

const missing = ({ missing: all }: Isolation): string[] => all.map(({ measure }) => measure);

async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'not refused';
  } catch (thrown) {
    return thrown instanceof PlatformError ? thrown.message : String(thrown);
  }
}

describe('detection', () => {
  test('reports what a process under it really showed', async () => {
    const { isolation } = await detectSandbox(options(), Promise.resolve(tools));
    expect(isolation).toMatchObject({
      mode: 'auto', permissionModel: true, ownUid: false, uid: process.getuid?.(), residentLimitBytes: 700 * MIB,
      noNewPrivileges: prefix('privileges') !== undefined, network: prefix('network') === undefined ? 'shared' : 'none', dataLimitBytes: prefix('limits') === undefined ? null : 900 * MIB,
    });
    // Root without capabilities still owns what the kernel trusts.
    expect(missing(isolation).includes('uid')).toBe(isRoot);
  });

  test('without the tools it says which measures are missing, and why', async () => {
    const { isolation, sandbox } = await detectSandbox(options(), tryTools('/nowhere'));
    expect(isolation).toMatchObject({ permissionModel: true, noNewPrivileges: false, noCapabilities: false, network: 'shared', dataLimitBytes: null });
    expect(isolation.missing).toEqual(expect.arrayContaining([
      { measure: 'noNewPrivileges', why: 'setpriv is not installed' }, { measure: 'network', why: 'unshare is not installed' }, { measure: 'dataLimit', why: 'prlimit is not installed' },
    ]));
    expect(sandbox.confine('default', 1, null).prefix).toEqual([]);
  });

  test('a limit that cannot be set costs only the limits', async () => {
    const folder = useFolder();
    const tool = join(folder, 'prlimit');
    writeFileSync(tool, '#!/bin/sh\necho "prlimit: failed to set the DATA resource limit" >&2\nexit 1\n', { mode: 0o755 });
    const { isolation } = await detectSandbox(options(), Promise.resolve({ ...tools, limits: [tool] }));
    expect(isolation).toMatchObject({ permissionModel: true, noNewPrivileges: prefix('privileges') !== undefined, dataLimitBytes: null });
    expect(isolation.missing.find(({ measure }) => measure === 'dataLimit')?.why).toContain('failed to set the DATA');
  });

  test('a tool that fails here is named with what it said', async () => {
    const folder = useFolder();
    for (const name of ['unshare', 'setpriv', 'prlimit']) writeFileSync(join(folder, name), `#!/bin/sh\necho "${name}: not here" >&2\nexit 1\n`, { mode: 0o755 });
    expect(await tryTools(folder)).toEqual({ network: 'unshare: not here', privileges: 'setpriv: not here', limits: 'prlimit: not here' });
  });

  test('tools that work alone but not together cost only the network measure', async () => {
    const folder = useFolder();
    const tool = join(folder, 'unshare');
    // Refuses to run anything but the trial.
    writeFileSync(tool, '#!/bin/sh\nshift\ncase "$*" in "/bin/sh -c :") exec "$@";; esac\necho "only alone" >&2\nexit 1\n', { mode: 0o755 });
    const { isolation } = await detectSandbox(options(), Promise.resolve({ ...tools, network: [tool, '--'] }));
    expect(isolation).toMatchObject({ permissionModel: true, network: 'shared' });
    expect(isolation.missing.find(({ measure }) => measure === 'network')?.why).toContain('only alone');
  });

  test.runIf(isRoot && prefix('privileges') !== undefined)('root that must pass another user\'s closed folder keeps its capabilities, and says why', async () => {
    const closed = join(useFolder(), 'closed');
    mkdirSync(closed, { mode: 0o700 });
    chownSync(closed, 64_100, 64_100);
    const { isolation } = await detectSandbox(options({ reached: [`${closed}/`] }), Promise.resolve(tools));
    expect(isolation).toMatchObject({ permissionModel: true, noCapabilities: false, network: prefix('network') === undefined ? 'shared' : 'none' });
    expect(isolation.missing.find(({ measure }) => measure === 'noCapabilities')?.why).toBe(`hosts do not reach ${closed}/`);
  });

  test('without a platform snapshot there is no permission model: hosts need esbuild', async () => {
    const { isolation } = await detectSandbox(options({ readable: () => null }), Promise.resolve(tools));
    expect(isolation.permissionModel).toBe(false);
    expect(isolation.missing.find(({ measure }) => measure === 'permissionModel')?.why).toContain('esbuild');
  });

  test('off keeps the limits and nothing else', async () => {
    const { isolation } = await detectSandbox(options({ mode: 'off' }), Promise.resolve(tools));
    expect(isolation).toMatchObject({ mode: 'off', permissionModel: false, noNewPrivileges: false, network: 'shared', dataLimitBytes: prefix('limits') === undefined ? null : 900 * MIB });
    expect(isolation.missing.every(({ measure, why }) => measure === 'dataLimit' || why.includes('off'))).toBe(true);
  });

  test('require refuses a start and names every missing measure', async () => {
    const said = await refusal(detectSandbox(options({ mode: 'require' }), tryTools('/nowhere')));
    for (const measure of ['noNewPrivileges', 'noCapabilities', 'network', 'dataLimit']) expect(said).toContain(`THIMBLE_SANDBOX: requires ${measure}`);
    expect(said).not.toContain('permissionModel');
  });
});

describe.runIf(isRoot && prefix('privileges') !== undefined)('users of their own (as root)', () => {
  test('a tier\'s process is its own user, and reads the versions of no other tier', async () => {
    const data = useFolder();
    const tiers = ['default', 'partner'];
    const users = hostUsers('64100', tiers, '');
    expect(users).toEqual({ tiers: { default: { uid: 64_100, gid: 64_100 }, partner: { uid: 64_101, gid: 64_101 } }, sharedGid: 64_102 });
    mkdirSync(join(data, 'versions/partner/sha256-x'), { recursive: true });
    mkdirSync(join(data, 'run'));
    writeFileSync(join(data, 'versions/partner/sha256-x/bundle.js'), 'theirs', { mode: 0o600 });
    writeFileSync(join(data, 'admin.token'), 'secret', { mode: 0o644 });
    shareFolders(users, data, join(data, 'run'));
    const { sandbox, isolation } = await detectSandbox(options({
      users, tiers, reached: [`${join(data, 'run')}/`],
      readable: (tier) => ({ entry: join(ROOT, 'isolates/main.ts'), platformFolder: join(data, 'platform'), versionsFolder: join(data, 'versions', tier) }),
    }), Promise.resolve(tools));
    expect(isolation).toMatchObject({ uid: 64_100, ownUid: true });
    expect(missing(isolation)).not.toContain('uid');
    // By the kernel, not by Node: without the permission model's flags.
    const cat = async (tier: string, file: string): Promise<string> => new Promise((resolve) => {
      const [command, ...args] = [...sandbox.confine(tier, 900 * MIB, null).prefix, '/bin/cat', join(data, file)];
      let text = '';
      spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] }).on('close', (code) => resolve(code === 0 ? text : 'refused')).stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
    });
    expect(await Promise.all([cat('partner', 'versions/partner/sha256-x/bundle.js'), cat('default', 'versions/partner/sha256-x/bundle.js'), cat('partner', 'admin.token'), cat('default', 'admin.token')])).toEqual(['theirs', 'refused', 'refused', 'refused']);
  });

  test('files that were there before, and those that come later, are the group\'s', () => {
    const data = useFolder();
    mkdirSync(join(data, 'run'));
    mkdirSync(join(data, 'versions/default/a'), { recursive: true, mode: 0o700 });
    writeFileSync(join(data, 'versions/default/a/bundle.js'), '', { mode: 0o600 });
    shareFolders(hostUsers('64100', ['default'], ''), data, join(data, 'run'));
    mkdirSync(join(data, 'versions/default/b'), { mode: 0o750 });
    writeFileSync(join(data, 'versions/default/b/bundle.js'), '', { mode: 0o640 });
    for (const path of ['a', 'b']) {
      const [folder, file] = [statSync(join(data, 'versions/default', path)), statSync(join(data, 'versions/default', path, 'bundle.js'))];
      expect([folder.gid, folder.mode & 0o777, file.gid, file.mode & 0o777]).toEqual([64_100, 0o750, 64_100, 0o640]);
    }
    expect(statSync(data).mode & 0o777).toBe(0o710);
  });

  test('a user that does not reach what hosts need is refused with the path', async () => {
    const closed = join(useFolder(), 'closed');
    mkdirSync(closed, { mode: 0o700 });
    const said = await refusal(detectSandbox(options({ users: hostUsers('64100', ['default'], ''), reached: [`${closed}/`] }), Promise.resolve(tools)));
    expect(said).toContain(`THIMBLE_HOST_UID: hosts do not reach ${closed}/`);
  });

  test('settings that cannot hold are refused', async () => {
    const passwd = 'root:x:0:0::/root:/bin/sh\nthimble:x:900:901::/:/bin/false\nmary:x:64101:64101::/:/bin/sh\n';
    expect(hostUsers('thimble', ['default'], passwd)).toEqual({ tiers: { default: { uid: 900, gid: 901 } }, sharedGid: 901 });
    const refused = async (setting: string, tiers: readonly string[]): Promise<string> => refusal(Promise.resolve().then(() => hostUsers(setting, tiers, passwd)));
    expect(await refused('nobody-at-all', ['default'])).toContain('no user nobody-at-all');
    expect(await refused('root', ['default'])).toContain('not be root');
    expect(await refused('0', ['default'])).toContain('must be 1 to');
    expect(await refused('thimble', ['default', 'partner'])).toContain('must be a number');
    expect(await refused('64100', ['default', 'partner'])).toContain('64101 is mary');
    expect(await refusal(detectSandbox(options({ users: hostUsers('64100', ['default'], passwd) }), tryTools('/nowhere')))).toContain('setpriv is not installed');
  });
});

test('every file of the system that a host reads by name is one that it may', () => {
  const sources = readdirSync(join(ROOT, 'isolates'), { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts') && !path.endsWith('.guest.ts') && path !== 'snapshots/program.ts');
  const named = new Set(sources.flatMap((path) => [...readFileSync(join(ROOT, 'isolates', path), 'utf8').matchAll(/['"`](\/(?:proc|sys|etc|dev|tmp|var)\/[^'"`]*)['"`]/g)].map(([, name]) => name)));
  expect(named).toContain('/proc/self/schedstat');
  const flags = permissionFlags({ entry: join(ROOT, 'isolates/main.ts'), platformFolder: '/platform', versionsFolder: '/versions' });
  expect([...named].filter((name) => !flags.includes(`--allow-fs-read=${name}`))).toEqual([]);
});

interface Attempts {
  readonly [attempt: string]: unknown;
}

interface Attacked {
  readonly attempts: Attempts;
  /** Of the process, as /proc tells. */
  readonly status: string;
  readonly limits: string;
  readonly sameNetwork: boolean;
  /** The tools became the program: no process in between takes signals or outlives it. */
  readonly becameIt: boolean;
}

/** Starts the attacks where a host would be. The caller's folder lives as long as its test. */
async function attack(sandbox: Sandbox, withPermissions: boolean): Promise<Attacked> {
  const folder = mkdtempSync(join(tmpdir(), 'thimble-sandbox-'));
  chmodSync(folder, 0o755);
  const path = join(folder, 'a.sock');
  const server = createServer((socket) => socket.end()).listen(path);
  await new Promise((resolve) => server.once('listening', resolve));
  chmodSync(path, 0o666);
  const confined = sandbox.confine('default', 600 * MIB, withPermissions ? { entry: join(ROOT, 'isolates/main.ts'), platformFolder: folder, versionsFolder: folder } : null);
  const flags = withPermissions ? [...confined.nodeFlags, `--allow-fs-read=${ATTACKS}`] : [];
  const [file, ...args] = [...confined.prefix, process.execPath, '--disable-warning=ExperimentalWarning', '--disable-warning=DEP0111', ...flags, ATTACKS, String(process.pid), folder, path];
  const child = spawn(file, args, { env: {}, stdio: ['pipe', 'pipe', 'inherit'] });
  const line = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (text.endsWith('\n')) resolve(text);
    });
    child.once('close', (code, signal) => reject(new Error(`ended: ${code ?? signal}`)));
  });
  const proc = (name: string): string => readFileSync(`/proc/${child.pid}/${name}`, 'latin1');
  const seen = {
    attempts: JSON.parse(line) as Attempts, status: proc('status'), limits: proc('limits'),
    sameNetwork: readlinkSync(`/proc/${child.pid}/ns/net`) === readlinkSync('/proc/self/ns/net'),
    becameIt: proc('cmdline').includes(ATTACKS) && proc('cmdline').startsWith(process.execPath),
  };
  child.kill('SIGKILL');
  server.close();
  rmSync(folder, { recursive: true });
  return seen;
}

describe('a process in a host\'s place', () => {
  const measures = { network: prefix('network'), privileges: prefix('privileges'), limits: prefix('limits'), permissionModel: true };

  describe('under everything that can be had', () => {
    let seen: Attacked;
    beforeAll(async () => {
      seen = await attack(new Sandbox(measures, undefined), true);
    });

    test('it can neither read, write, start, nor look into the supervisor; its Unix sockets it reaches', () => {
      for (const attempt of ['readsPasswd', 'readsThroughProc', 'lists', 'writes', 'writesToKernel', 'spawns', 'writesMemory', 'readsEnvironment', 'bindsInternals']) expect([attempt, seen.attempts[attempt]]).toEqual([attempt, 'ERR_ACCESS_DENIED']);
      expect(seen.attempts['unixSocket']).toBe('done');
      expect(seen.becameIt).toBe(true);
    });

    test.runIf(measures.network !== undefined)('it has no network, not even loopback', () => {
      expect(seen.attempts).toMatchObject({ interfaces: [], loopback: 'ENETUNREACH', private: 'ENETUNREACH' });
      expect(seen.sameNetwork).toBe(false);
    });

    test.runIf(measures.privileges !== undefined)('it has no capability and gains none', () => {
      expect(seen.status).toMatch(/^NoNewPrivs:\s+1$/m);
      for (const set of ['Inh', 'Prm', 'Eff', 'Bnd', 'Amb']) expect(seen.status).toMatch(new RegExp(`^Cap${set}:\\s+0+$`, 'm'));
      expect(seen.attempts['becomesOther']).toBe('EPERM');
    });

    test.runIf(measures.limits !== undefined)('memory beyond its limit is refused inside of the process', () => {
      expect(seen.limits).toMatch(new RegExp(`^Max data size\\s+${600 * MIB}\\s+${600 * MIB}`, 'm'));
      expect(seen.limits).toMatch(/^Max core file size\s+0\s+0/m);
      expect(Number(/^Max open files\s+\d+\s+(\d+)/m.exec(seen.limits)?.[1])).toBeLessThanOrEqual(16_384);
      expect(seen.attempts['flood']).toMatch(/^refused after [1-5]\d\d$/);
    });
  });

  test.runIf(isRoot && measures.privileges !== undefined)('with a user of its own the kernel refuses it what Node refused before', async () => {
    const { attempts, status } = await attack(new Sandbox(measures, hostUsers('64100', ['default'], '')), false);
    expect(attempts).toMatchObject({ uid: 64_100, writes: 'EACCES', writesToKernel: 'EACCES', writesMemory: 'EACCES', readsEnvironment: 'EACCES', signals: 'EPERM', becomesOther: 'EPERM', unixSocket: 'done' });
    expect(status).toMatch(/^Groups:\s*64100\s*$/m);
  });

  test.runIf(measures.privileges !== undefined && (isRoot || measures.network !== undefined))('as the node\'s own user it can still not look into the supervisor', async () => {
    const { attempts } = await attack(new Sandbox(measures, undefined), false);
    expect(attempts).toMatchObject({ uid: process.getuid?.(), writesMemory: 'EACCES', readsEnvironment: 'EACCES', unixSocket: 'done' });
  });

  test('without any measure it could do all that: the attempts are real', async () => {
    const { attempts } = await attack(new Sandbox({ network: undefined, privileges: undefined, limits: undefined, permissionModel: false }, undefined), false);
    for (const attempt of ['readsPasswd', 'readsThroughProc', 'lists', 'writes', 'spawns', 'readsEnvironment', 'signals', 'bindsInternals', 'unixSocket', 'flood']) expect([attempt, attempts[attempt]]).toEqual([attempt, 'done']);
    expect(attempts['interfaces']).not.toEqual([]);
  });
});
