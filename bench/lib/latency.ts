// Latency of one connection, in microseconds, measured in a process of its own.
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { requestHeaders } from './examples.ts';
import type { Example } from './examples.ts';
import type { LatencyJob } from './latency-child.ts';
import type { Origin } from './servers.ts';

/**
 * Sends requests one after the other over one kept connection.
 *
 * @returns microseconds from the write of each request to the last byte of its answer
 * @throws Error  an answer was not 200, had a wrong body, or the connection was closed: a silent reconnect would hide that
 */
export async function latenciesUs(origin: Origin, example: Example, expectBody: string, requests: number): Promise<readonly number[]> {
  const headers = Object.entries({ Host: `127.0.0.1:${origin.port}`, ...requestHeaders(origin, example) }).map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const length = example.body === undefined ? '' : `content-length: ${Buffer.byteLength(example.body)}\r\n`;
  const job: LatencyJob = {
    port: origin.port,
    request: `${example.method} ${example.path} HTTP/1.1\r\n${headers}${length}\r\n${example.body ?? ''}`,
    expectBody,
    warmRequests: Math.ceil(requests / 5),
    requests,
  };
  const child = fork(join(import.meta.dirname, 'latency-child.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  return await new Promise((resolve, reject) => {
    child.once('message', (message) => resolve(message as readonly number[]));
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`${origin.server} ${example.name}: the latency client failed`)));
    child.send(job);
  });
}
