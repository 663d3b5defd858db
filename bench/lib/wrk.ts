// wrk as a second opinion: it needs a fraction of autocannon's CPU, so it shows where the generator was the limit.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requestHeaders } from './examples.ts';
import type { Example } from './examples.ts';
import { CONNECTIONS } from './load.ts';
import type { Origin } from './servers.ts';

export function hasWrk(): boolean {
  // wrk -v prints its version and exits 1.
  return spawnSync('wrk', ['-v']).error === undefined;
}

/** wrk has no option for method and body: a script sets them. JSON strings of ASCII text are Lua strings. */
const luaScript = (example: Example): string => `wrk.method = ${JSON.stringify(example.method)}\nwrk.body = ${JSON.stringify(example.body ?? '')}\n`;

/**
 * One round of wrk with two threads.
 *
 * @returns requests per second
 * @throws Error  any answer was none of 2xx or 3xx, or a socket failed
 */
export async function wrk(origin: Origin, example: Example, durationS: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'thimble-wrk-'));
  try {
    const script = join(folder, 'request.lua');
    writeFileSync(script, luaScript(example));
    const headers = Object.entries(requestHeaders(origin, example)).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
    // The slowest server may take seconds for one answer at this concurrency: that is its figure, no failure.
    const args = ['-t2', `-c${CONNECTIONS}`, `-d${durationS}s`, '--timeout', '30s', '-s', script, ...headers, `http://127.0.0.1:${origin.port}${example.path}`];
    const output = await new Promise<string>((resolve, reject) => {
      const child = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'inherit'] });
      let text = '';
      child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
      child.once('error', reject);
      child.once('close', () => resolve(text));
    });
    const requestsPerSec = Number(/^Requests\/sec:\s+([\d.]+)/m.exec(output)?.[1] ?? Number.NaN);
    if (!Number.isFinite(requestsPerSec) || /Non-2xx|Socket errors/.test(output)) throw new Error(`wrk on ${origin.server} ${example.name}:\n${output}`);
    return requestsPerSec;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
