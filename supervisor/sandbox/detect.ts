// Finds the strongest confinement that the machine allows, by starting a process under it and looking at that process.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Isolation, SandboxMode } from '../../core/config/index.ts';
import { PlatformError } from '../../core/errors/index.ts';
import type { HostUsers } from './host-users.ts';
import type { Inside } from './probe.ts';
import type { Readable } from './permission-flags.ts';
import { Sandbox } from './sandbox.ts';
import type { Measures } from './sandbox.ts';
import type { HostMemory } from '../memory-limit.ts';
import type { Prefix, Tools } from './tools.ts';

/** A start of Node takes 50 ms; on a loaded machine it may wait for the processor. */
const PROBE_MS = 10_000;

export interface DetectOptions {
  readonly mode: SandboxMode;
  readonly users: HostUsers | undefined;
  readonly tiers: readonly string[];
  /** Path of the probe's program. */
  readonly probe: string;
  /** What a host of this tier reads; null: no platform snapshot, so no permission model. */
  readonly readable: (tier: string) => Readable | null;
  /** What a host of any tier must reach beside: files to read, and folders, with a slash at the end, to pass through. */
  readonly reached: readonly string[];
  /** Of a host of the default group. */
  readonly memory: HostMemory;
  /** As a host has it. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface Detected {
  readonly sandbox: Sandbox;
  readonly isolation: Isolation;
}

/**
 * Tries every tool, then whole command lines, the strongest first.
 *
 * @param tools  what works here
 * @throws settings_invalid  THIMBLE_SANDBOX=require and a measure is missing; or the users of THIMBLE_HOST_UID cannot be had, or do not reach what hosts need
 */
export async function detectSandbox(options: DetectOptions, tools: Promise<Tools>): Promise<Detected> {
  const found = await tools;
  const why: Missing = new Map();
  for (const strength of strengths(options, found, why)) {
    const sandbox = new Sandbox(strength, options.users);
    // Without users of their own the tiers differ only in a path.
    const tiers = options.users === undefined ? options.tiers.slice(0, 1) : options.tiers;
    const looks = await Promise.all(tiers.map(async (tier) => look(sandbox, tier, options)));
    const failed = looks.find((one) => typeof one === 'string') ?? outOfReach(looks.filter((one) => typeof one !== 'string'));
    if (failed !== undefined) {
      // The first reason is that of the strongest: the ones after it only lack parts.
      if (!why.has('all')) why.set('all', failed);
      continue;
    }
    const seen = looks.filter((one) => typeof one !== 'string');
    return { sandbox, isolation: judge(seen, options, found, why) };
  }
  if (options.users !== undefined) throw wrongUser(why.get('all') ?? '');
  throw new PlatformError('unavailable', { part: 'hosts' }, { cause: new Error(why.get('all')) });
}

type Missing = Map<string, string>;

/** All measures that work alone; then all but one, in case they do not go together or root must keep its power over other users' files; then limits alone, then nothing. */
function* strengths({ mode, users, readable, tiers }: DetectOptions, tools: Tools, why: Missing): Iterable<Measures> {
  const usable = (prefix: Prefix | string): Prefix | undefined => (typeof prefix === 'string' ? undefined : prefix);
  const nothing: Measures = { network: undefined, privileges: undefined, limits: undefined, permissionModel: false };
  const limited: Measures = { ...nothing, limits: usable(tools.limits) };
  if (mode !== 'off') {
    const privileges = usable(tools.privileges);
    if (users !== undefined && privileges === undefined) throw wrongUser(String(tools.privileges));
    const permissionModel = tiers.every((tier) => readable(tier) !== null);
    if (!permissionModel) why.set('permissionModel', 'without a platform snapshot hosts bundle the runtime themselves, in a process of esbuild');
    const all: Measures = { ...limited, network: usable(tools.network), privileges, permissionModel };
    yield all;
    // Only setpriv gives hosts their user.
    const givenUp = users === undefined ? (['network', 'limits', 'privileges'] as const) : (['network', 'limits'] as const);
    for (const measure of givenUp) if (all[measure] !== undefined) yield { ...all, [measure]: undefined };
    if (users !== undefined) return;
  }
  yield limited;
  if (limited.limits !== undefined) yield nothing;
}

/** What the probe is, seen from outside and inside. */
interface Look {
  readonly inside: Inside;
  readonly noNewPrivileges: boolean;
  readonly noCapabilities: boolean;
  readonly uid: number;
  readonly dataLimitBytes: number | null;
}

const insideSchema = z.object({ filesRefused: z.boolean(), interfaces: z.array(z.string()), unreadable: z.array(z.string()) });

/** @returns a string when the process did not start so */
async function look(sandbox: Sandbox, tier: string, options: DetectOptions): Promise<Look | string> {
  const readable = options.readable(tier);
  const { prefix, nodeFlags } = sandbox.confine(tier, options.memory.dataBytes, readable);
  const paths = [...options.reached, ...(readable === null ? [] : [readable.entry, readable.platformFolder, readable.versionsFolder]), '/proc/self/schedstat'];
  const own = nodeFlags.length === 0 ? [] : [options.probe, ...options.reached].map((path) => `--allow-fs-read=${path}`);
  const [file = '', ...args] = [...prefix, process.execPath, '--disable-warning=ExperimentalWarning', ...nodeFlags, ...own, options.probe, ...paths];
  const child = spawn(file, args, { env: options.environment, stdio: ['pipe', 'pipe', 'pipe'], timeout: PROBE_MS, killSignal: 'SIGKILL' });
  let output = '';
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString('utf8')).slice(-2_000);
  });
  child.stdin.on('error', () => {});
  const seen = await new Promise<Look | string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(`${errors.trim() || 'no word'} (${signal ?? `exit code ${code ?? 'unknown'}`})`));
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
      if (output.endsWith('\n') && child.pid !== undefined) resolve(outside(child.pid, output));
    });
  });
  child.stdin.end();
  child.kill('SIGKILL');
  return seen;
}

