// A whole node: starts its processes in order, keeps them alive, and drains them in order.
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kindOfGroup, parseSettings, tierOfGroup } from '../core/config/index.ts';
import type { ConfinedPrograms, HostGroup, Isolation, ProcessState, Settings, SocketPaths, TestHosts } from '../core/config/index.ts';
import { PlatformError } from '../core/errors/index.ts';
import { createLogger } from '../core/log/index.ts';
import type { Logger } from '../core/log/index.ts';
import { childEnvironment, hostEnvironment } from './child-environment.ts';
import { lockData } from './data-lock.ts';
import type { DataLock } from './data-lock.ts';
import { startExamples } from './examples.ts';
import type { Examples } from './examples.ts';
import { POLL_MS } from './heartbeat.ts';
import { ProcessRecord, endLeftovers } from './leftovers.ts';
import type { LogOutput } from './log-output.ts';
import { ensureSecret } from './node-keys.ts';
import { OnDemandHosts } from './on-demand-hosts.ts';
import { ISOLATE_FLAGS, hostReads, planNode, programPath } from './node-plan.ts';
import type { HostGround, NodePlan } from './node-plan.ts';
import { finishRestore } from './pending-restore.ts';
import { buildPlatform } from './platform-build.ts';
import { probePort } from './port-probe.ts';
import { prepareSandbox, prepareUsers } from './sandbox/prepare.ts';
import { shareTree } from './sandbox/host-users.ts';
import type { HostUsers } from './sandbox/host-users.ts';
import { tryTools } from './sandbox/tools.ts';
import type { Tools } from './sandbox/tools.ts';
import { socketPaths } from './socket-paths.ts';
import { SupervisedProcess } from './supervised-process.ts';
import type { ProcessPlan } from './supervised-process.ts';
import { StandbyHosts } from './standby-hosts.ts';
import { planPrograms, planTestHosts } from './test-hosts.ts';

/** How often the control plane hears about every process without a change, milliseconds. */
const STATE_MS = 1_000;

/** Time from the last process being ready to the gateway saying so, milliseconds. */
const SERVING_MS = 15_000;

/** What the whole drain may take, milliseconds: below the 10 s that service managers commonly wait. */
const DRAIN_MS = 8_000;
/** Of it, kept for hosts, sidecar and control after the gateway has answered what runs. */
const DRAIN_REST_MS = 3_000;

export interface ReadyNode {
  readonly settings: Settings;
  /** File that holds a generated token; undefined when the settings gave it. */
  readonly tokenFile: string | undefined;
  /** An example is deployed that a user can try. */
  readonly examplesThere: boolean;
}

export class ThimbleNode {
  readonly #output: LogOutput;
  readonly #logger: Logger;
  readonly #settings: Settings;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #runFolder: string;
  readonly #record: ProcessRecord;
  readonly #stop = new AbortController();
  #all: { readonly kind: ProcessState['kind']; readonly process: SupervisedProcess }[] = [];
  #lock: DataLock | undefined;
  #disposeSockets: (() => void) | undefined;
  #examples: Examples | undefined;
  readonly #onDemand = new Map<HostGroup, OnDemandHosts>();
  readonly #standbys: StandbyHosts;
  #isolation: Isolation | null = null;
  /** undefined: not known yet; null: there is none. */
  #platformFolder: string | null | undefined;
  #testHosts: TestHosts | undefined;
  #confined: ConfinedPrograms | undefined;
  #timers: NodeJS.Timeout[] = [];
  #ending: Promise<void> | undefined;

