// Throughput at saturation: autocannon in a process of its own, 64 connections, pipelining 1.
import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Example } from './examples.ts';
import { requestHeaders } from './examples.ts';
import type { Origin } from './servers.ts';

export const CONNECTIONS = 64;
/** Threads that send: one core cannot saturate the faster servers. */
export const LOAD_WORKERS = 2;
/** A generator that uses this share of its threads has no more to give: the figure is its own, not the server's. */
const SATURATED_SHARE = 0.9;

export interface LoadResult {
  readonly requestsPerSec: number;
  readonly bytesPerSec: number;
  readonly answers: number;
  readonly durationMs: number;
  readonly non2xx: number;
  readonly mismatches: number;
  readonly errors: number;
  readonly timeouts: number;
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
  /** CPU time of the generator over wall time. */
  readonly generatorCores: number;
}

/**
 * One round against one server.
 *
 * @returns what was counted; `answers` may be 0 when the first one takes longer than the round
 * @throws Error  any answer was none of 2xx or had a wrong body, or a connection failed
 */
export async function autocannon(origin: Origin, example: Example, expectBody: string, durationS: number): Promise<LoadResult> {
  const child = fork(join(import.meta.dirname, 'load-child.mjs'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv: [] });
  const result = await new Promise<LoadResult>((resolve, reject) => {
    child.once('message', (message) => resolve(message as LoadResult));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`the load generator ended with ${code} and no result`)));
    child.send({
      url: `http://127.0.0.1:${origin.port}${example.path}`,
      method: example.method,
      headers: requestHeaders(origin, example),
      ...(example.body === undefined ? {} : { body: example.body }),
      connections: CONNECTIONS,
      pipelining: 1,
      workers: LOAD_WORKERS,
      duration: durationS,
      expectBody,
    });
  });
  const bad = result.non2xx + result.mismatches + result.errors + result.timeouts;
  if (bad > 0) {
    const { answers, non2xx, mismatches, errors, timeouts } = result;
    throw new Error(`${origin.server} ${example.name}: ${JSON.stringify({ answers, non2xx, mismatches, errors, timeouts })}`);
  }
  return result;
}

export const isGeneratorBound = (generatorCores: number): boolean => generatorCores >= SATURATED_SHARE * LOAD_WORKERS;
