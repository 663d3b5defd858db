// Logs, figures, metrics and the API's description, from frames of real peers to the answers.
import { request } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { FRAME } from '../../../core/protocol/index.ts';
import type { LogRow } from '../../../core/protocol/index.ts';
import { LogHistogram } from '../../../core/metrics/index.ts';
import { HELLO, TOKEN, processState, useControl } from '../../support/control-plane.ts';
import { useGateway, usePeer } from '../../support/control-peers.ts';

const row = (fn: string, message: string, fields: string | null = null, level = 'info'): LogRow => [1_700_000_000_000, level, fn, 1, 'inv-1', message, fields];

/** Events of a log stream as they come. */
async function follow(port: number, path: string): Promise<{ readonly events: { event: string; id: string | undefined; data: Record<string, unknown> }[]; readonly ended: () => boolean; readonly close: () => void }> {
  const events: { event: string; id: string | undefined; data: Record<string, unknown> }[] = [];
  let ended = false;
  const outgoing = request({ host: '127.0.0.1', port, path, headers: { authorization: `Bearer ${TOKEN}` }, agent: false });
  onTestFinished(() => void outgoing.destroy());
  await new Promise<void>((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      expect([incoming.statusCode, incoming.headers['content-type']]).toEqual([200, 'text/event-stream']);
      let rest = '';
      incoming.setEncoding('utf8');
      incoming.on('error', () => {});
      incoming.on('end', () => void (ended = true));
      incoming.on('data', (text: string) => {
        rest += text;
        for (let at = rest.indexOf('\n\n'); at >= 0; at = rest.indexOf('\n\n')) {
          const block = rest.slice(0, at);
          rest = rest.slice(at + 2);
          const field = (name: string): string | undefined => block.split('\n').find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
          const event = field('event');
          if (event !== undefined) events.push({ event, id: field('id'), data: JSON.parse(field('data') ?? '{}') as Record<string, unknown> });
          resolve();
        }
      });
    });
    outgoing.end();
  });
  return { events, ended: () => ended, close: () => void outgoing.destroy() };
}

describe('logs', () => {
  it('are kept by function, oldest first, paged, with drops counted', async () => {
    const { call, deploy, socket } = await useControl();
    await deploy('card', HELLO);
    const host = await usePeer(socket, 'host', 'host-1');
    host.send([FRAME.logs, 0, [row('card', 'one', '{"user":7}', 'warn'), row('nobody', 'lost'), row('card', 'two'), row('card', 'three', 'not json')], { card: 3, nobody: 9 }]);
    await expect.poll(async () => (await call('GET', '/v1/functions/card/logs')).body.items?.length).toBe(3);
    const first = await call('GET', '/v1/functions/card/logs?limit=2');
    expect(first.body).toMatchObject({
      dropped: 3,
      items: [
        { time: '2023-11-14T22:13:20.000Z', level: 'warn', invocation: 'inv-1', version: 1, message: 'one', fields: { user: 7 } },
        { message: 'two', fields: null },
      ],
    });
    const rest = await call('GET', `/v1/functions/card/logs?cursor=${first.body.next ?? ''}`);
    expect(rest.body).toMatchObject({ items: [{ message: 'three', fields: 'not json' }], next: null });
    expect((await call('GET', '/v1/functions/nobody/logs')).status).toBe(404);
  });

  it('are followed as server-sent events: what is kept, then what comes, until the function is deleted', async () => {
    const { call, deploy, socket, plane } = await useControl();
    await deploy('card', HELLO);
    const host = await usePeer(socket, 'host', 'host-1');
    host.send([FRAME.logs, 0, [row('card', 'kept')], {}]);
    await expect.poll(async () => (await call('GET', '/v1/functions/card/logs')).body.items?.length).toBe(1);
    const stream = await follow(plane.port, '/v1/functions/card/logs?follow=1');
    await expect.poll(() => stream.events.length).toBe(1);
    host.send([FRAME.logs, 0, [row('card', 'line\nbreak')], { card: 2 }]);
    await expect.poll(() => stream.events.length).toBe(3);
    expect(stream.events).toMatchObject([
      { event: 'log', data: { message: 'kept' } },
      { event: 'log', data: { message: 'line\nbreak' } },
      { event: 'dropped', data: { rows: 2 } },
    ]);
    expect(Number(stream.events[1]?.id)).toBeGreaterThan(Number(stream.events[0]?.id));
    await call('DELETE', '/v1/functions/card');
    await expect.poll(stream.ended).toBe(true);
    expect(stream.events.at(-1)?.event).toBe('end');
  });

  it('bound the followers of one function, and let go of those that leave', async () => {
    const { call, deploy, plane } = await useControl();
    await deploy('card', HELLO);
    const streams = await Promise.all(Array.from({ length: 20 }, () => follow(plane.port, '/v1/functions/card/logs?follow=1')));
    expect((await call('GET', '/v1/functions/card/logs?follow=1')).body.code).toBe('overloaded');
    for (const stream of streams) stream.close();
    await expect.poll(async () => {
      const probe = await follow(plane.port, '/v1/functions/card/logs?follow=1').catch(() => undefined);
      probe?.close();
      return probe !== undefined;
    }).toBe(true);
  });

  it('do not keep a drain waiting', async () => {
    const { deploy, plane, stop } = await useControl();
    await deploy('card', HELLO);
    const stream = await follow(plane.port, '/v1/functions/card/logs?follow=1');
    const startedMs = performance.now();
    await stop();
    expect(performance.now() - startedMs).toBeLessThan(400);
    await expect.poll(stream.ended).toBe(true);
  });
});