  /** @throws settings_invalid */
  constructor(environment: Readonly<Record<string, string | undefined>>, output: LogOutput) {
    this.#settings = parseSettings(environment);
    this.#environment = environment;
    this.#output = output;
    this.#logger = this.#loggerFor('supervisor');
    this.#runFolder = join(this.#settings.dataFolder, 'run');
    this.#record = new ProcessRecord(join(this.#runFolder, 'processes.json'));
    this.#standbys = new StandbyHosts({
      journalFolder: this.#runFolder,
      loggerFor: (name) => this.#loggerFor(name),
      onSpawn: (name, pid) => this.#record.set(name, pid),
      onChange: () => this.#tellState(),
      onLogLine: (line) => this.#output.write(line),
    });
  }

  /**
   * Starts everything; resolves when the node serves.
   *
   * @throws data_locked, port_taken, settings_invalid  nothing was started
   * @throws unavailable  a part did not start; the cause says why, and the caller ends the rest with `kill`
   */
  async start(): Promise<ReadyNode> {
    const { settings } = this;
    makeDataFolder(settings.dataFolder);
    this.#lock = await lockData(settings.dataFolder);
    if (this.#lock.abandoned) {
      const stuck = await endLeftovers(join(this.#runFolder, 'processes.json'));
      this.#logger.warn({ stuck }, 'the last node on this data folder was killed');
    }
    const replaced = finishRestore(settings.dataFolder);
    if (replaced !== undefined) this.#logger.warn({ replaced }, 'a restore that was interrupted is done now');
    await probePort(settings.host, settings.port, 'THIMBLE_PORT');
    await probePort(settings.host, settings.controlPort, 'THIMBLE_CONTROL_PORT');
    const tokenFile = join(settings.dataFolder, 'admin.token');
    const token = ensureSecret('THIMBLE_TOKEN', settings.token, tokenFile);
    const nodeKey = ensureSecret('THIMBLE_SECRET_KEY', settings.secretKey, join(settings.dataFolder, 'secret.key'));
    const { sockets, dispose } = socketPaths(this.#runFolder);
    this.#disposeSockets = dispose;
    this.#stop.signal.throwIfAborted();
    if (settings.examples) this.#examples = await startExamples({ dataFolder: settings.dataFolder, environment: childEnvironment(this.#environment), start: (plan) => this.#startDemo(plan), logger: this.#logger });
    const plan = planNode({ settings, environment: this.#environment, sockets, runFolder: this.#runFolder, token, nodeKey, exampleEgress: this.#examples?.egress ?? [] });
    const users = prepareUsers(settings, plan.tiers, sockets);
    // The timers run from here: a host may already hang while another one starts.
    this.#timers = [setInterval(() => this.#poll(), POLL_MS), setInterval(() => this.#tellState(), STATE_MS)];
    const tools = tryTools(this.#environment['PATH']);
    const platform = buildPlatform({ nodeFlags: ISOLATE_FLAGS, entry: programPath('isolates/platform/build'), args: [join(settings.dataFolder, 'platform')], environment: childEnvironment(this.#environment) }, this.#logger, this.#stop.signal);
    const [ground] = await Promise.all([this.#lookAround(plan, users, sockets, platform, tools), this.#start('control', plan.control), this.#start('sidecar', plan.sidecar)]);
    const hostPlans = plan.hosts(ground);
    await Promise.all([...hostPlans].flatMap(([tier, hosts]) => hosts.map(async (host) => this.#start('host', { ...host, standby: () => this.#standbys.take(tier) }))));
    for (const [group, plans] of plan.onDemandHosts(ground)) {
      // A version on the slow lane holds its neighbours until its host is there.
      const standby = kindOfGroup(group) === 'slow' ? { standby: () => this.#standbys.take(tierOfGroup(group)) } : {};
      this.#onDemand.set(group, new OnDemandHosts({ plans, create: (host) => this.#add('host', { ...host, ...standby }), forget: (process) => this.#forget(process), logger: this.#logger }));
    }
    await this.#start('gateway', plan.gateway);
    await this.#untilServing();
    this.#standbys.start(hostPlans);
    const examplesThere = (await this.#examples?.deploy(`http://${reachable(settings.host)}:${settings.controlPort}`, token, this.#stop.signal)) ?? false;
    this.#stop.signal.throwIfAborted();
    return { settings, tokenFile: settings.token === undefined ? tokenFile : undefined, examplesThere };
  }

  /** What hosts stand on: the platform, and what confines them on this machine. */
  async #lookAround({ tiers, hostMemory }: NodePlan, users: HostUsers | undefined, sockets: SocketPaths, platform: Promise<string | null>, tools: Promise<Tools>): Promise<HostGround> {
    const { settings } = this;
    const platformFolder = await platform;
    if (users !== undefined && platformFolder !== null) shareTree(platformFolder, users.sharedGid);
    const { sandbox, isolation } = await prepareSandbox({
      mode: settings.sandbox, users, tiers, memory: hostMemory,
      probe: programPath('supervisor/sandbox/probe'),
      readable: (tier) => hostReads(settings.dataFolder, tier, platformFolder),
      reached: [`${dirname(sockets.gateway)}/`],
      environment: hostEnvironment(this.#environment),
    }, tools, this.#logger);
    this.#isolation = isolation;
    this.#platformFolder = platformFolder;
    this.#testHosts = planTestHosts(settings, this.#environment, tiers, { platformFolder, sandbox });
    this.#confined = planPrograms(settings, tiers, { platformFolder, sandbox });
    this.#tellState();
    return { platformFolder, sandbox };
  }

  /** Hosts connect to the gateway on their own: ready means that a call is answered without waiting for them. */
  async #untilServing(): Promise<void> {
    const url = `http://${reachable(this.#settings.host)}:${this.#settings.port}/.thimble/readyz`;
    for (const giveUpAt = performance.now() + SERVING_MS; performance.now() < giveUpAt; await sleep(20)) {
      try {
        const response = await fetch(url, { signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(1_000)]) });
        await response.arrayBuffer();
        if (response.ok) return;
      } catch {
        this.#stop.signal.throwIfAborted();
      }
    }
    throw new PlatformError('unavailable', { part: 'gateway' }, { cause: new Error(`not serving within ${SERVING_MS} ms`) });
  }

  get settings(): Settings {
    return this.#settings;
  }

  get logger(): Logger {
    return this.#logger;
  }

  /** Gateway first: it answers what runs and takes nothing new; then what it needs no more. Bounded by 8 s in all. */
  async drain(): Promise<void> {
    this.#ending ??= this.#end(async () => {
      // A service manager may signal every process of the node at once: those that end on their own are not started again.
      for (const { process } of this.#all) process.retire();
      this.#examples?.process.retire();
      const endAt = performance.now() + DRAIN_MS;
      const left = (keepMs = 0): number => Math.max(200, endAt - performance.now() - keepMs);
      await this.#drainKind('gateway', left(DRAIN_REST_MS));
      await this.#drainKind('host', left(1_000));
      await Promise.all([this.#drainKind('sidecar', left(500)), this.#examples?.process.drain(left(500))]);
      await this.#drainKind('control', left());
    });
    await this.#ending;
  }

  /** Ends every process at once, also in the middle of a drain. */
  async kill(): Promise<void> {
    const killAll = async (): Promise<void> => {
      await Promise.all([...this.#all.map(async ({ process }) => process.kill()), this.#examples?.process.kill()]);
    };
    if (this.#ending === undefined) this.#ending = this.#end(killAll);
    else await killAll();
    await this.#ending;
  }

  async #end(endProcesses: () => Promise<void>): Promise<void> {
    this.#stop.abort(new PlatformError('unavailable', { part: 'the node' }));
    this.#standbys.close();
    await endProcesses();
    for (const timer of this.#timers) clearInterval(timer);
    this.#disposeSockets?.();
    // Nothing was started without the lock, and the files belong to its owner.
    if (this.#lock !== undefined) this.#record.clear();
    this.#lock?.release();
  }

  #loggerFor(name: string): Logger {
    return createLogger({ name, level: this.#settings.logLevel, destination: this.#output });
  }

  #create(plan: ProcessPlan, onChange: () => void): SupervisedProcess {
    return new SupervisedProcess(plan, this.#loggerFor(plan.name), {
      onChange,
      onSpawn: (name, pid) => this.#record.set(name, pid),
      onLogLine: (line) => this.#output.write(line),
      onMessage: (message) => {
        if (message.type === 'host-group' && !this.#stop.signal.aborted) this.#onDemand.get(message.group)?.want(message.wanted);
      },
      onJournal: (host, pid, { onThread, entered, cause }) => this.#send('gateway', { type: 'host-died', host, pid, onThread, entered, cause }),
    });
  }

  async #start(kind: ProcessState['kind'], plan: ProcessPlan): Promise<void> {
    this.#stop.signal.throwIfAborted();
    await this.#add(kind, plan).start();
  }

  #add(kind: ProcessState['kind'], plan: ProcessPlan): SupervisedProcess {
    const process = this.#create(plan, () => this.#tellState());
    this.#all.push({ kind, process });
    return process;
  }

  #forget(gone: SupervisedProcess): void {
    // In the middle of a drain its end is still waited for.
    if (this.#stop.signal.aborted) return;
    this.#all = this.#all.filter(({ process }) => process !== gone);
    this.#tellState();
  }

  /** A process of the demo: kept alive like the others, but no part of the node's health. */
  #startDemo(plan: ProcessPlan): { readonly process: SupervisedProcess; readonly started: Promise<void> } {
    this.#stop.signal.throwIfAborted();
    const demo = this.#create(plan, () => {});
    return { process: demo, started: demo.start() };
  }

  async #drainKind(kind: ProcessState['kind'], withinMs: number): Promise<void> {
    await Promise.all(this.#all.filter((one) => one.kind === kind).map(async ({ process }) => process.drain(withinMs)));
  }

  #send(kind: ProcessState['kind'], message: Parameters<SupervisedProcess['send']>[0]): void {
    for (const one of this.#all) if (one.kind === kind) one.process.send(message);
  }

  #poll(): void {
    for (const { process } of this.#all) process.poll();
  }

  #tellState(): void {
    this.#send('control', { type: 'node-state', processes: [...this.#all.map(({ kind, process }) => process.describe(kind)), ...this.#standbys.states()], isolation: this.#isolation, ...(this.#platformFolder === undefined ? undefined : { platformFolder: this.#platformFolder }), ...(this.#testHosts === undefined ? undefined : { testHosts: this.#testHosts }), ...(this.#confined === undefined ? undefined : { confined: this.#confined }) });
  }
}

function makeDataFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    mkdirSync(join(folder, 'run'), { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new PlatformError('settings_invalid', { errors: [{ path: 'THIMBLE_DATA', message: `${folder} cannot be made: ${(cause as NodeJS.ErrnoException).code ?? 'unknown'}` }] }, { cause });
  }
}

/** The host part of a URL by which this machine reaches what listens on `host`. */
export function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
