// A sidecar for tests: in this process, or as a real one with a boot message over IPC.
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { onTestFinished } from 'vitest';
import type { SidecarBoot } from '../../core/config/index.ts';
import { createLogger } from '../../core/log/index.ts';
import { HttpClient, SidecarServer } from '../../sidecar/index.ts';
import type { AdmissionLimits, HttpClientOptions, MiddlewareClient } from '../../sidecar/index.ts';
import type { OnFinished } from './on-finished.ts';
import { TestHost } from './sidecar-host.ts';

export function useTempFolder(onFinished: OnFinished = onTestFinished): string {
  const folder = mkdtempSync(join(tmpdir(), 'thimble-sidecar-'));
  onFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface TestSidecar {
  readonly path: string;
  readonly server: SidecarServer;
  readonly http: HttpClient;
  connect(name?: string): Promise<TestHost>;
}

export interface SidecarOptions extends Partial<HttpClientOptions> {
  readonly limits?: Partial<AdmissionLimits>;
  readonly clients?: readonly MiddlewareClient[];
}

/** In this process; loopback is allowed unless the options say otherwise. */
export async function useSidecar(options: SidecarOptions = {}, onFinished: OnFinished = onTestFinished): Promise<TestSidecar> {
  const path = join(useTempFolder(onFinished), 'sidecar.sock');
  const http = new HttpClient({ egressAllow: ['127.0.0.0/8'], ownPorts: [], ...options });
  const server = await SidecarServer.listen({
    path, self: { role: 'sidecar', name: 'sidecar', epoch: 3 }, clients: [http, ...(options.clients ?? [])],
    logger: createLogger({ name: 'sidecar', level: 'silent' }), ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  onFinished(() => server.drain(0));
  return { path, server, http, connect: (name) => TestHost.connect(path, name) };
}

export interface SidecarProcess {
  readonly child: ChildProcess;
  readonly boot: SidecarBoot;
  readonly pid: number;
  /** Resident memory now, bytes. */
  residentBytes(): number;
  /** The largest it ever was, bytes. */
  peakBytes(): number;
  connect(name?: string): Promise<TestHost>;
  /** Resolves with exit code or signal. */
  readonly exited: Promise<number | string | null>;
}

const status = (pid: number, field: string): number => Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1_024;

/** A real process. `folder` is for a second start on the same sockets. */
export async function startSidecarProcess(boot: Partial<SidecarBoot> = {}, folder?: string, onFinished: OnFinished = onTestFinished): Promise<SidecarProcess> {
  folder ??= useTempFolder(onFinished);
  const whole: SidecarBoot = {
    kind: 'sidecar', name: 'sidecar', logLevel: 'warn', dataFolder: folder,
    sockets: { gateway: join(folder, 'gateway.sock'), control: join(folder, 'control.sock'), sidecar: join(folder, 'sidecar.sock') },
    egressAllow: ['127.0.0.0/8'], ownPorts: [], cacheMb: 64, ...boot,
  };
  const main = resolve(import.meta.dirname, '../../sidecar/main.ts');
  const child = fork(main, [], { execArgv: ['--disable-warning=ExperimentalWarning'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const exited = new Promise<number | string | null>((done) => child.once('exit', (code, signal) => done(code ?? signal)));
  onFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  await new Promise<void>((done, failed) => {
    child.on('message', (message: { type: string; message?: string }) => {
      if (message.type === 'ready') done();
      else if (message.type === 'failed') failed(new Error(message.message));
    });
    void exited.then((code) => failed(new Error(`the sidecar ended with ${String(code)}`)));
    child.send({ type: 'boot', boot: whole });
  });
  const pid = child.pid ?? 0;
  return {
    child, boot: whole, pid, exited,
    residentBytes: () => status(pid, 'VmRSS'), peakBytes: () => status(pid, 'VmHWM'),
    connect: (name) => TestHost.connect(whole.sockets.sidecar, name),
  };
}
