// Puts the control plane together from its boot message, and takes it down again.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_TIER } from '../core/config/index.ts';
import type { ControlBoot, ToChild } from '../core/config/index.ts';
import { newEpoch } from '../core/ids/index.ts';
import type { Logger } from '../core/log/index.ts';
import type { OrderedRows, RowStore } from '../core/ports/index.ts';
import type { ChildProgram } from '../core/process/index.ts';
import { Backups } from './backup/index.ts';
import { Alerts, alertMetrics, announceRollout } from './alerts/index.ts';
import { BuildCache, Builder, TierFiles } from './builder/index.ts';
import { FailedAttempts, Gatekeeper, Tokens } from './access/index.ts';
import { listenFrames } from './frames.ts';
import { Gates } from './gates/index.ts';
import { NodeHealth } from './health.ts';
import { Invoker, invokeFunction, pardonFunction } from './invoke/index.ts';
import { LogStore } from './logs/index.ts';
import { Catalog, EmergencySwitches, Functions, Ledger, Purge, Shadowing, Tenants, Tiers, TrafficControl, VersionNames, Versions, beginLife, canonicalJson, frozenBy } from './model/index.ts';
import { RoutePush } from './push/index.ts';
import { Rollouts, rolloutMetrics } from './rollouts/index.ts';
import { ShadowStore } from './shadows/index.ts';
import { SnapshotFiles, Snapshots } from './snapshots/index.ts';
import { IdempotencyKeys, createApp, endpoints, listenHttp, nodeEndpoints, openApi, standingEndpoints } from './rest/index.ts';
import type { Endpoint } from './rest/index.ts';
import { Minutes, SecondSeries, SeriesReader, sensingMetrics } from './sensing/index.ts';
import { FigureStore, renderMetrics } from './stats/index.ts';
import { openLmdbRows, openLmdbStore } from './store/index.ts';

export interface ControlPlane extends ChildProgram {
  /** Where REST listens; differs from the boot message's when that says 0. */
  readonly port: number;
}

const REVIEW_MS = 60_000;
const SECOND_MS = 1_000;
/** Notifications under way are waited for so long at a drain; the next life sends again what was not over. */
const ALERTS_MS = 500;
/** Of the API's description; grows when the contract does. */
const API_RELEASE = '1.0.0';

/**
 * Starts the control plane: opens the store, collects orphans, warms the builder, listens on the socket and on HTTP.
 *
 * @throws port_taken, storage_failed
 */
