// The Prometheus text of what the control plane knows, written by prom-client from figures that are merged elsewhere.
import { Registry } from 'prom-client';
import type { Metric } from 'prom-client';
import type { ProcessState } from '../../core/config/index.ts';
import type { LogHistogram } from '../../core/metrics/index.ts';
import type { HostFigures } from '../../core/protocol/index.ts';
import { isSnapshotReason } from '../../core/versions/index.ts';
import { OTHER } from './bounded-series.ts';
import type { BoundedSeries } from './bounded-series.ts';
import type { FigureStore, GatewayState } from './figure-store.ts';
import type { ShadowSums } from '../shadows/index.ts';
import { COLD_PHASES } from './totals.ts';
import type { Totals } from './totals.ts';

export interface MetricSources {
  readonly figures: FigureStore;
  readonly processes: readonly ProcessState[];
  /** Builds of version snapshots by what came of them. */
  readonly snapshotBuilds: ReadonlyMap<string, number>;
  /** Of shadow traffic; in none of the other figures of requests. */
  readonly shadows: ShadowSums;
  /** Gauges of the control plane itself, by metric name. */
  readonly control: Readonly<Record<string, { readonly help: string; readonly value: number }>>;
}

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** Only where it differs from the family's name. */
  readonly metricName?: string;
}

/** Bounds in microseconds that are bounds of LogHistogram's buckets too, so that counts are exact: 64 µs to 16.8 s. */
const BOUNDS_US = Array.from({ length: 10 }, (_, i) => 2 ** (6 + 2 * i));
const FIRST_EXPONENT = 6;
const PER_OCTAVE = 4;

/** Reasons are a host's words: so many of this form. */
const REASON = /^[a-z_]{1,40}$/;
const MAX_REASONS = 20;

/** The text for GET /metrics. */
export async function renderMetrics({ figures, processes, snapshotBuilds, shadows, control }: MetricSources): Promise<string> {
  const registry = new Registry();
  const add = (name: string, type: 'counter' | 'gauge' | 'histogram', help: string, values: readonly Sample[]): void => {
    // prom-client asks a metric for its values when it renders; the sums are made elsewhere, so this is all of a metric that is needed.
    const metric = { name, help, type, aggregator: 'sum', get: async () => ({ name, help, type, aggregator: 'sum', values }) };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- prom-client's type lists members of its own classes that a registry never calls
    registry.registerMetric(metric as unknown as Metric);
  };
  addTotals(add, '', [[{}, figures.node]]);
  addTotals(add, '_function', series(figures.functions, 'function'));
  addTotals(add, '_tenant', series(figures.tenants, 'tenant'));
  addNode(add, figures);
  addShadows(add, shadows);
  add('thimble_control_snapshot_builds_total', 'counter', 'Builds of version snapshots, by outcome: ready, or why there is none.', [...snapshotBuilds].map(([outcome, value]) => ({ labels: { outcome }, value })));
  add('thimble_process_up', 'gauge', '1 while the process is ready.', processes.map((p) => ({ labels: processLabels(p), value: p.state === 'ready' ? 1 : 0 })));
  add('thimble_process_restarts_total', 'counter', 'Restarts of the process by the supervisor.', processes.map((p) => ({ labels: processLabels(p), value: p.restarts })));
  add('thimble_process_resident_bytes', 'gauge', 'Resident memory of the process.', processes.map((p) => ({ labels: processLabels(p), value: p.residentBytes })));
  for (const [name, { help, value }] of Object.entries(control)) add(name, name.endsWith('_total') ? 'counter' : 'gauge', help, [{ labels: {}, value }]);
  return registry.metrics();
}

const processLabels = ({ name, kind }: ProcessState): Record<string, string> => ({ name, kind });

type Add = (name: string, type: 'counter' | 'gauge' | 'histogram', help: string, values: readonly Sample[]) => void;
type Labelled = readonly (readonly [Readonly<Record<string, string>>, Totals])[];

function series(from: BoundedSeries, label: string): Labelled {
  return [...[...from.named].map(([name, totals]) => [{ [label]: name }, totals] as const), [{ [label]: OTHER }, from.other] as const];
}

