// workerd as its users run many tenants in one process: one worker each, behind a router worker that picks one by the Host header.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { COMPATIBILITY_DATE, quote, startWorkerdProcess } from '../lib/workerd-process.ts';
import type { WorkerdProcess } from '../lib/workerd-process.ts';
import { KINDS, sourceFile } from './cases.ts';
import type { DensityCase } from './cases.ts';

const ROUTER = `export default {
  fetch(request, env) {
    const host = request.headers.get('host') ?? '';
    const service = env[host.slice(0, host.indexOf('.'))];
    return service === undefined ? new Response('no such function', { status: 404 }) : service.fetch(request);
  },
};
`;

function config(cases: readonly DensityCase[]): string {
  const workers = cases.map(({ name, kind, env }) => `(name = ${quote(name)}, worker = (
      modules = [(name = "main.js", esModule = embed ${quote(`${kind.name}.js`)})],
      compatibilityDate = ${quote(COMPATIBILITY_DATE)},
      bindings = [${Object.entries(env).map(([key, value]) => `(name = ${quote(key)}, text = ${quote(value)})`).join(', ')}]))`);
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    ${workers.join(',\n    ')},
    (name = "router", worker = (
      modules = [(name = "router.js", esModule = embed "router.js")],
      compatibilityDate = ${quote(COMPATIBILITY_DATE)},
      bindings = [${cases.map(({ name }) => `(name = ${quote(name)}, service = ${quote(name)})`).join(', ')}]))
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "router")]
);
`;
}

export async function startWorkerdRouter(cases: readonly DensityCase[]): Promise<WorkerdProcess & { readonly port: number }> {
  const workerd = await startWorkerdProcess(config(cases), 1, (folder) => {
    writeFileSync(join(folder, 'router.js'), ROUTER);
    for (const kind of KINDS) {
      buildSync({ entryPoints: [sourceFile(kind)], outfile: join(folder, `${kind.name}.js`), bundle: true, format: 'esm', target: 'es2023', logLevel: 'error' });
    }
  });
  return { ...workerd, port: workerd.ports.get('http') ?? Number.NaN };
}