function outside(pid: number, output: string): Look | string {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const field = (name: string): string => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1] ?? '';
    const data = /^Max data size\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'latin1'))?.[1];
    return {
      inside: insideSchema.parse(JSON.parse(output)),
      noNewPrivileges: field('NoNewPrivs') === '1',
      // Permitted and bounding set: nothing now, and nothing to be gained by starting a program.
      noCapabilities: /^0+$/.test(field('CapPrm')) && /^0+$/.test(field('CapBnd')),
      uid: Number(field('Uid')),
      dataLimitBytes: data === undefined ? null : Number(data),
    };
  } catch (thrown) {
    return String(thrown);
  }
}

function outOfReach(looks: readonly Look[]): string | undefined {
  const unreadable = new Set(looks.flatMap(({ inside }) => inside.unreadable));
  return unreadable.size === 0 ? undefined : `hosts do not reach ${[...unreadable].join(', ')}`;
}

function judge(looks: readonly Look[], options: DetectOptions, tools: Tools, why: Missing): Isolation {
  const { mode, users } = options;
  const every = (holds: (one: Look) => boolean): boolean => looks.every(holds);
  const [first] = looks;
  const missing: Isolation['missing'][number][] = [];
  const measure = (name: string, reached: boolean, reason: string | readonly string[]): boolean => {
    if (!reached) missing.push({ measure: name, why: mode === 'off' ? 'THIMBLE_SANDBOX=off' : (why.get(name) ?? (typeof reason === 'string' ? reason : why.get('all') ?? 'it does not hold')) });
    return reached;
  };
  const permissionModel = measure('permissionModel', every(({ inside }) => inside.filesRefused), []);
  const noNewPrivileges = measure('noNewPrivileges', every((one) => one.noNewPrivileges), tools.privileges);
  const noCapabilities = measure('noCapabilities', every((one) => one.noCapabilities), tools.privileges);
  const network = measure('network', every(({ inside }) => inside.interfaces.length === 0), tools.network) ? 'none' : 'shared';
  const uid = first?.uid ?? -1;
  measure('uid', uid !== 0, 'hosts run as root, who may write to what the kernel trusts: set THIMBLE_HOST_UID');
  const dataLimitBytes = first?.dataLimitBytes ?? null;
  if (dataLimitBytes === null) missing.push({ measure: 'dataLimit', why: typeof tools.limits === 'string' ? tools.limits : (why.get('all') ?? 'it does not hold') });
  if (mode === 'require' && missing.length > 0) {
    throw new PlatformError('settings_invalid', { errors: missing.map(({ measure: name, why: reason }) => ({ path: 'THIMBLE_SANDBOX', message: `requires ${name}: ${reason}` })) });
  }
  return { mode, permissionModel, noNewPrivileges, noCapabilities, network, uid, ownUid: users !== undefined, dataLimitBytes, residentLimitBytes: options.memory.residentBytes, missing };
}

function wrongUser(message: string): PlatformError {
  return new PlatformError('settings_invalid', { errors: [{ path: 'THIMBLE_HOST_UID', message }] });
}