function addTotals(add: Add, scope: string, totals: Labelled): void {
  const name = (of: string): string => `thimble${scope}_${of}`;
  const by = (label: string, read: (t: Totals) => ReadonlyMap<string, number>): Sample[] =>
    totals.flatMap(([labels, t]) => [...read(t)].map(([key, value]) => ({ labels: { ...labels, [label]: key }, value })));
  add(name('requests_total'), 'counter', 'Requests by HTTP status.', by('status', (t) => t.statuses));
  add(name('errors_total'), 'counter', 'Requests that failed, by error code.', by('code', (t) => t.codes));
  add(name('fallbacks_total'), 'counter', 'Failures that a fallback stood in for, by its kind. They count as errors too.', by('kind', (t) => t.fallbacks));
  add(name('cold_starts_total'), 'counter', 'Requests that had to start an isolate.', totals.map(([labels, t]) => ({ labels, value: t.coldStarts })));
  add(name('cold_start_phase_seconds_total'), 'counter', 'Time of cold starts, by phase.', totals.flatMap(([labels, t]) => COLD_PHASES.map((phase) => ({ labels: { ...labels, phase }, value: t.coldPhasesMs[phase] / 1_000 }))));
  const limits = totals.flatMap(([labels, t]) => [...t.limits].map(([code, { limit, used }]) => ({ labels: { ...labels, code }, limit, used })));
  add(name('limit_struck'), 'gauge', 'The limit of the last kill or throttle of this code, in the limit\'s unit.', limits.map(({ labels, limit }) => ({ labels, value: limit })));
  add(name('limit_used_max'), 'gauge', 'The most that was used when a limit of this code struck.', limits.map(({ labels, used }) => ({ labels, value: used })));
  const histogram = (of: string, help: string, read: (t: Totals) => LogHistogram): void =>
    add(name(of), 'histogram', help, totals.flatMap(([labels, t]) => histogramSamples(name(of), labels, read(t))));
  histogram('wall_seconds', 'Time from accept to the end of the response. The sum is an estimate from the buckets.', (t) => t.wallUs);
  histogram('cpu_seconds', 'CPU time of invocations. The sum is an estimate from the buckets.', (t) => t.cpuUs);
  add(name('cpu_used_seconds_total'), 'counter', 'CPU time that hosts charged, as it was used: to invocations, and to the start-up of modules.', totals.flatMap(([labels, t]) => [
    { labels: { ...labels, of: 'invocations' }, value: t.usedUs / 1e6 },
    { labels: { ...labels, of: 'startup' }, value: t.startupUs / 1e6 },
  ]));
  add(name('entries_total'), 'counter', 'Entries into isolates: calls, timers, settled operations.', totals.map(([labels, t]) => ({ labels, value: t.entries })));
  add(name('cpu_soft_limits_total'), 'counter', 'Invocations that used 80 % of their CPU time.', totals.map(([labels, t]) => ({ labels, value: t.softLimits })));
  histogram('cold_start_seconds', 'Time from accept to response head of cold starts. The sum is an estimate from the buckets.', (t) => t.coldUs);
}

function histogramSamples(name: string, labels: Readonly<Record<string, string>>, histogram: LogHistogram): Sample[] {
  const pairs = histogram.toPairs();
  const samples: Sample[] = [];
  let counted = 0;
  let at = 0;
  for (const [i, bound] of BOUNDS_US.entries()) {
    const lastIndex = (FIRST_EXPONENT + 2 * i) * PER_OCTAVE;
    for (let pair = pairs[at]; pair !== undefined && pair[0] <= lastIndex; pair = pairs[at]) {
      counted += pair[1];
      at += 1;
    }
    samples.push({ metricName: `${name}_bucket`, labels: { ...labels, le: String(bound / 1e6) }, value: counted });
  }
  samples.push({ metricName: `${name}_bucket`, labels: { ...labels, le: '+Inf' }, value: histogram.total });
  const sumUs = pairs.reduce((sum, [index, count]) => sum + count * 2 ** ((index - 0.5) / PER_OCTAVE), 0);
  samples.push({ metricName: `${name}_sum`, labels, value: sumUs / 1e6 }, { metricName: `${name}_count`, labels, value: histogram.total });
  return samples;
}

