// Functions that come and go: deployed, called, changed, deleted; nothing of them may stay in memory.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LeakWatch } from './leak-watch.ts';
import { Stand } from './stand.ts';

const FULL = process.env['THIMBLE_TEST_FULL'] === '1';
const DEPLOYS = FULL ? 2_000 : 50;
/** Of one deploy. Each version has code of its own: equal ones would share a build. */
const CALLS = 3;
const HOSTS = 2;

describe(`${DEPLOYS} functions come and go`, () => {
  let stand: Stand;
  beforeAll(async () => {
    stand = await Stand.start(HOSTS);
  });
  afterAll(async () => stand.stop());

  it('without a trace: memory, descriptors and threads stay, and isolates go with their functions', async () => {
    const leaks = new LeakWatch(stand, DEPLOYS);
    const wrong: string[] = [];
    await leaks.run(async (n) => {
      const fn = `churn-${n}`;
      for (const text of [`first ${n}`, `second ${n}`]) {
        await stand.node.deploy(fn, `const kept = new Uint8Array(100_000).fill(${n % 251}); export default { fetch() { return new Response(kept.length + ' ${text}'); } };`, { tenant: 'attacker' });
        const answers = await Promise.all(Array.from({ length: CALLS }, async () => stand.node.call(fn)));
        for (const answer of answers) if (answer.text !== `100000 ${text}`) wrong.push(`${fn}: ${answer.status} ${answer.text.slice(0, 100)}`);
      }
      await stand.node.api('DELETE', `/v1/functions/${fn}`);
      if ((await stand.node.call(fn)).code !== 'no_route') wrong.push(`${fn} is still there`);
    });
    expect(wrong).toEqual([]);
    expect(leaks.found).toEqual([]);
    await expect.poll(async () => stand.isolates(), { timeout: 10_000 }).toBeLessThanOrEqual(stand.neighbours.count * HOSTS);
    await stand.whole();
  }, FULL ? 1_800_000 : 120_000);
});