function figures(fn: string, version: number, requests: number, status = '200', codes: Record<string, number> = {}): Record<string, unknown> {
  const wall = new LogHistogram();
  for (let i = 0; i < requests; i++) wall.record(1_000);
  return { function: fn, version, statuses: { [status]: requests }, codes, wallUs: wall.toPairs(), cpuUs: wall.toPairs(), coldStarts: 1, coldUs: [[40, 1]], coldPhasesMs: [1, 0.5, 2, 3], limits: { cpu_limit_exceeded: [50, 50 + requests], madeUp: [1, 2] } };
}

/** Of a host's push. */
const QUEUE = { softLimits: 1, queued: 3, waits: 9, waitedMs: 12 };
const USED = { function: 'card', version: 1, entries: 7, cpuUs: 2_500, startupUs: 1_200, softLimits: 1 };
const NODE = { inFlight: 2, queued: 0, clients: 1, revision: 3, tableAgeMs: 5, replays: 0, residentBytes: 1, slowVersions: 1, laneChanges: { slow: 2, fast: 1 }, spreadVersions: 3, homeChanges: { spread: 4, shrink: 1, move: 5 } };

describe('figures', () => {
  it('add up per version, and hosts show what they hold now', async () => {
    const { call, deploy, socket } = await useControl();
    await deploy('card', HELLO);
    await deploy('card', HELLO);
    const gateway = await useGateway(socket);
    const host = await usePeer(socket, 'host', 'host-1');
    const push = (versions: unknown): void => gateway.send([FRAME.figures, 0, { kind: 'gateway', versions, node: NODE }]);
    push([{ ...figures('card', 1, 10), lane: 'slow', homes: 2 }, figures('nobody', 1, 5)]);
    push([figures('card', 1, 5, '503', { cpu_limit_exceeded: 5, madeUp: 1 })]);
    host.send([FRAME.figures, 0, { kind: 'host', host: 'liar', versions: [{ function: 'card', version: 1, isolates: 2, memoryBytes: 5_000, running: 1, retiring: 1, keptWarm: 1, retired: { memory_soft_limit: 3 } }], node: { isolates: 2, running: 1, residentBytes: 1, kills: { cpu: 1, 'a "': 1 }, coldStarts: 2, retired: { memory_soft_limit: 3, 'b "': 1 }, reclaimed: { idle: 4 }, retiring: 1, keptWarm: 1, heapBytes: 9_000, shrunk: 1, collections: 2, ...QUEUE }, used: [USED, { ...USED, function: 'nobody' }] }]);
    host.send([FRAME.figures, 0, { kind: 'host', host: 'host-1', versions: [{ function: 'card', version: 1, isolates: 2, memoryBytes: 5_000, running: 1, retiring: 1, keptWarm: 1, retired: { memory_soft_limit: 3 } }], node: { isolates: 2, running: 1, residentBytes: 1, kills: { cpu: 1, 'a "': 1 }, coldStarts: 2, retired: { memory_soft_limit: 3, 'b "': 1 }, reclaimed: { idle: 4 }, retiring: 1, keptWarm: 1, heapBytes: 9_000, shrunk: 1, collections: 2, ...QUEUE }, used: [USED] }]);
    const stats = async (): Promise<Record<string, unknown>[]> => (await call('GET', '/v1/functions/card/stats')).body['versions'] as Record<string, unknown>[];
    // What was used adds up, from frame to frame; what hosts hold does not.
    await expect.poll(async () => (await stats())[0]?.['used']).toEqual({ entries: 14, cpuMs: 5, startupCpuMs: 2.4, softLimits: 2 });
    const [one, two] = await stats();
    expect(one).toMatchObject({
      version: 1, requests: 15, statuses: { 200: 10, 503: 5 }, codes: { cpu_limit_exceeded: 5, other: 1 }, coldStarts: 2, isolates: 2, running: 1, memoryBytes: 5_000, lane: 'slow', homes: 2, retiring: 1, keptWarm: 1, retired: { memory_soft_limit: 3 },
      wallMs: { p50: 1.024, p99: 1.024 }, coldPhasesMs: { queue: 1, isolate: 0.5, restore: 2, handler: 3 },
    });
    expect(one?.['limits']).toEqual({ cpu_limit_exceeded: { limit: 50, used: 60 } });
    const { text: metrics } = await call('GET', '/metrics');
    expect(metrics).toContain('thimble_host_kills_total{host="host-1",reason="cpu"} 1');
    expect(metrics).toContain('thimble_host_retired_total{host="host-1",reason="memory_soft_limit"} 3');
    expect(metrics).not.toContain('reason="b ');
    expect(metrics).toContain('thimble_host_reclaimed_total{host="host-1",reason="idle"} 4');
    for (const [name, value] of Object.entries({ retiring: 1, kept_warm: 1, heap_bytes: 9_000, shrunk_total: 1, collections_total: 2 })) expect(metrics).toContain(`thimble_host_${name}{host="host-1"} ${value}`);
    expect(metrics).toContain('thimble_function_cold_start_phase_seconds_total{function="card",phase="restore"} 0.004');
    expect(metrics).toContain('thimble_function_limit_used_max{function="card",code="cpu_limit_exceeded"} 60');
    expect(two).toMatchObject({ version: 2, requests: 0, statuses: {}, wallMs: { p50: null, p99: null }, isolates: 0, lane: 'fast', homes: 0 });
    const { text } = await call('GET', '/metrics');
    expect(text).toContain('thimble_cpu_used_seconds_total{of="invocations"} 0.0075');
    expect(text).toContain('thimble_cpu_used_seconds_total{of="startup"} 0.0036');
    expect(text).toContain('thimble_tenant_cpu_used_seconds_total{tenant="default",of="invocations"} 0.005');
    expect(text).toContain('thimble_cpu_soft_limits_total 3');
    expect(text).toContain('thimble_host_queued{host="host-1"} 3');
    expect(text).toContain('thimble_host_queue_waits_total{host="host-1"} 9');
    expect(text).toContain('thimble_host_queue_wait_seconds_total{host="host-1"} 0.012');
    for (const line of [
      'thimble_gateway_slow_versions{gateway="gateway"} 1', 'thimble_gateway_lane_changes_total{gateway="gateway",lane="slow"} 2', 'thimble_gateway_spread_versions{gateway="gateway"} 3',
      'thimble_gateway_home_changes_total{gateway="gateway",change="move"} 5',
    ]) expect(text).toContain(line);
    host.close();
    await expect.poll(async () => (await stats())[0]?.['isolates']).toBe(0);
    expect((await stats())[0]?.['used']).toMatchObject({ entries: 14 });
  });

  it('are refused from who has no say in them, and counted', async () => {
    const { call, deploy, socket } = await useControl();
    await deploy('card', HELLO);
    const host = await usePeer(socket, 'host', 'host-1');
    host.send([FRAME.figures, 0, { kind: 'gateway', versions: [figures('card', 1, 10)], node: NODE }]);
    host.send([FRAME.figures, 0, { kind: 'host', versions: 'x' }]);
    await expect.poll(async () => (await call('GET', '/metrics')).text).toContain('thimble_control_figures_rejected_total 2');
    expect((await call('GET', '/v1/functions/card/stats')).body).toMatchObject({ versions: [{ requests: 0 }] });
    expect(host.closes()).toBe(0);
  });
});

