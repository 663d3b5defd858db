// The node's settings: read from the environment once, by the supervisor, parsed, frozen and passed down.
import { availableParallelism } from 'node:os';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { z } from 'zod';
import { PlatformError } from '../errors/index.ts';
import type { SandboxMode } from './boot.ts';
import { DEFAULT_TIER, TIER_NAME } from './host-groups.ts';

const port = z.coerce.number('must be a number').int('must be a whole number').min(1, 'must be 1 to 65535').max(65_535, 'must be 1 to 65535');

function isCidr(text: string): boolean {
  const slash = text.lastIndexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const family = isIP(address);
  if (family === 0) return false;
  if (slash < 0) return true;
  const bits = text.slice(slash + 1);
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

const commaList = (entry: z.ZodString): z.ZodPipe<z.ZodTransform<string[], unknown>, z.ZodArray<z.ZodString>> =>
  z.preprocess((text) => String(text).split(',').map((part) => part.trim()).filter((part) => part !== ''), z.array(entry)) as never;

const HOST = /^(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])$/i;

/** `host[:port]`, `[v6][:port]`, or `CIDR[:port]`. */
function isEgressEntry(text: string): boolean {
  if (isCidr(text)) return true;
  const withPort = /^(.*):(\d{1,5})$/.exec(text);
  const portNumber = Number(withPort?.[2] ?? 80);
  if (portNumber < 1 || portNumber > 65_535) return false;
  const host = withPort?.[1] ?? text;
  // The URL parser knows which hosts can be called at all: `[zz]` and `999.1.1.1` can't.
  return (withPort !== null && isCidr(host)) || (HOST.test(host) && URL.canParse(`http://${host}/`));
}

/** `NAME:HOSTS`, comma-separated. */
const tierList = z.preprocess(
  (text) => Object.fromEntries(String(text).split(',').map((part) => part.trim()).filter((part) => part !== '').map((part) => [part.split(':', 1)[0], Number(part.slice(part.indexOf(':') + 1))])),
  z
    .record(z.string(), z.int('must be NAME:HOSTS').min(1, 'must have 1 to 64 hosts').max(64, 'must have 1 to 64 hosts'))
    .refine((tiers) => Object.keys(tiers).every((name) => TIER_NAME.test(name) && name !== DEFAULT_TIER), 'names must be 1 to 31 of a-z and 0-9, starting with a letter, and not default')
    .refine((tiers) => Object.keys(tiers).length <= 16, 'at most 16 tiers'),
);

const secretText = z.string().max(4_096);

/** Keys are the names of the environment variables, so that every message names what the operator typed. */
export const environmentSchema = z.object({
  THIMBLE_HOST: z.string().min(1).default('127.0.0.1'),
  THIMBLE_PORT: port.default(8080),
  THIMBLE_CONTROL_PORT: port.default(8081),
  THIMBLE_DATA: z.string().min(1).default('./data'),
  THIMBLE_TOKEN: secretText.optional(),
  THIMBLE_SECRET_KEY: secretText.optional(),
  THIMBLE_HOSTS: z.coerce.number('must be a number').int('must be a whole number').min(1, 'must be 1 to 256').max(256, 'must be 1 to 256').default(() => availableParallelism()),
  THIMBLE_TIERS: tierList.default({}),
  THIMBLE_SLOW_HOSTS: z.coerce.number('must be a number').int('must be a whole number').min(1, 'must be 1 to 64').max(64, 'must be 1 to 64').default(1),
  THIMBLE_SLOW_IDLE_MS: z.coerce.number('must be a number').int('must be a whole number').min(1_000, 'must be 1000 to 86400000').max(86_400_000, 'must be 1000 to 86400000').default(60_000),
  THIMBLE_WASM_HOSTS: z.coerce.number('must be a number').int('must be a whole number').min(1, 'must be 1 to 64').max(64, 'must be 1 to 64').default(1),
  THIMBLE_HOST_MEMORY_MB: z.coerce.number('must be a number').int('must be a whole number').min(384, 'must be 384 to 1048576').max(1_048_576, 'must be 384 to 1048576').optional(),
  THIMBLE_HOST_UID: z.string().regex(/^(?:\d{1,10}|[a-z_][a-z0-9_-]{0,31})$/i, 'must be a number or the name of a user').optional(),
  THIMBLE_SANDBOX: z.enum(['auto', 'off', 'require']).default('auto'),
  THIMBLE_WASM_IDLE_MS: z.coerce.number('must be a number').int('must be a whole number').min(1_000, 'must be 1000 to 86400000').max(86_400_000, 'must be 1000 to 86400000').default(300_000),
  THIMBLE_EGRESS_ALLOW: commaList(z.string().refine(isEgressEntry, 'must be host[:port] or CIDR[:port]')).default([]),
  THIMBLE_TRUSTED_PROXIES: commaList(z.string().refine(isCidr, 'must be an address or a CIDR')).default([]),
  THIMBLE_CACHE_MB: z.coerce.number('must be a number').int('must be a whole number').min(4, 'must be 4 to 65536').max(65_536, 'must be 4 to 65536').default(256),
  THIMBLE_SNAPSHOTS: z.enum(['0', '1']).default('1'),
  THIMBLE_PREWARM: z.enum(['0', '1']).default('1'),
  THIMBLE_EXAMPLES: z.enum(['0', '1']).default('1'),
  THIMBLE_LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace']).default('info'),
});

