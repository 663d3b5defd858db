// Starts Deno, Bun and workerd with the same functions, each function on a loopback port of its own.
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { ENVIRONMENT } from './cases.ts';
import type { DifferentialCase } from './cases.ts';
import type { Peer } from './record.ts';

const HERE = import.meta.dirname;
const ADAPTERS = join(HERE, 'adapters');
const BIN = join(HERE, 'node_modules', '.bin');
const START_MS = 60_000;
/** Of the release of workerd that package.json names. */
const COMPATIBILITY_DATE = '2026-11-01';

/** How adapters/main.js begins the line that tells the ports. */
const PORTS_LINE = 'ports ';

export interface RunningPeer {
  readonly ports: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

export async function startPeer(peer: Peer, cases: readonly DifferentialCase[]): Promise<RunningPeer> {
  const folder = mkdtempSync(join(tmpdir(), `thimble-${peer}-`));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    return await (peer === 'workerd' ? startWorkerd(folder, cases, remove) : startServer(peer, folder, cases, remove));
  } catch (error) {
    remove();
    throw error;
  }
}

function sourceOf(name: string): string {
  return join(HERE, 'functions', `${name}.ts`);
}

async function startServer(peer: 'deno' | 'bun', folder: string, cases: readonly DifferentialCase[], remove: () => void): Promise<RunningPeer> {
  await build({
    entryPoints: Object.fromEntries(cases.map(({ name }) => [name, sourceOf(name)])),
    outdir: folder, outExtension: { '.js': '.mjs' }, bundle: true, format: 'esm', platform: 'neutral', target: 'esnext', logLevel: 'warning',
  });
  for (const file of ['main.js', 'shims.js']) copyFileSync(join(ADAPTERS, file), join(folder, file));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const manifest = join(folder, 'manifest.json');
  writeFileSync(manifest, JSON.stringify({ environment: ENVIRONMENT, functions: cases.map(({ name }) => ({ name, file: `./${name}.mjs` })) }));
  const args = peer === 'deno' ? ['run', '--allow-all', '--no-config', '--no-lock', 'main.js', manifest] : ['run', 'main.js', manifest];
  const child = spawn(join(BIN, peer), args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, ...ENVIRONMENT, NO_COLOR: '1', DENO_NO_UPDATE_CHECK: '1' } });
  const ports = await reported(child, child.stdout, (line, found) => {
    if (!line.startsWith(PORTS_LINE)) return false;
    for (const [name, port] of Object.entries(JSON.parse(line.slice(PORTS_LINE.length)) as Record<string, number>)) found.set(name, port);
    return true;
  });
  return { ports, stop: async () => end(child).then(remove) };
}

async function startWorkerd(folder: string, cases: readonly DifferentialCase[], remove: () => void): Promise<RunningPeer> {
  await Promise.all(cases.map(async ({ name, form }) => build({
    ...(form === 'object' || form === 'listener' ? { entryPoints: [sourceOf(name)] } : { entryPoints: [join(ADAPTERS, 'worker.js')], alias: { 'function-under-test': sourceOf(name) } }),
    outfile: join(folder, `${name}.js`), bundle: true, format: form === 'listener' ? 'iife' : 'esm', platform: 'neutral', target: 'esnext', logLevel: 'warning',
    ...(form === 'object' || form === 'listener' ? {} : { banner: { js: `globalThis.__differentialEnvironment = ${JSON.stringify(ENVIRONMENT)};` } }),
  })));
  const bindings = Object.entries(ENVIRONMENT).map(([key, value]) => `(name = ${JSON.stringify(key)}, text = ${JSON.stringify(value)})`).join(', ');
  const services = cases.map(({ name, form }) => {
    const code = form === 'listener' ? `serviceWorkerScript = embed "${name}.js"` : `modules = [(name = "main.js", esModule = embed "${name}.js")]`;
    return `(name = "${name}", worker = (${code}, bindings = [${bindings}], compatibilityDate = "${COMPATIBILITY_DATE}"))`;
  });
  const sockets = cases.map(({ name }) => `(name = "${name}", address = "127.0.0.1:0", http = (), service = "${name}")`);
  writeFileSync(join(folder, 'config.capnp'), `using Workerd = import "/workerd/workerd.capnp";\nconst config :Workerd.Config = (\n  services = [\n    ${services.join(',\n    ')}\n  ],\n  sockets = [\n    ${sockets.join(',\n    ')}\n  ]\n);\n`);
  mkdirSync(join(folder, 'home'), { recursive: true });
  const child = spawn(join(BIN, 'workerd'), ['serve', 'config.capnp', '--control-fd=3'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit', 'pipe'] });
  const ports = await reported(child, child.stdio[3] as NodeJS.ReadableStream, (line, found) => {
    const event = JSON.parse(line) as { readonly event: string; readonly socket: string; readonly port: number };
    if (event.event === 'listen') found.set(event.socket, event.port);
    return found.size === cases.length;
  });
  return { ports, stop: async () => end(child).then(remove) };
}

/** Reads lines until `take` says that all ports are there. */
async function reported(child: ChildProcess, output: NodeJS.ReadableStream, take: (line: string, found: Map<string, number>) => boolean): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the peer did not start in time')), START_MS);
    child.once('exit', (code) => reject(new Error(`the peer ended with ${code}`)));
    let complete = false;
    createInterface({ input: output }).on('line', (line) => {
      // Functions write to the console later.
      if (complete || !take(line, found)) return;
      complete = true;
      clearTimeout(timer);
      resolve(found);
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}
