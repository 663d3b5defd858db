// workerd with the examples' own source files, one worker and one socket each, so that no router worker slows it down.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Readable } from 'node:stream';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { startChild, waitFor } from './child.ts';
import { mainFile, pickExamples } from './examples.ts';
import { BENCH } from './paths.ts';
import { treeCpuMs, treeResidentBytes } from './processes.ts';
import type { BenchServer } from './servers.ts';

const COMPATIBILITY_DATE = '2025-11-01';

/** Text of Cap'n Proto has C's escapes; JSON's are a part of them for printable ASCII. */
const quote = (text: string): string => JSON.stringify(text);

function worker(name: string, variables: Readonly<Record<string, string>>): string {
  const bindings = Object.entries(variables).map(([key, value]) => `(name = ${quote(key)}, text = ${quote(value)})`);
  return `(name = ${quote(name)}, worker = (
      modules = [(name = "main.js", esModule = embed ${quote(`${name}.js`)})],
      compatibilityDate = ${quote(COMPATIBILITY_DATE)},
      bindings = [${bindings.join(', ')}],
      globalOutbound = "upstreams"))`;
}

function config(names: readonly string[], env: ReadonlyMap<string, Readonly<Record<string, string>>>): string {
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${names.map((name) => worker(name, env.get(name) ?? {})).join(',\n    ')},
    # The upstreams listen on loopback, which workerd's default network refuses.
    (name = "upstreams", network = (allow = ["private", "local"]))
  ],
  sockets = [
    ${names.map((name) => `(name = ${quote(name)}, address = "127.0.0.1:0", http = (), service = ${quote(name)})`).join(',\n    ')}
  ]
);
`;
}

export async function startWorkerd(env: ReadonlyMap<string, Readonly<Record<string, string>>>): Promise<BenchServer> {
  const names = pickExamples(undefined).map(({ name }) => name);
  const folder = mkdtempSync(join(tmpdir(), 'thimble-workerd-'));
  const clean = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', clean);
  for (const name of names) {
    buildSync({ entryPoints: [mainFile(name)], outfile: join(folder, `${name}.js`), bundle: true, format: 'esm', target: 'es2023', logLevel: 'error' });
  }
  writeFileSync(join(folder, 'config.capnp'), config(names, env));
  const { default: binary } = createRequire(join(BENCH, 'package.json'))('workerd') as { readonly default: string };
  // Descriptor 3: workerd tells there which port each socket got, one JSON object a line.
  const child = startChild(binary, ['serve', join(folder, 'config.capnp'), '--control-fd=3'], { stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
  const ports = new Map<string, number>();
  let line = '';
  (child.process.stdio[3] as Readable).on('data', (chunk: Buffer) => {
    const lines = (line + chunk.toString()).split('\n');
    line = lines.pop() ?? '';
    for (const text of lines) {
      const event = JSON.parse(text) as { readonly event: string; readonly socket?: string; readonly port?: number };
      if (event.event === 'listen' && event.socket !== undefined && event.port !== undefined) ports.set(event.socket, event.port);
    }
  });
  await waitFor('workerd', child, 10_000, () => ports.size === names.length);
  return {
    name: 'workerd',
    origin: (example) => ({ server: 'workerd', port: ports.get(example.name) ?? Number.NaN, host: undefined }),
    cpuMs: () => treeCpuMs(child.pid),
    residentBytes: () => treeResidentBytes(child.pid),
    async stop() {
      await child.stop();
      clean();
      process.off('exit', clean);
    },
  };
}
