// Deploy to live: from sending the new version to the first answer of it at the gateway.
import { Agent } from 'node:http';
import type { BenchContext } from '../lib/context.ts';
import { requestHeaders, uploadOf } from '../lib/examples.ts';
import type { Example } from '../lib/examples.ts';
import { call } from '../lib/http.ts';
import { spread } from '../lib/stats.ts';
import { formatTable } from '../lib/table.ts';
import type { Cell } from '../lib/table.ts';
import type { ThimbleNode } from '../lib/thimble-node.ts';

const LIVE_WITHIN_MS = 10_000;

interface Deploy {
  readonly liveMs: number;
  readonly answeredMs: number;
}

/** Polls the gateway from the moment of the upload: a poll that is under way when the version goes live adds its own duration at most. */
async function deployOnce(node: ThimbleNode, example: Example, expectBody: string, agent: Agent, mark: string): Promise<Deploy> {
  const before = await node.api('GET', `/v1/functions/${example.name}/versions?limit=1000`);
  const version = 1 + Math.max(...(before['items'] as readonly { readonly version: number }[]).map((item) => item.version));
  const upload = uploadOf(example, mark);
  const sentMs = performance.now();
  const posted = node.api('POST', `/v1/functions/${example.name}/versions?activate=true`, upload).then((answer) => ({ answer, ms: performance.now() - sentMs }));
  // A failed upload must be reported as such, and not as an unhandled rejection while the gateway is polled.
  posted.catch(() => {});
  const headers = requestHeaders({ server: 'thimble', port: node.port, host: `${example.name}.localhost:${node.port}` }, example);
  const poll = { port: node.port, method: example.method, path: example.path, headers, agent, ...(example.body === undefined ? {} : { body: example.body }) };
  for (;;) {
    const answer = await call(poll);
    const elapsedMs = performance.now() - sentMs;
    if (answer.status !== 200 || answer.body !== expectBody) throw new Error(`${example.name} answered ${answer.status} during a deploy: ${answer.body.slice(0, 500)}`);
    if (Number(answer.headers['x-thimble-version']) >= version) {
      const post = await posted;
      if (post.answer['version'] !== version) throw new Error(`the deploy of ${example.name} made version ${String(post.answer['version'])}, not ${version}`);
      return { liveMs: elapsedMs, answeredMs: post.ms };
    }
    if (elapsedMs > LIVE_WITHIN_MS) {
      await posted;
      throw new Error(`version ${version} of ${example.name} did not go live within ${LIVE_WITHIN_MS} ms`);
    }
  }
}

export async function deploy(context: BenchContext): Promise<void> {
  const { options, results } = context;
  const node = await context.thimble();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const table: Cell[][] = [];
  try {
    for (const example of context.examples) {
      const expectBody = await context.expectedBody(example);
      const all: Deploy[] = [];
      for (let i = 0; i < options.deploys; i++) {
        const one = await deployOnce(node, example, expectBody, agent, `deploy ${i}`);
        all.push(one);
        results.add('deploy', { example: example.name, live_ms: one.liveMs, answered_ms: one.answeredMs });
      }
      const live = spread(all.map((one) => one.liveMs));
      const answered = spread(all.map((one) => one.answeredMs));
      // The claim is about every deploy, so the figure is the slowest.
      results.figure(`${example.name}_deploy_to_live_ms`, live.max);
      table.push([example.name, live.p50, live.max, answered.p50, answered.max]);
    }
  } finally {
    agent.destroy();
  }
  console.log(`\ndeploy to live, ${options.deploys} deploys each`);
  console.log(formatTable(['example', 'live p50 ms', 'live max ms', 'answered p50 ms', 'answered max ms'], table));
}
