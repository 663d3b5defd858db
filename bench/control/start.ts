// How long the control plane takes to start on a full store: its own process, booted as the supervisor boots it.
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlBoot, FromChild } from '../../core/config/index.ts';
import { ROOT } from '../lib/paths.ts';

export interface ControlStart {
  /** From the fork to its ready message, milliseconds. */
  readonly ms: number;
  /** CPU time until then, milliseconds: what is left of `ms` is waiting for others on the machine. */
  readonly cpuMs: number;
}

function bootOf(dataFolder: string): ControlBoot {
  const run = join(dataFolder, 'run');
  mkdirSync(run, { recursive: true });
  return {
    kind: 'control', name: 'control', logLevel: 'warn', dataFolder, host: '127.0.0.1', port: 0, token: randomBytes(24).toString('hex'), gatewayPort: 1,
    sockets: { gateway: join(run, 'gateway.sock'), control: join(run, 'control.sock'), sidecar: join(run, 'sidecar.sock') },
    tierKeys: { default: randomBytes(32).toString('base64') },
    snapshots: { enabled: false, build: '', verify: '', nodeFlags: [], environment: {} },
  };
}

export async function measureControlStart(dataFolder: string, cpuMsOf: (pid: number) => number): Promise<ControlStart> {
  const startedMs = performance.now();
  const child = fork(join(ROOT, 'control/main.ts'), [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: ['--disable-warning=ExperimentalWarning'] });
  try {
    child.send({ type: 'boot', boot: bootOf(dataFolder) });
    await new Promise<void>((resolve, reject) => {
      child.on('message', (message: FromChild) => {
        if (message.type === 'ready') resolve();
        else if (message.type === 'failed') reject(new Error(message.message));
      });
      child.once('exit', (code) => reject(new Error(`the control plane ended with ${code}`)));
    });
    return { ms: performance.now() - startedMs, cpuMs: cpuMsOf(child.pid ?? 0) };
  } finally {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }
  }
}