function addShadows(add: Add, { mirrored, outcomes, skipped, dropped }: ShadowSums): void {
  const by = (label: string, counts: Iterable<readonly [string, number]>): Sample[] => [...counts].map(([key, value]) => ({ labels: { [label]: key }, value }));
  add('thimble_shadow_requests_total', 'counter', 'Requests that were repeated to a shadow.', [{ labels: {}, value: mirrored }]);
  add('thimble_shadow_outcomes_total', 'counter', 'Repeated requests by how their answers compared; lost: the shadow could not be run.', by('outcome', Object.entries(outcomes)));
  add('thimble_shadow_skipped_total', 'counter', 'Requests of a kind that is not repeated, by reason.', by('reason', skipped));
  add('thimble_shadow_dropped_total', 'counter', 'Requests that were not repeated for want of room, by reason.', by('reason', dropped));
}

function addNode(add: Add, figures: FigureStore): void {
  const gateways = (read: (g: GatewayState) => number): Sample[] =>
    [...figures.gateways].map(([gateway, node]) => ({ labels: { gateway }, value: read(node) }));
  add('thimble_gateway_in_flight', 'gauge', 'Requests under way.', gateways((g) => g.inFlight));
  add('thimble_gateway_queued', 'gauge', 'Requests that wait for a place.', gateways((g) => g.queued));
  add('thimble_gateway_clients', 'gauge', 'Open client connections.', gateways((g) => g.clients));
  add('thimble_gateway_revision', 'gauge', 'Revision of the route table in use.', gateways((g) => g.revision));
  add('thimble_gateway_table_age_seconds', 'gauge', 'Time since the route table was last heard to be current.', gateways((g) => g.tableAgeMs / 1_000));
  add('thimble_gateway_replays_total', 'counter', 'Requests that were sent again after a host was lost.', gateways((g) => g.replays));
  add('thimble_gateway_callers', 'gauge', 'Callers that limits per caller are counted for.', gateways((g) => g.callers?.tracked ?? 0));
  add('thimble_gateway_callers_crowded_total', 'counter', 'Requests of callers for whom there was no room to be counted apart.', gateways((g) => g.callers?.crowded ?? 0));
  add('thimble_gateway_last_good_answers', 'gauge', 'Last good answers that are kept.', gateways((g) => g.lastGood?.answers ?? 0));
  add('thimble_gateway_last_good_bytes', 'gauge', 'Bytes of last good answers that are kept.', gateways((g) => g.lastGood?.bytes ?? 0));
  add('thimble_gateway_slow_versions', 'gauge', 'Versions on the slow lane.', gateways((g) => g.slowVersions));
  add('thimble_gateway_spread_versions', 'gauge', 'Versions that more than one host keeps warm.', gateways((g) => g.spreadVersions));
  const byGateway = (label: string, read: (g: GatewayState) => Readonly<Record<string, number>>): Sample[] =>
    [...figures.gateways].flatMap(([gateway, node]) => Object.entries(read(node)).map(([key, value]) => ({ labels: { gateway, [label]: key }, value })));
  add('thimble_gateway_lane_changes_total', 'counter', 'Versions that changed to the slow lane or back to the fast one.', byGateway('lane', (g) => g.laneChanges));
  add('thimble_gateway_home_changes_total', 'counter', 'Versions that got another host, gave one up, or exchanged one for another.', byGateway('change', (g) => g.homeChanges));
  const standings = [...figures.standings.gateways];
  add('thimble_gateway_strikes_total', 'counter', 'Strikes that functions took for killed isolates and hosts, by reason.', standings.flatMap(([gateway, s]) => Object.entries(s.strikes).map(([reason, value]) => ({ labels: { gateway, reason }, value }))));
  add('thimble_gateway_standing_changes_total', 'counter', 'Changes of functions\' standing: quarantined, probed, released, penalised, returned, changed, pardoned.', standings.flatMap(([gateway, s]) => Object.entries(s.changes).map(([change, value]) => ({ labels: { gateway, change }, value }))));
  add('thimble_gateway_quarantined_functions', 'gauge', 'Functions in quarantine.', standings.map(([gateway, s]) => ({ labels: { gateway }, value: s.quarantined })));
  add('thimble_gateway_penalised_functions', 'gauge', 'Functions that run on penalty hosts.', standings.map(([gateway, s]) => ({ labels: { gateway }, value: s.penalised })));
  const hosts = [...figures.hosts.values()];
  add('thimble_host_isolates', 'gauge', 'Isolates alive.', hosts.map((h) => ({ labels: { host: h.host }, value: h.node.isolates })));
  add('thimble_host_running', 'gauge', 'Invocations under way.', hosts.map((h) => ({ labels: { host: h.host }, value: h.node.running })));
  add('thimble_host_queued', 'gauge', 'Entries and cold starts that wait for their turn.', hosts.map((h) => ({ labels: { host: h.host }, value: h.node.queued })));
  add('thimble_host_queue_waits_total', 'counter', 'Entries and cold starts that had to wait for their turn.', hosts.map((h) => ({ labels: { host: h.host }, value: h.node.waits })));
  add('thimble_host_queue_wait_seconds_total', 'counter', 'How long they waited in all.', hosts.map((h) => ({ labels: { host: h.host }, value: h.node.waitedMs / 1_000 })));
  add('thimble_host_cold_starts_total', 'counter', 'Isolates started.', hosts.map((h) => ({ labels: { host: h.host }, value: h.node.coldStarts })));
  const byReason = (read: (node: HostFigures['node']) => Readonly<Record<string, number>>): Sample[] =>
    hosts.flatMap((h) => Object.entries(read(h.node)).filter(([reason]) => REASON.test(reason)).slice(0, MAX_REASONS).map(([reason, value]) => ({ labels: { host: h.host, reason }, value })));
  const ofHosts = (read: (node: HostFigures['node']) => number): Sample[] => hosts.map((h) => ({ labels: { host: h.host }, value: read(h.node) }));
  add('thimble_host_kills_total', 'counter', 'Isolates killed, by reason.', byReason((node) => node.kills));
  add('thimble_host_retired_total', 'counter', 'Isolates that got no new invocations and drained, by reason.', byReason((node) => node.retired));
  add('thimble_host_reclaimed_total', 'counter', 'Isolates disposed of while nothing ran in them, by reason.', byReason((node) => node.reclaimed));
  add('thimble_host_retiring', 'gauge', 'Retired isolates in which something still runs.', ofHosts((node) => node.retiring));
  add('thimble_host_kept_warm', 'gauge', 'Isolates that stay although nobody calls.', ofHosts((node) => node.keptWarm));
  add('thimble_host_heap_bytes', 'gauge', 'Memory of all heaps and their buffers, each as it was last looked at.', ofHosts((node) => node.heapBytes));
  add('thimble_host_shrunk_total', 'counter', 'Isolates that rested and gave back memory.', ofHosts((node) => node.shrunk));
  add('thimble_host_collections_total', 'counter', 'Garbage collections that decided about the soft limit of memory.', ofHosts((node) => node.collections));
  add('thimble_host_snapshot_restores_total', 'counter', 'Isolates restored from version snapshots.', hosts.map((h) => ({ labels: { host: h.host }, value: h.snapshots.restored })));
  add('thimble_host_snapshot_bytes', 'gauge', 'Bytes of version snapshots and code caches that the host keeps.', hosts.map((h) => ({ labels: { host: h.host }, value: h.snapshots.bytes })));
  add('thimble_host_snapshot_fall_backs_total', 'counter', 'Versions loaded without their snapshot, by reason.', hosts.flatMap((h) => Object.entries(h.snapshots.fallBacks).filter(([reason]) => isSnapshotReason(reason)).map(([reason, value]) => ({ labels: { host: h.host, reason }, value }))));
  const { sidecar } = figures;
  if (sidecar === undefined) return;
  add('thimble_sidecar_calls_total', 'counter', 'Outgoing calls.', [{ labels: {}, value: sidecar.calls }]);
  add('thimble_sidecar_active', 'gauge', 'Outgoing calls under way.', [{ labels: {}, value: sidecar.active }]);
  add('thimble_sidecar_refused_total', 'counter', 'Outgoing calls refused by the egress policy.', [{ labels: {}, value: sidecar.refused }]);
  add('thimble_sidecar_failed_total', 'counter', 'Outgoing calls that failed.', [{ labels: {}, value: sidecar.failed }]);
  add('thimble_sidecar_sockets', 'gauge', 'Open upstream connections.', [{ labels: {}, value: sidecar.sockets }]);
}
