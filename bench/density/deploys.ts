// One more deploy on a full node: from sending it to the first answer of the new version at the gateway.
import { Agent } from 'node:http';
import { call } from '../lib/http.ts';
import type { ThimbleNode } from '../lib/thimble-node.ts';
import { sourceOf } from './cases.ts';
import type { DensityCase } from './cases.ts';

const LIVE_WITHIN_MS = 10_000;

/** @returns milliseconds */
export async function deployToLiveMs(node: ThimbleNode, { name, kind, body }: DensityCase, mark: string): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  // Other files than any deploy before, so that nothing was built already.
  const files = { 'main.ts': `${sourceOf(kind)}\nexport const benchMark = ${JSON.stringify(mark)};\n` };
  const startedMs = performance.now();
  const posted = node.api('POST', `/v1/functions/${name}/versions?activate=true`, { files, main: 'main.ts' });
  // A failed upload must be reported as such, and not as an unhandled rejection while the gateway is polled.
  posted.catch(() => {});
  try {
    for (;;) {
      const answer = await call({ port: node.port, path: kind.path, headers: { ...kind.headers, host: `${name}.localhost:${node.port}` }, agent });
      const elapsedMs = performance.now() - startedMs;
      if (answer.status !== 200 || answer.body !== body) throw new Error(`${name} answered ${answer.status} during a deploy: ${answer.body.slice(0, 500)}`);
      if (Number(answer.headers['x-thimble-version']) > 1) {
        await posted;
        return elapsedMs;
      }
      if (elapsedMs > LIVE_WITHIN_MS) throw new Error(`the new version of ${name} did not go live within ${LIVE_WITHIN_MS} ms: ${JSON.stringify(await posted)}`);
    }
  } finally {
    agent.destroy();
  }
}
