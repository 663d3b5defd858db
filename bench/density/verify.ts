// Every function must answer exactly what its own source answers in plain Node.
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { call } from '../lib/http.ts';
import type { DensityCase } from './cases.ts';

async function verifyOne({ name, kind, body }: DensityCase, port: number, agent: Agent): Promise<void> {
  const answer = await call({ port, path: kind.path, headers: { ...kind.headers, host: `${name}.localhost:${port}` }, agent });
  if (answer.status !== 200 || answer.body !== body) throw new Error(`${name} on port ${port} answered ${answer.status}, not ${body.slice(0, 100)}:\n${answer.body.slice(0, 500)}`);
}

/** One call of each, one after the other. @throws Error  the first wrong answer */
export async function verifyAll(cases: readonly DensityCase[], port: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    for (const one of cases) await verifyOne(one, port, agent);
  } finally {
    agent.destroy();
  }
}

/** Calls of functions at random beside a load that cannot tell whose answer it got. Ends with `work`; @throws Error  the first wrong answer */
export async function audited<T>(cases: readonly DensityCase[], port: number, random: () => number, work: Promise<T>): Promise<T> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let running = true;
  const audit = async (): Promise<void> => {
    while (running) {
      const one = cases[Math.floor(random() * cases.length)];
      if (one !== undefined) await verifyOne(one, port, agent);
      await sleep(50);
    }
  };
  const auditing = audit();
  // Reported below; until then nobody listens to it.
  auditing.catch(() => {});
  try {
    return await work;
  } finally {
    running = false;
    await auditing;
    agent.destroy();
  }
}
