// Work for functions that takes as much CPU time as a test wants, on any machine: loops are counted, since clocks stand still during an entry.
import type { TestHost } from './isolates-host.ts';

/** Source that a function begins with. */
export const BURN = `
function burn(rounds) { let x = 1; for (let i = 0; i < rounds; i++) x = (x * 31 + i) | 0; return x; }
const query = (req, name) => Number(new URL(req.url).searchParams.get(name));
`;

const SAMPLE = 4_000_000;

/** How many rounds take a millisecond of CPU time, once compiled. @param f  a function whose path /burn?n= burns */
export async function roundsPerMs(host: TestHost, f: number): Promise<number> {
  let best = 0;
  // The fastest of some: the first ones are not compiled yet, and a core that two threads share gives less.
  for (let i = 0; i < 6; i++) best = Math.max(best, SAMPLE / ((await host.call(f, { path: `/burn?n=${SAMPLE}` })).cpuUs / 1_000));
  return best;
}
