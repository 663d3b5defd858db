// How much work is 20 ms of CPU time here: measured by the node's own meter, on the optimised code.
import { call } from '../lib/http.ts';
import type { ThimbleNode } from '../lib/thimble-node.ts';

const TARGET_MS = 20;
const WARM_STEPS = 2_000_000;
const WARM_CALLS = 20;
const CALLS = 9;

/** @param name  a function with `debug` on, whose Server-Timing has its CPU time (`cpu;dur=MS`) */
export async function stepsFor20Ms(node: ThimbleNode, name: string): Promise<number> {
  const cpuMs = async (steps: number): Promise<number> => {
    const answer = await call({ port: node.port, path: `/?steps=${steps}`, headers: { host: `${name}.localhost:${node.port}` } });
    const cpu = /(?:^|, )cpu;dur=([\d.]+)/.exec(String(answer.headers['server-timing'] ?? ''))?.[1];
    if (answer.status !== 200 || cpu === undefined) throw new Error(`${name} answered ${answer.status} without its CPU time: ${answer.body.slice(0, 300)}`);
    return Number(cpu);
  };
  for (let i = 0; i < WARM_CALLS; i++) await cpuMs(WARM_STEPS);
  let steps = WARM_STEPS;
  // The first guess is off by the fixed part of a call, the second one hardly.
  for (let i = 0; i < 2; i++) {
    const measured: number[] = [];
    for (let j = 0; j < CALLS; j++) measured.push(await cpuMs(steps));
    const middle = measured.toSorted((a, b) => a - b)[CALLS >> 1] ?? Number.NaN;
    steps = Math.round((steps * TARGET_MS) / middle);
  }
  return steps;
}