export interface Settings {
  readonly host: string;
  readonly port: number;
  readonly controlPort: number;
  /** Absolute path. */
  readonly dataFolder: string;
  /** Absent: generated into the data folder. */
  readonly token: string | undefined;
  /** Absent: generated into the data folder. */
  readonly secretKey: string | undefined;
  /** Host processes of the default group. */
  readonly hosts: number;
  /** Trust tiers beside the default one, and the hosts of each one's default group. */
  readonly tiers: Readonly<Record<string, number>>;
  /** Host processes of a group `slow`, while there are any. */
  readonly slowHosts: number;
  /** They end when nothing has run on them for so long, milliseconds. */
  readonly slowIdleMs: number;
  /** Host processes of a group `wasm`, while there are any. */
  readonly wasmHosts: number;
  /** They end when nothing has run on them for so long, milliseconds. */
  readonly wasmIdleMs: number;
  /** Memory of each host process, MiB. Absent: a share of the machine's. */
  readonly hostMemoryMb: number | undefined;
  /** Versions are started before traffic turns to them. */
  readonly preWarm: boolean;
  /** User that hosts run as: a name, or the first of the numbers for the tiers. Absent: the node's own. */
  readonly hostUid: string | undefined;
  readonly sandbox: SandboxMode;
  readonly egressAllow: readonly string[];
  readonly trustedProxies: readonly string[];
  /** Memory of all functions' caches, MiB. */
  readonly cacheMb: number;
  /** Version snapshots are made and used. */
  readonly snapshots: boolean;
  readonly examples: boolean;
  readonly logLevel: string;
}

/**
 * Parses the environment. Variables that start with THIMBLE_ and are unknown are no error: tools of the user may use the prefix.
 *
 * @throws settings_invalid  names every bad setting at once
 */
export function parseSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  // An empty variable means "not set", as in `THIMBLE_TOKEN= npm start`.
  const set = Object.fromEntries(Object.entries(environment).filter(([key, text]) => key.startsWith('THIMBLE_') && text !== undefined && text !== ''));
  const parsed = environmentSchema.safeParse(set);
  if (!parsed.success) {
    throw new PlatformError('settings_invalid', { errors: parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message })) });
  }
  const env = parsed.data;
  if (env.THIMBLE_PORT === env.THIMBLE_CONTROL_PORT) {
    throw new PlatformError('settings_invalid', { errors: [{ path: 'THIMBLE_CONTROL_PORT', message: 'must differ from THIMBLE_PORT' }] });
  }
  if (env.THIMBLE_HOST_UID !== undefined && env.THIMBLE_SANDBOX === 'off') {
    throw new PlatformError('settings_invalid', { errors: [{ path: 'THIMBLE_HOST_UID', message: 'needs THIMBLE_SANDBOX to be auto or require' }] });
  }
  return Object.freeze({
    host: env.THIMBLE_HOST,
    port: env.THIMBLE_PORT,
    controlPort: env.THIMBLE_CONTROL_PORT,
    dataFolder: resolve(env.THIMBLE_DATA),
    token: env.THIMBLE_TOKEN,
    secretKey: env.THIMBLE_SECRET_KEY,
    hosts: env.THIMBLE_HOSTS,
    tiers: Object.freeze(env.THIMBLE_TIERS),
    slowHosts: env.THIMBLE_SLOW_HOSTS,
    slowIdleMs: env.THIMBLE_SLOW_IDLE_MS,
    wasmHosts: env.THIMBLE_WASM_HOSTS,
    wasmIdleMs: env.THIMBLE_WASM_IDLE_MS,
    hostMemoryMb: env.THIMBLE_HOST_MEMORY_MB,
    preWarm: env.THIMBLE_PREWARM === '1',
    hostUid: env.THIMBLE_HOST_UID,
    sandbox: env.THIMBLE_SANDBOX,
    egressAllow: Object.freeze(env.THIMBLE_EGRESS_ALLOW),
    trustedProxies: Object.freeze(env.THIMBLE_TRUSTED_PROXIES),
    cacheMb: env.THIMBLE_CACHE_MB,
    snapshots: env.THIMBLE_SNAPSHOTS === '1',
    examples: env.THIMBLE_EXAMPLES === '1',
    logLevel: env.THIMBLE_LOG_LEVEL,
  });
}
