// Runs in Deno and in Bun: serves each function of a manifest on a loopback port of its own, and prints the ports as one line of JSON.
import { readFileSync } from 'node:fs';
import { handlerOf, registered, shimBun, shimDeno, shimListener } from './shims.js';

const { functions, environment } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const runsInBun = process.versions.bun !== undefined;
const ports = {};
const hostname = '127.0.0.1';
const context = { waitUntil() {}, passThroughOnException() {} };
globalThis.__differentialEnvironment = environment;

/** The runtime's own server stays the one that serves; only its address is replaced. */
let own;
if (runsInBun) {
  const serve = Bun.serve;
  Bun.serve = (options) => (own = serve({ ...options, port: 0, hostname }));
  shimDeno();
} else {
  const serve = Deno.serve;
  Deno.serve = (first, second) => {
    const handler = [first, second].find((one) => typeof one === 'function') ?? first.handler;
    own = serve({ ...(typeof first === 'object' ? first : {}), port: 0, hostname, onListen() {} }, handler);
    return own;
  };
  shimBun();
}
shimListener();

const serve = (handler) => {
  if (runsInBun) return Bun.serve({ fetch: (request) => handler(request, environment, context) });
  return Deno.serve((request) => handler(request, environment, context));
};

for (const { name, file } of functions) {
  own = undefined;
  const module = await import(file);
  if (own === undefined) serve(handlerOf(module));
  else registered.handler = undefined;
  ports[name] = own.port ?? own.addr.port;
}
console.log(`ports ${JSON.stringify(ports)}`);
