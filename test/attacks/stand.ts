// A whole node under attack: two hosts, an upstream, neighbours of other tenants who are asked all the time, and what must be true after each attack.
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, bootNode } from '../support/node.ts';
import type { Answer, TestNode } from '../support/node.ts';
import { LIMITS } from './attack.ts';
import type { Attack, AttackCall, Outcome } from './attack.ts';
import { loadedMachine } from './machine.ts';
import { Neighbours } from './neighbours.ts';
import { startUpstream } from './upstream.ts';
import type { Upstream } from './upstream.ts';

/** From the answer of an attack to the node being whole, milliseconds. */
const WHOLE_MS = 2_000;
/** Longer than any wall limit of an attack: an attack that hits it hangs. */
const HANG_MS = 30_000;
/** Processes that no attack may cost. */
const STEADY = ['supervisor', 'gateway', 'control', 'sidecar'];

interface Health {
  readonly ready: boolean;
  readonly missing: readonly string[];
  readonly processes: readonly { readonly name: string; readonly kind: string; readonly pid: number | null; readonly state: string }[];
}

export class Stand {
  readonly node: TestNode;
  readonly upstream: Upstream;
  readonly neighbours: Neighbours;
  readonly #hosts: number;
  #texts: string[] = [];
  #cleanups: (() => void)[] = [];

  private constructor(node: TestNode, upstream: Upstream, hosts: number) {
    this.node = node;
    this.upstream = upstream;
    this.#hosts = hosts;
    this.neighbours = new Neighbours(node);
  }

  static async start(hosts = 2): Promise<Stand> {
    const upstream = await startUpstream();
    const node = await bootNode({ hosts, env: { THIMBLE_EGRESS_ALLOW: `127.0.0.1:${upstream.port}`, THIMBLE_LOG_LEVEL: 'warn' } });
    upstream.gatewayPort = node.port;
    const stand = new Stand(node, upstream, hosts);
    await stand.neighbours.deploy(upstream.origin);
    await stand.whole();
    return stand;
  }

  async stop(): Promise<void> {
    await this.neighbours.rest();
    await this.node.stop();
    await this.upstream.stop();
  }

  async deploy(attack: Attack, fn: string): Promise<void> {
    const { limits, env, ...rest } = attack.settings ?? {};
    await this.node.deploy(fn, attack.source, {
      tenant: 'attacker', limits: limits ?? LIMITS, ...rest,
      env: { UPSTREAM: this.upstream.origin, GATEWAY: `http://127.0.0.1:${this.node.port}/`, CONTROL: `http://127.0.0.1:${this.node.controlPort}/healthz`, SELF: fn, ...(env as object | undefined) },
    });
  }

