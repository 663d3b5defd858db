// Endpoints about the node itself: health, readiness, metrics and the API's own description.
import { z } from 'zod';
import { PlatformError } from '../../core/errors/index.ts';
import type { NodeHealth } from '../health.ts';
import { docsEndpoints } from './docs-endpoints.ts';
import { endpoint } from './endpoint.ts';
import type { Answer, Endpoint } from './endpoint.ts';
import { problemResponse } from './problems.ts';

export interface NodeServices {
  readonly health: NodeHealth;
  /** Prometheus text. */
  readonly metrics: () => Promise<string>;
  readonly openApi: () => unknown;
}

const NONE = z.strictObject({});
const processSchema = z.strictObject({
  name: z.string(),
  kind: z.string(),
  pid: z.int().nullable(),
  state: z.enum(['starting', 'ready', 'draining', 'restarting', 'failed']),
  restarts: z.int(),
  residentBytes: z.number(),
});
const isolationSchema = z.strictObject({
  mode: z.enum(['auto', 'off', 'require']).describe('THIMBLE_SANDBOX'),
  permissionModel: z.boolean().describe("Node's permission model: no files but a few, no writing, no child processes"),
  noNewPrivileges: z.boolean(),
  noCapabilities: z.boolean().describe('none held, none to be gained'),
  network: z.enum(['none', 'shared']).describe('none: a network namespace without an interface'),
  uid: z.int().describe('of hosts of the default tier'),
  ownUid: z.boolean().describe('another user than the node has'),
  dataLimitBytes: z.int().nullable().describe('RLIMIT_DATA of a host of the default group'),
  residentLimitBytes: z.int().describe('resident memory at which such a host is killed'),
  missing: z.array(z.strictObject({ measure: z.string(), why: z.string() })),
});
const readySchema = z.strictObject({ ready: z.literal(true) });
const healthSchema = z.strictObject({ status: z.literal('ok'), ready: z.boolean(), missing: z.array(z.string()), processes: z.array(processSchema), isolation: isolationSchema.nullable() });

export function nodeEndpoints({ health, metrics, openApi }: NodeServices): Endpoint[] {
  return [
    ...docsEndpoints(),
    endpoint({
      method: 'GET', path: '/healthz', operation: 'health', access: 'open', summary: 'The control plane lives; with the state of every process.',
      params: NONE, query: NONE, answers: { 200: healthSchema }, errors: [],
      handle: (): Answer => ({ status: 200, body: { status: 'ok', ...health.readiness(), processes: health.processes.map((p) => processSchema.parse(pickProcess(p))), isolation: health.isolation } }),
    }),
    endpoint({
      method: 'GET', path: '/readyz', operation: 'readiness', access: 'open', summary: 'The node serves: the store is open, a gateway has the route table, every process is ready.',
      params: NONE, query: NONE, answers: { 200: readySchema }, errors: ['unavailable'],
      handle: (): Answer | Response => {
        const { ready, missing } = health.readiness();
        if (ready) return { status: 200, body: { ready } };
        return problemResponse(new PlatformError('unavailable', { part: missing.join('; ') }), { missing });
      },
    }),
    endpoint({
      method: 'GET', path: '/metrics', operation: 'metrics', access: 'reader', summary: 'Figures as Prometheus text: the node, tenants, and the busiest functions.',
      params: NONE, query: NONE, answers: { 200: 'text/plain; version=0.0.4; charset=utf-8' }, errors: [],
      handle: async (): Promise<Response> => new Response(await metrics(), { headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', 'cache-control': 'no-store' } }),
    }),
    endpoint({
      method: 'GET', path: '/openapi.json', operation: 'openapi', access: 'reader', partial: true, summary: 'This description.',
      params: NONE, query: NONE, answers: { 200: z.looseObject({ openapi: z.string() }) }, errors: [],
      handle: (): Answer => ({ status: 200, body: openApi() }),
    }),
  ];
}

function pickProcess(p: Readonly<Record<keyof z.infer<typeof processSchema>, unknown>>): unknown {
  return { name: p.name, kind: p.kind, pid: p.pid, state: p.state, restarts: p.restarts, residentBytes: p.residentBytes };
}
