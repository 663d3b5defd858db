// The control plane as the process that it really is: booted over IPC, to be killed at any moment.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { FromChild } from '../../core/config/index.ts';
import { bootMessage, callRest } from './control-plane.ts';
import type { CallOptions, Reply } from './control-plane.ts';

const MAIN = join(import.meta.dirname, '..', '..', 'control', 'main.ts');

export interface ControlProcess {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly call: (method: string, path: string, body?: unknown, options?: CallOptions) => Promise<Reply>;
  /** SIGKILL; resolves when it is gone. */
  readonly kill: () => Promise<void>;
  /** Asks it to drain; resolves with its exit code. */
  readonly drain: () => Promise<number | null>;
}

export interface ProcessOptions {
  /** Largest file that it may write, KiB: stands in for a full disk. */
  readonly fileKib?: number;
}

/** Starts it on `data`; resolves when it is ready. */
export async function useControlProcess(data: string, options: ProcessOptions = {}): Promise<ControlProcess> {
  const port = await freePort();
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', MAIN] as const;
  // bash counts the limit in KiB.
  const [file, ...args] = options.fileKib === undefined ? node : ['bash', '-c', `ulimit -f ${options.fileKib}; exec "$0" "$@"`, ...node];
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => void (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => void (output += chunk.toString()));
  const exited = once(child, 'exit');
  const kill = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await exited;
    }
  };
  onTestFinished(kill);
  const ready = new Promise<void>((resolve, reject) => {
    child.on('message', (message: FromChild) => {
      if (message.type === 'ready') resolve();
      else if (message.type === 'failed') reject(new Error(`the control plane did not start: ${message.message}\n${output}`));
    });
    child.on('exit', (code) => reject(new Error(`the control plane ended with ${code}\n${output}`)));
  });
  child.send({ type: 'boot', boot: bootMessage(data, port) });
  await ready;
  return {
    child,
    output: () => output,
    call: (method, path, body, callOptions) => callRest(port, method, path, body, callOptions),
    kill,
    drain: async () => {
      child.send({ type: 'drain', withinMs: 2_000 });
      const [code] = (await exited) as [number | null];
      return code;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
