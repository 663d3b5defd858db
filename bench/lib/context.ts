// What the suites share: options, machine, results, and servers that start when the first suite needs them.
import { expectedBody, pickExamples } from './examples.ts';
import type { Example } from './examples.ts';
import { startFastify } from './fastify-server.ts';
import type { Machine } from './machine.ts';
import type { BenchOptions } from './options.ts';
import type { Results } from './results.ts';
import type { BenchServer } from './servers.ts';
import { startThimble } from './thimble-node.ts';
import type { ThimbleNode } from './thimble-node.ts';
import { startWorkerd } from './workerd-server.ts';

export interface BenchContext {
  readonly options: BenchOptions;
  readonly machine: Machine;
  readonly results: Results;
  /** Those that were asked for. */
  readonly examples: readonly Example[];
  /** One example by name, asked for or not. */
  example(name: string): Example;
  /** The exact body of its answer, made by the example's own source in plain Node. */
  expectedBody(example: Example): Promise<string>;
  /** The node with the examples; started once. */
  thimble(): Promise<ThimbleNode>;
  /** Thimble and its peers; started once. */
  servers(): Promise<readonly BenchServer[]>;
  stop(): Promise<void>;
}

/** Calls `make` once and answers its promise from then on. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

export function createContext(options: BenchOptions, machine: Machine, results: Results): BenchContext {
  const stops: (() => Promise<void>)[] = [];
  const bodies = new Map<string, Promise<string>>();
  const started = async <T extends { stop(): Promise<void> }>(starting: Promise<T>): Promise<T> => {
    const server = await starting;
    stops.push(() => server.stop());
    return server;
  };
  const thimble = once(() => started(startThimble()));
  /** Variables of each example, as the node has them: addresses of the upstreams above all. */
  const env = once(async () => {
    const node = await thimble();
    const read = async ({ name }: Example): Promise<[string, Readonly<Record<string, string>>]> => {
      const { env: variables } = await node.api('GET', `/v1/functions/${name}`);
      return [name, (variables ?? {}) as Readonly<Record<string, string>>];
    };
    return new Map(await Promise.all(pickExamples(undefined).map(read)));
  });
  const servers = once(async (): Promise<readonly BenchServer[]> => {
    const node = await thimble();
    const variables = await env();
    const self: BenchServer = {
      name: 'thimble',
      origin: (example) => ({ server: 'thimble', port: node.port, host: `${example.name}.localhost:${node.port}` }),
      cpuMs: () => node.cpuMs(),
      residentBytes: () => node.residentBytes(),
      stop: () => Promise.resolve(),
    };
    return [self, await started(startFastify(variables)), await started(startWorkerd(variables))];
  });
  return {
    options,
    machine,
    results,
    examples: pickExamples(options.examples),
    example(name) {
      const found = pickExamples([name])[0];
      if (found === undefined) throw new TypeError(`there is no example ${name}`);
      return found;
    },
    async expectedBody(example) {
      const made = bodies.get(example.name) ?? expectedBody(example, (await env()).get(example.name) ?? {});
      bodies.set(example.name, made);
      return await made;
    },
    thimble,
    servers,
    async stop() {
      for (const stop of stops.reverse()) await stop();
    },
  };
}
