// Child processes of the benches: started, waited for, and ended by the pids that were started here.
import { spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { processTree } from './processes.ts';

const running = new Set<ChildProcess>();

function killTree(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  for (const { pid } of processTree(child.pid)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
}

// An interrupted bench must not leave servers behind.
process.on('exit', () => running.forEach(killTree));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

export interface Child {
  readonly pid: number;
  readonly process: ChildProcess;
  /** The last output of both streams, for error messages. */
  output(): string;
  /** SIGTERM, then SIGKILL to what is left of the tree after `withinMs`. */
  stop(withinMs?: number): Promise<void>;
}

const KEPT_CHARACTERS = 16_384;

/** Starts a program with piped output. `options.stdio` may add descriptors from 3 on. */
export function startChild(command: string, args: readonly string[], options: SpawnOptions = {}): Child {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  running.add(child);
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-KEPT_CHARACTERS);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  const gone = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      output += error.message;
      resolve();
    });
  });
  void gone.then(() => running.delete(child));
  return {
    get pid() {
      if (child.pid === undefined) throw new Error(`${command} did not start: ${output}`);
      return child.pid;
    },
    process: child,
    output: () => output,
    async stop(withinMs = 10_000) {
      child.kill('SIGTERM');
      const patience = new AbortController();
      await Promise.race([gone, sleep(withinMs, undefined, { signal: patience.signal }).catch(() => {})]);
      patience.abort();
      killTree(child);
      await gone;
    },
  };
}

/**
 * Waits until `condition` holds.
 *
 * @throws Error  after `withinMs`, or at once when the child has ended; with the child's last output
 */
export async function waitFor(what: string, child: Child, withinMs: number, condition: () => boolean | Promise<boolean>): Promise<void> {
  const endAt = performance.now() + withinMs;
  while (!(await condition())) {
    const ended = child.process.exitCode !== null || child.process.signalCode !== null;
    if (ended || performance.now() > endAt) throw new Error(`${what} ${ended ? 'ended' : `did not come within ${withinMs} ms`}:\n${child.output()}`);
    await sleep(10);
  }
}