describe('metrics', () => {
  it('are valid Prometheus text with the node, the busiest functions and the rest as other', async () => {
    const { call, plane, socket } = await useControl();
    const names = Array.from({ length: 205 }, (_, i) => `fn-${i}`);
    for (const name of names) await call('PUT', `/v1/functions/${name}`, { tenant: 'team-a' });
    plane.onMessage?.({ type: 'node-state', processes: [processState('gateway', 'gateway')], isolation: null });
    const gateway = await useGateway(socket);
    gateway.send([FRAME.figures, 0, { kind: 'gateway', versions: names.map((name) => figures(name, 1, 2)), node: NODE }]);
    await expect.poll(async () => (await call('GET', '/metrics')).text).toContain('thimble_requests_total{status="200"} 410');
    const reply = await call('GET', '/metrics');
    expect(reply.headers['content-type']).toContain('text/plain');
    const { text } = reply;
    for (const line of text.split('\n')) expect(line).toMatch(/^(?:|# (?:HELP|TYPE) .+|[a-z_]+(?:\{[^}]*\})? (?:[\d.e+-]+|\+Inf))$/);
    expect(text).toContain('thimble_tenant_requests_total{tenant="team-a",status="200"} 410');
    expect(text).toContain('thimble_function_requests_total{function="other",status="200"} 10');
    expect(new Set(text.match(/thimble_function_requests_total\{function="[^"]+"/g)).size).toBe(201);
    expect(text).toContain('thimble_wall_seconds_count 410');
    expect(text).toMatch(/thimble_wall_seconds_bucket\{le="0\.001024"\} 410/);
    expect(text).toMatch(/thimble_wall_seconds_bucket\{le="0\.000256"\} 0/);
    expect(text).toContain('thimble_process_up{name="gateway",kind="gateway"} 1');
    expect(text).toContain('thimble_gateway_in_flight{gateway="gateway"} 2');
    expect(text).toContain('thimble_control_functions 205');
  });
});

describe('the OpenAPI document', () => {
  it('describes every call with its answers and errors, and every reference in it leads somewhere', async () => {
    const { call } = await useControl();
    const reply = await call('GET', '/openapi.json');
    const parameter = z.looseObject({ name: z.string(), in: z.enum(['path', 'query', 'header']), required: z.boolean(), schema: z.looseObject({}) });
    const response = z.looseObject({ description: z.string(), content: z.record(z.string(), z.looseObject({ schema: z.looseObject({}) })) });
    const operation = z.looseObject({ operationId: z.string(), parameters: z.array(parameter), responses: z.record(z.string().regex(/^\d{3}$/), response.partial({ content: true })) });
    const { paths, components } = z
      .looseObject({
        openapi: z.string().regex(/^3\.1\.\d+$/),
        info: z.looseObject({ title: z.string(), version: z.string() }),
        paths: z.record(z.string().startsWith('/'), z.partialRecord(z.enum(['get', 'put', 'post', 'delete']), operation)),
        components: z.looseObject({ schemas: z.record(z.string(), z.looseObject({})) }),
      })
      .parse(reply.body);
    // One a line: what is added by several at once then merges by itself.
    expect(Object.keys(paths).toSorted()).toEqual([
      '/docs',
      '/docs/page.css',
      '/docs/page.js',
      '/docs/swagger-ui-bundle.js',
      '/docs/swagger-ui.css',
      '/healthz',
      '/metrics',
      '/openapi.json',
      '/readyz',
      '/v1/alerts',
      '/v1/alerts/{id}',
      '/v1/audit',
      '/v1/audit/export',
      '/v1/audit/verify',
      '/v1/backups',
      '/v1/backups/{id}',
      '/v1/freeze',
      '/v1/functions',
      '/v1/functions/{name}',
      '/v1/functions/{name}/aliases/{alias}',
      '/v1/functions/{name}/emergency',
      '/v1/functions/{name}/invoke',
      '/v1/functions/{name}/logs',
      '/v1/functions/{name}/pardon',
      '/v1/functions/{name}/purge',
      '/v1/functions/{name}/rollback',
      '/v1/functions/{name}/rollouts',
      '/v1/functions/{name}/rollouts/{rollout}',
      '/v1/functions/{name}/rollouts/{rollout}/abort',
      '/v1/functions/{name}/rollouts/{rollout}/pause',
      '/v1/functions/{name}/rollouts/{rollout}/resume',
      '/v1/functions/{name}/series',
      '/v1/functions/{name}/shadow',
      '/v1/functions/{name}/stats',
      '/v1/functions/{name}/traffic',
      '/v1/functions/{name}/versions',
      '/v1/functions/{name}/versions/{version}',
      '/v1/functions/{name}/versions/{version}/diff/{other}',
      '/v1/functions/{name}/versions/{version}/map',
      '/v1/functions/{name}/versions/{version}/pin',
      '/v1/functions/{name}/versions/{version}/snapshot',
      '/v1/quarantine',
      '/v1/tenants',
      '/v1/tenants/{name}',
      '/v1/tokens',
      '/v1/tokens/{id}',
    ]);
    const operations = Object.values(paths).flatMap((path) => Object.values(path));
    expect(new Set(operations.map((one) => one.operationId)).size).toBe(operations.length);
    expect(Object.keys(paths['/v1/functions/{name}/versions']?.['post']?.responses ?? {}).toSorted()).toEqual(['201', '401', '403', '404', '409', '412', '413', '422', '429', '500', '503']);
    for (const [path, methods] of Object.entries(paths)) {
      for (const one of Object.values(methods)) {
        const named = one.parameters.filter(({ in: place }) => place === 'path').map(({ name }) => name);
        expect(named).toEqual([...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]));
      }
    }
    const references = [...reply.text.matchAll(/"\$ref":"([^"]*)"/g)].map((match) => match[1] ?? '');
    expect(references.length).toBeGreaterThan(10);
    for (const reference of references) expect(Object.keys(components.schemas)).toContain(reference.replace('#/components/schemas/', ''));
    expect(components.schemas['Condition']).toMatchObject({ type: 'object', properties: { all: { items: { $ref: '#/components/schemas/Condition' } } } });
  });
});