export async function startControlPlane(boot: ControlBoot, logger: Logger): Promise<ControlPlane> {
  // A process of its own, that starts while this one reads the store.
  const builder = new Builder();
  const warming = builder.warm();
  warming.catch(() => {});
  const store = openLmdbStore(join(boot.dataFolder, 'control'), { onMigrated: ({ to, what }) => logger.info({ format: to, what }, 'the store was brought to a new form') });
  const life = await beginLife(store);
  const catalog = Catalog.load(store);
  const tierKeys = new Map(Object.entries(boot.tierKeys).map(([tier, key]) => [tier, Buffer.from(key, 'base64')]));
  const files = new TierFiles({ dataFolder: boot.dataFolder, canonical: canonicalJson });
  const tiers = new Tiers({ keys: tierKeys, catalog, files, logger });
  for (const tier of new Set([...tiers.names, ...(await files.onDisk())])) {
    await files.of(tier).prepare();
    const removed = await files.of(tier).collect(catalog.digestsOf(tier), Date.parse(life.createdAt));
    if (removed > 0) logger.info({ removed, tier }, 'folders of versions that no function of their tier has are removed');
  }

  const push = new RoutePush({ source: catalog, epoch: life.epoch, origin: life.origin, former: life.former, logger });
  const logs = new LogStore({ exists: (name) => catalog.get(name) !== undefined });
  let rowStore: RowStore | undefined;
  // Apart from records: what is written here each minute must neither raise their revision nor stop them when it fails.
  const rows = (name: string): OrderedRows => (rowStore ??= openLmdbRows(join(boot.dataFolder, 'control-figures'))).rows(name);
  const minutes = new Minutes({ open: () => rows('minutes'), now: Date.now, logger });
  const seconds = new SecondSeries({ now: Date.now, onFigures: (row, second, held) => {
    minutes.add(row, second, held);
    alerts.evaluator.heard(row.function);
  } });
  const series = new SeriesReader(seconds, minutes, Date.now);
  const figures = new FigureStore({ tenantOf: (name) => catalog.get(name)?.record.tenant, seconds });
  const shadows = new ShadowStore({ shadowOf: (name) => catalog.get(name)?.record.shadow ?? undefined });
  const snapshots = new Snapshots({ store, catalog, files: (tier) => new SnapshotFiles(boot.dataFolder, tier), programs: boot.snapshots, logger });
  const ledger = new Ledger({
    store,
    catalog,
    accompany: (changes, actor, now) => rollouts.accompany(changes, actor, now),
    frozen: (name) => frozenBy(store, catalog, name),
    onCommit: (previous, revision, names) => {
      push.publish(previous, revision, names);
      snapshots.changed(names);
      for (const name of names) {
        shadows.changed(name);
        if (catalog.get(name) !== undefined) continue;
        logs.forget(name);
        figures.forget(name);
      }
    },
  });
  const tokens = new Tokens({ store, ledger });
  const attempts = new FailedAttempts(logger);
  const gatekeeper = new Gatekeeper({ nodeToken: boot.token, tokens, attempts });
  const idempotencyKeys = new IdempotencyKeys({ store, logger });
  const alerts = new Alerts({ store, ledger, seconds, rows: () => rows('alerts'), key: tierKeys.get(DEFAULT_TIER), tenantOf: (name) => catalog.get(name)?.record.tenant, logger });
  const functions = new Functions({ catalog, ledger, tiers });
  const purge = new Purge({ catalog, ledger, files, logger, inRollout: (name) => rollouts.versionsInUse(name), onPurged: (name, numbers) => snapshots.forget(name, numbers) });
  const gates = new Gates({
    builder, files, dataFolder: boot.dataFolder, socket: boot.sockets.gateway, logger,
    send: (name, version, request) => invoker.invoke(name, version, 'http', JSON.stringify(request), ''),
    whenApplied: (revision) => push.whenApplied(revision),
  });
  const versions = new Versions({ store, catalog, ledger, builds: new BuildCache(builder), files, gates, afterDeploy: (name) => purge.retain(name) });
  const backups = new Backups({ store, ledger, files, dataFolder: boot.dataFolder, logger });
  await backups.collect();
  const versionNames = new VersionNames(catalog, ledger);
  const traffic = new TrafficControl(catalog, ledger);
  const rollouts = new Rollouts({ store, catalog, ledger, series: seconds, logger });
  const emergency = new EmergencySwitches({ store, catalog, ledger });
  const shadowing = new Shadowing(catalog, ledger);
  rollouts.subscribe((event) => alerts.notify(announceRollout(event)));
  const tenants = new Tenants(catalog, ledger, () => frames.pushQuotas());
  const health = new NodeHealth(() => push.synced);
  const invoker = new Invoker(boot.sockets.gateway, { role: 'control', name: 'control', epoch: newEpoch() }, logger);

  const metrics = (): Promise<string> =>
    renderMetrics({
      figures,
      snapshotBuilds: snapshots.builds,
      shadows: shadows.sums,
      processes: health.processes,
      control: {
        thimble_control_functions: { help: 'Functions.', value: catalog.size },
        thimble_control_revision: { help: 'Revision of the store.', value: catalog.revision },
        thimble_control_gateways: { help: 'Gateways that have a route table.', value: push.synced },
        thimble_control_log_characters: { help: 'Characters of function logs that are kept.', value: logs.characters },
        thimble_control_builder_restarts_total: { help: 'Times that the build process had to be started again.', value: builder.restarts },
        thimble_control_gates_passed_total: { help: 'Uploads that passed their gates.', value: gates.counts.passed },
        thimble_control_gates_failed_total: { help: 'Uploads that did not pass their gates.', value: gates.counts.failed },
        thimble_control_test_hosts: { help: 'Hosts that run the tests of an upload.', value: gates.running },
        thimble_control_snapshots_waiting: { help: 'Versions whose snapshot is being built, or waits for it.', value: snapshots.waiting },
        ...sensingMetrics(seconds, minutes),
        ...alertMetrics(alerts),
        thimble_control_auth_failures_total: { help: 'Wrong, expired or revoked tokens that came.', value: attempts.failures },
        thimble_control_auth_refused_total: { help: 'Requests refused unread, since their address had sent too many wrong tokens.', value: attempts.refused },
        ...rolloutMetrics(rollouts),
        thimble_control_figures_rejected_total: { help: 'Frames of figures that were refused.', value: figures.rejected + shadows.rejected },
      },
    });
  const api = endpoints({
    store,
    tokens,
    auditHead: () => ledger.head,
    catalog,
    functions,
    tenants,
    versions,
    versionNames,
    purge,
    backups,
    traffic,
    rollouts,
    emergency,
    shadowing,
    shadows,
    snapshots,
    logs,
    figures,
    series,
    alerts,
    whenApplied: (revision) => push.whenApplied(revision),
    invoke: (name, body) => invokeFunction(invoker, name, body),
  });
  // Described when it is first asked for: the document describes itself too.
  let described: unknown;
  const standing = standingEndpoints({ catalog, figures, whenApplied: (revision) => push.whenApplied(revision), pardon: (actor, name, before) => pardonFunction(invoker, ledger, actor, name, before) });
  const all: readonly Endpoint[] = [...api, ...standing, ...nodeEndpoints({ health, metrics, openApi: (): unknown => (described ??= openApi(all, API_RELEASE)) })];
  const app = createApp({ endpoints: all, gatekeeper, tokens, idempotencyKeys, lookup: (name) => catalog.get(name)?.record, logger });

  await warming;
  const frames = await listenFrames(boot.sockets.control, { push, logs, figures, subrequestRates: () => catalog.subrequestRates(), snapshots, shadows, logger });
  const http = await listenHttp(app, boot.host, boot.port);
  // What is not told to anybody may fail: the next minute, or the next start, has it again.
  const unsaved = (thrown: unknown): void => logger.warn({ err: thrown }, 'uses of tokens are not saved, or old idempotency keys not removed');
  const review = setInterval(() => {
    figures.review();
    tokens.saveUses().catch(unsaved);
    idempotencyKeys.sweep().catch(unsaved);
  }, REVIEW_MS);
  review.unref();
  const eachSecond = setInterval(() => {
    seconds.review();
    void minutes.flush();
    minutes.expire();
    alerts.tick();
  }, SECOND_MS);
  eachSecond.unref();
  rollouts.open();
  logger.info({ port: http.port, functions: catalog.size, revision: store.revision, auditHead: `${ledger.head.sequence}:${ledger.head.hash}` }, 'the control plane listens');
  // Beside requests: nobody waits for what it finds, and thousands of folders take seconds to read.
  checkLiveFiles(files, tiers, catalog, logger).catch((thrown: unknown) => logger.error({ err: thrown }, 'the files of live versions were not all checked'));

  return {
    port: http.port,
    onMessage: (message: ToChild) => {
      if (message.type !== 'node-state') return;
      health.update(message.processes, message.isolation);
      if (message.confined !== undefined) snapshots.confine(message.confined);
      if (message.testHosts !== undefined) gates.setHosts(message.testHosts);
      if (message.platformFolder !== undefined) snapshots.setPlatform(message.platformFolder);
      if (message.processes.some((p) => p.kind === 'gateway')) push.expect();
    },
    drain: async (withinMs) => {
      health.drain();
      clearInterval(review);
      clearInterval(eachSecond);
      // Followers would hold the server open for ever.
      logs.close();
      await gates.close();
      await http.close(withinMs);
      await rollouts.close();
      await snapshots.close();
      // The copy of the store reads it from a thread of its own.
      await Promise.race([backups.idle(), sleep(withinMs, undefined, { ref: false })]);
      await ledger.idle();
      await tokens.saveUses().catch(unsaved);
      invoker.close();
      frames.close();
      await builder.stop();
      await alerts.close(ALERTS_MS);
      await minutes.flush(true);
      await rowStore?.close();
      await store.close();
    },
  };
}

/** Names live versions whose files are missing or damaged: hosts would refuse them. Each folder is read once, however many functions have it. */
async function checkLiveFiles(files: TierFiles, tiers: Tiers, catalog: Catalog, logger: Logger): Promise<void> {
  const live = new Map<string, { readonly function: string; readonly version: number; readonly tier: string; readonly digest: string }>();
  for (const route of catalog.routes()) {
    if (tiers.key(route.tier) === undefined) logger.error({ function: route.name, tier: route.tier }, 'the node has no hosts for the tier of this function: name the tier in THIMBLE_TIERS, or give the function another');
    for (const { version } of route.traffic?.split ?? []) {
      const digest = route.versions[String(version)];
      if (digest === undefined) logger.error({ function: route.name, version }, 'a live version has no record: deploy it again');
      else if (!live.has(`${route.tier}/${digest}`)) live.set(`${route.tier}/${digest}`, { function: route.name, version, tier: route.tier, digest });
    }
  }
  for (const first of live.values()) {
    if (!(await files.of(first.tier).sound(first.digest))) logger.error(first, 'the files of a live version are missing or damaged: deploy it again');
  }
}
