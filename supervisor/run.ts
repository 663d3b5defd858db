// The life of the supervisor's process: start, ready line, signals, exit code.
import { toPlatformError } from '../core/errors/index.ts';
import { LogOutput } from './log-output.ts';
import { ThimbleNode, reachable } from './node.ts';
import type { ReadyNode } from './node.ts';

/** One Ctrl-C reaches the process group and is passed on by npm as well: what comes within this time is the same signal. */
const SAME_SIGNAL_MS = 500;

/** How often a launched node looks whether its launcher is still there, milliseconds. */
const LAUNCHER_POLL_MS = 500;

/** Time for the last lines to reach a reader that has stalled. */
const LAST_LINES_MS = 1_000;

/**
 * Runs a node until a signal ends it.
 *
 * @returns the exit code: 0 after a drain; 1 when the node did not start, or a second signal killed it
 */
export async function runNode(environment: Readonly<Record<string, string | undefined>>): Promise<number> {
  const output = new LogOutput();
  let node: ThimbleNode;
  try {
    node = new ThimbleNode(environment, output);
  } catch (thrown) {
    return refuse(thrown);
  }
  const signals = new NodeSignals(node);
  if (isLaunched(environment)) followLauncher();
  let code: number;
  try {
    output.write(greeting(await node.start()));
    code = await signals.ended;
  } catch (thrown) {
    // A signal during the start makes the start fail too; then how the drain ends is what counts.
    code = signals.seen ? await signals.ended : refuse(thrown);
    await node.kill();
  }
  await output.flush(LAST_LINES_MS);
  return code;
}

/** Started by npm or by `bin/thimble`, as a part of that command. */
function isLaunched(environment: Readonly<Record<string, string | undefined>>): boolean {
  return environment['npm_lifecycle_event'] !== undefined || environment['THIMBLE_LAUNCHED'] !== undefined;
}

/**
 * Treats the launcher's end as SIGTERM. npm hands a SIGTERM to the shell between itself and the node, which dies of it without passing
 * it on: `npm start` under a service manager would end and leave the node running.
 */
function followLauncher(): void {
  const launcher = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === launcher) return;
    clearInterval(timer);
    process.emit('SIGTERM', 'SIGTERM');
  }, LAUNCHER_POLL_MS);
  timer.unref();
}

/** Drains at the first signal, kills at the second. */
class NodeSignals {
  /** Resolves with the exit code once a signal has ended the node. */
  readonly ended: Promise<number>;
  #firstAt: number | undefined;

  constructor(node: ThimbleNode) {
    this.ended = new Promise((resolve, reject) => {
      let killed = false;
      const onSignal = (signal: NodeJS.Signals): void => {
        const now = performance.now();
        if (this.#firstAt === undefined) {
          this.#firstAt = now;
          node.logger.info({ signal }, 'draining');
          // A kill ends the drain too: then it is no clean end.
          node.drain().then(() => resolve(killed ? 1 : 0), reject);
        } else if (!killed && now - this.#firstAt > SAME_SIGNAL_MS) {
          node.logger.warn({ signal }, 'a second signal: killing');
          killed = true;
          node.kill().catch(reject);
        }
      };
      for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, onSignal);
    });
  }

  get seen(): boolean {
    return this.#firstAt !== undefined;
  }
}

/** Says on standard error why the node does not start, or a command failed. @returns the exit code */
export function refuse(thrown: unknown): number {
  const error = toPlatformError(thrown);
  const cause = error.cause instanceof Error ? error.cause.message : 'unknown';
  const why = error.cause instanceof Error && ['unavailable', 'internal', 'storage_failed'].includes(error.code) ? `${error.message}: ${cause}` : `${error.message}\n  ${error.spec.fix}`;
  process.stderr.write(`thimble: ${error.code}: ${why}\n`);
  return 1;
}

function greeting({ settings, tokenFile, examplesThere }: ReadyNode): string {
  const functions = `http://${reachable(settings.host)}:${settings.port}`;
  const control = `http://${reachable(settings.host)}:${settings.controlPort}`;
  const lines = [
    ...(examplesThere ? [`try: curl http://card.localhost:${settings.port}/cards/42`] : []),
    `thimble ready: functions on ${functions}, control on ${control}, ${tokenFile === undefined ? 'token from THIMBLE_TOKEN' : `token in ${tokenFile}`}`,
  ];
  return `${lines.join('\n')}\n`;
}
