// Alerts alone, on a fake clock: figures and what isolates hold are pushed, webhook calls are caught.
import { Alerts } from '../../control/alerts/index.ts';
import type { WebhookAnswer, WebhookCall } from '../../control/alerts/index.ts';
import { Catalog, Ledger } from '../../control/model/index.ts';
import { SecondSeries } from '../../control/sensing/index.ts';
import { deriveTierKey } from '../../core/crypto/index.ts';
import { createLogger } from '../../core/log/index.ts';
import type { OrderedRows } from '../../core/ports/index.ts';
import type { HostFigures, Peer, VersionFigures } from '../../core/protocol/index.ts';
import { alertPutSchema } from '../../core/schemas/index.ts';
import { MemoryRows } from './control-memory-rows.ts';
import { MemoryStore } from './control-memory-store.ts';
import { T0, gatewayFrame, increments } from './sensing.ts';

const KEY = deriveTierKey('test-node-key', 'default');
const ACTOR = { name: 'admin', from: '127.0.0.1' };
export const URL_OF_SINK = 'http://sink.test/hooks/very-secret-path';
export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

export interface Sent extends WebhookCall {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>> & { readonly alerts: readonly Record<string, unknown>[] };
}

export interface AlertStand {
  readonly alerts: Alerts;
  readonly series: SecondSeries;
  readonly clock: { ms: number };
  /** What was sent, in order, failed attempts too. */
  readonly sent: Sent[];
  /** Of further calls; may wait. Default: 200. */
  answer: (call: WebhookCall) => WebhookAnswer | Promise<WebhookAnswer>;
  readonly tenants: Map<string, string>;
  readonly store: MemoryStore;
  readonly log: () => string;
  readonly put: (id: string, rule: unknown) => Promise<void>;
  /** One second: what happened in it, then a look at it. */
  readonly second: (...versions: readonly VersionFigures[]) => Promise<void>;
  readonly seconds: (n: number, make?: () => readonly VersionFigures[]) => Promise<void>;
  readonly hold: (rows: readonly (readonly [fn: string, bytes: number])[]) => void;
  /** Another life with what the first one stored; the first sends nothing more. */
  readonly restart: () => Promise<AlertStand>;
}

export const status = (code: number, retryAfterS = 0): WebhookAnswer => ({ status: code, error: code >= 200 && code < 300 ? '' : `it answered ${code}`, retryAfterS });
export const bad = (fn: string, n = 30): VersionFigures => increments(fn, 1, 0, { function_threw: n });
export const good = (fn: string, n = 30): VersionFigures => increments(fn, 1, n);

interface Life {
  readonly rows: OrderedRows;
  readonly store: MemoryStore;
  readonly clock: { ms: number };
  readonly tenants: Map<string, string>;
  readonly sent: Sent[];
}

export function alertStand(rowsOf: (rows: OrderedRows) => OrderedRows = (rows) => rows): AlertStand {
  return begin({ rows: new MemoryRows(), store: new MemoryStore(), clock: { ms: T0 }, tenants: new Map([['f', 'default'], ['g', 'default'], ['h', 'lab']]), sent: [] }, rowsOf);
}

function begin(life: Life, rowsOf: (rows: OrderedRows) => OrderedRows): AlertStand {
  const { store, clock, tenants, sent } = life;
  const rows = rowsOf(life.rows);
  let log = '';
  const logger = createLogger({ name: 'control', level: 'info', destination: { write: (line: string) => void (log += line) } });
  const seconds = new SecondSeries({ now: () => clock.ms, onFigures: (row) => alerts.evaluator.heard(row.function) });
  const ledger = new Ledger({ store, catalog: Catalog.load(store), onCommit: () => {} });
  const alerts: Alerts = new Alerts({
    store, ledger, seconds, rows: () => rows, key: KEY, tenantOf: (fn) => tenants.get(fn), logger, now: () => clock.ms, random: () => 0.5,
    call: async (call) => {
      const { type, data } = JSON.parse(call.body) as Sent;
      sent.push({ ...call, type, data });
      return stand.answer(call);
    },
  });
  const second = async (...versions: readonly VersionFigures[]): Promise<void> => {
    const from = clock.ms;
    clock.ms += 1_001;
    seconds.takeGateway('gateway', gatewayFrame([from, clock.ms - 501], versions), (fn) => tenants.has(fn));
    seconds.takeGateway('gateway', gatewayFrame([clock.ms - 501, clock.ms], []), () => true);
    clock.ms -= 1;
    alerts.tick();
    // What the fake sink answers is taken in a turn of its own.
    await new Promise((resolve) => setImmediate(resolve));
  };
  const stand: AlertStand = {
    alerts, series: seconds, clock, sent, tenants, store,
    answer: () => status(200),
    log: () => log,
    put: async (id, rule) => {
      await alerts.rules.put(ACTOR, id, alertPutSchema.parse(rule));
    },
    second,
    seconds: async (n, make = () => []) => {
      for (let i = 0; i < n; i++) await second(...make());
    },
    hold: (held) => seconds.takeHost({ role: 'host', name: 'host-1', epoch: 1, pid: 1 } as Peer, { versions: held.map(([fn, memoryBytes]) => ({ function: fn, version: 1, memoryBytes, isolates: 1 })) } as unknown as HostFigures),
    restart: async () => {
      await alerts.close(0);
      return begin(life, (found) => found);
    },
  };
  return stand;
}
