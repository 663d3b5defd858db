// workerd with the examples' own source files, one worker and one socket each, so that no router worker slows it down.
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { mainFile, pickExamples } from './examples.ts';
import { treeCpuMs, treeResidentBytes } from './processes.ts';
import type { BenchServer } from './servers.ts';
import { COMPATIBILITY_DATE, quote, startWorkerdProcess } from './workerd-process.ts';

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
  const workerd = await startWorkerdProcess(config(names, env), names.length, (folder) => {
    for (const name of names) {
      buildSync({ entryPoints: [mainFile(name)], outfile: join(folder, `${name}.js`), bundle: true, format: 'esm', target: 'es2023', logLevel: 'error' });
    }
  });
  return {
    name: 'workerd',
    origin: (example) => ({ server: 'workerd', port: workerd.ports.get(example.name) ?? Number.NaN, host: undefined }),
    cpuMs: () => treeCpuMs(workerd.pid),
    residentBytes: () => treeResidentBytes(workerd.pid),
    stop: () => workerd.stop(),
  };
}