  /**
   * One round of the attack, with neighbours asked all the while; then everything that must be true.
   *
   * @param quarantined  the function may have been killed often enough by now
   */
  async attack(attack: Attack, fn: string, quarantined = false): Promise<readonly Outcome[]> {
    const before = await this.pids();
    this.neighbours.work();
    this.#texts = [];
    const outcomes: Outcome[] = [];
    try {
      if (attack.act !== undefined) outcomes.push(...(await attack.act(this, fn)));
      else for (const call of attack.calls ?? [{}]) outcomes.push(...(await this.call(fn, call)));
      const whole = await this.whole();
      const wrong = await this.neighbours.rest();
      const after = await this.pids();
      const strange = outcomes.filter((outcome) => !attack.may.includes(outcome) && !(quarantined && outcome === 'quarantined'));
      if (strange.length > 0) throw new Error(`${attack.name} came to ${strange.join(', ')}; may be ${attack.may.join(', ')}\n${this.#texts.join('\n').slice(0, 2_000)}`);
      if (wrong.length > 0) throw new Error(`${attack.name}: neighbours got ${wrong.length} wrong answers: ${wrong.slice(0, 5).join('; ')}`);
      this.#compare(attack, before, after);
      if (whole > WHOLE_MS * loadedMachine()) throw new Error(`${attack.name}: the node was whole again after ${Math.round(whole)} ms`);
      if (!quarantined) attack.check?.(this.#texts);
      return outcomes;
    } finally {
      await this.neighbours.rest();
      for (const cleanup of this.#cleanups.splice(0)) cleanup();
    }
  }

  /** One repetition: only the attack itself, whose answers must be of the same kinds. Neighbours are asked in `attack`. */
  async again(attack: Attack, fn: string): Promise<void> {
    await this.pardon(fn);
    this.#texts = [];
    try {
      const outcomes: Outcome[] = [];
      if (attack.act !== undefined) outcomes.push(...(await attack.act(this, fn)));
      else for (const call of attack.calls ?? [{}]) outcomes.push(...(await this.call(fn, call)));
      const strange = outcomes.filter((outcome) => !attack.may.includes(outcome) && outcome !== 'quarantined');
      if (strange.length > 0) throw new Error(`${attack.name}, repeated, came to ${strange.join(', ')}; may be ${attack.may.join(', ')}\n${this.#texts.join('\n').slice(0, 2_000)}`);
    } finally {
      for (const cleanup of this.#cleanups.splice(0)) cleanup();
    }
  }

  #compare(attack: Attack, before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): void {
    const gone = Object.keys(before).filter((name) => before[name] !== after[name]);
    const forbidden = gone.filter((name) => STEADY.includes(name) || (name.startsWith('host-') && attack.kills === undefined));
    if (forbidden.length > 0) throw new Error(`${attack.name} killed ${forbidden.join(', ')}\n${this.node.output.slice(-2_000)}`);
  }

  /** Calls of an attack and what they came to. */
  async call(fn: string, { atOnce = 1, ...options }: AttackCall): Promise<Outcome[]> {
    const answers = await Promise.all(Array.from({ length: atOnce }, async () => this.node.call(fn, options.path ?? '/', { ...options, timeoutMs: HANG_MS })));
    for (const answer of answers) this.#texts.push(answer.text);
    return answers.map(outcomeOf);
  }

  /** Something to be ended after the check of the neighbours. */
  later(cleanup: () => void): void {
    this.#cleanups.push(cleanup);
  }

  async pause(ms: number): Promise<void> {
    await sleep(ms);
  }

  async health(): Promise<Health | undefined> {
    const answer = await ask(this.node.controlPort, { path: '/healthz', timeoutMs: 2_000 });
    return answer.status === 200 ? (JSON.parse(answer.text) as Health) : undefined;
  }

  /** Resident processes of the node; those that run on demand and the standby come and go. */
  async pids(): Promise<Readonly<Record<string, number>>> {
    const health = await this.health();
    const all = (health?.processes ?? []).filter(({ name }) => STEADY.includes(name) || /^host-\d+$/.test(name));
    return { supervisor: this.node.pid, ...Object.fromEntries(all.flatMap(({ name, pid }) => (pid === null ? [] : [[name, pid] as const]))) };
  }

  /** @returns how long it took until every process was ready, the hosts were all there, and every neighbour answered, milliseconds */
  async whole(withinMs = 20_000): Promise<number> {
    const startedAt = performance.now();
    for (;;) {
      const health = await this.health();
      const hosts = health?.processes.filter(({ name, state }) => /^host-\d+$/.test(name) && state === 'ready') ?? [];
      const complete = health?.ready === true && hosts.length === this.#hosts && hosts.every(({ pid }) => pid !== null && alive(pid));
      if (complete && (await this.neighbours.allAnswer())) return performance.now() - startedAt;
      if (performance.now() - startedAt > withinMs) throw new Error(`the node is not whole: ${JSON.stringify(health?.missing)}, ${hosts.length} hosts\n${this.node.output.slice(-3_000)}`);
      await sleep(10);
    }
  }

  /** Isolates of functions, over all hosts; spare ones are nobody's. */
  async isolates(): Promise<number> {
    return this.#metric('thimble_host_isolates');
  }

  /** Invocations that a host or the gateway still has, waitUntil work included. */
  async running(): Promise<number> {
    return (await this.#metric('thimble_host_running')) + (await this.#metric('thimble_gateway_in_flight'));
  }

  /** The sum over all labels; hosts report twice a second. */
  async #metric(name: string): Promise<number> {
    const answer = await ask(this.node.controlPort, { path: '/metrics', headers: { authorization: `Bearer ${this.node.token}` } });
    return Array.from(answer.text.matchAll(new RegExp(`^${name}\\S* (\\d+)`, 'gm'))).reduce((sum, [, count]) => sum + Number(count), 0);
  }

  /** An operator's word: strikes and quarantine of the function are forgotten. */
  async pardon(fn: string): Promise<void> {
    await this.node.api('POST', `/v1/functions/${fn}/pardon`);
  }
}

function outcomeOf(answer: Answer): Outcome {
  if (answer.error !== undefined) return answer.status === 0 && BROKEN.has(answer.error) ? 'broken' : answer.error;
  if (answer.code !== undefined) return answer.code;
  return answer.status < 600 ? 'ok' : String(answer.status);
}

/** How node:http names an answer that ended before its last chunk. */
const BROKEN: ReadonlySet<string> = new Set(['ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE', 'aborted', 'HPE_INVALID_EOF_STATE']);

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
