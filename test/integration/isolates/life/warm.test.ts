// Warm frames in real hosts: isolates that are there before anybody calls, and stay.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FRAME } from '../../../../core/protocol/index.ts';
import { TestHost } from '../../../support/isolates-host.ts';

test('an isolate is made before the first call, which finds it warm', async () => {
  const host = await TestHost.start();
  const f = await host.deploy(`const id = crypto.randomUUID(); console.log('started'); export default { fetch: () => new Response(id) };`);
  expect(await host.warm(f, 3)).toBe(1);
  const answer = await host.call(f);
  expect([answer.status, answer.cold]).toEqual([200, null]);
  const figures = await host.nextFigures();
  expect([figures.isolates, figures.keptWarm, figures.coldStarts]).toEqual([1, 1, 1]);
  for (let i = 0; i < 100 && host.logs.length === 0; i++) await sleep(20);
  expect(host.logs.map(({ message, invocation }) => [message, invocation])).toEqual([['started', '']]);
  await host.warm(f, 0);
  expect((await host.nextFigures()).keptWarm).toBe(0);
  expect((await host.call(f)).cold).toBeNull();
});

test('asked for twice, it is made once; a caller that comes meanwhile shares the start', async () => {
  const host = await TestHost.start();
  const f = await host.deploy('export default { fetch: () => new Response("x") };');
  const [one, two, answer] = await Promise.all([host.warm(f, 1), host.warm(f, 1), host.call(f)]);
  expect([one, two, answer.status]).toEqual([1, 1, 200]);
  expect((await host.nextFigures()).coldStarts).toBe(1);
});

// At the same time: each waits for three and a half seconds.
for (const [what, source] of Object.entries({
  throws: `throw new Error('no start'); export default {};`,
  'has no handler': `export const x = 1;`,
  'never ends': `for (;;); export default {};`,
  'takes all memory': `const a = []; for (;;) a.push({ x: [a.length] }); export default {};`,
})) {
  test.concurrent(`a module that ${what} is tried once, hurts nobody, and the first caller hears of it`, async ({ onTestFinished }) => {
    const host = await TestHost.start({}, onTestFinished);
    const good = await host.deploy('export default { fetch: () => new Response("good") };', { function: 'good' });
    const bad = await host.deploy(source, { function: 'bad', memoryMb: 16 });
    expect(await host.warm(bad, 1)).toBe(0);
    expect(await host.text(good)).toBe('good');
    expect(['function_threw', 'cpu_limit_exceeded', 'memory_limit_exceeded']).toContain((await host.call(bad)).code);
    // Tried again, but seldom.
    await sleep(3_500);
    expect((await host.nextFigures()).coldStarts).toBeLessThanOrEqual(5);
    expect(await host.text(good)).toBe('good');
  }, 30_000);
}

test('what a module begins at its top level goes on although nobody called yet', async () => {
  const host = await TestHost.start();
  const f = await host.deploy(`let ready; const later = new Promise((r) => setTimeout(() => r('set up'), 300)); export default { async fetch() { return new Response(await later); } };`);
  expect(await host.warm(f, 1)).toBe(1);
  expect(await host.text(f)).toBe('set up');
  await host.warm(f, 0);
});

test('a killed one is made anew while it is kept warm', async () => {
  const host = await TestHost.start();
  const f = await host.deploy(`export default { fetch(req) { if (req.url.endsWith('/spin')) for (;;); return new Response('x'); } };`, { cpuMs: 20 });
  await host.warm(f, 1);
  expect((await host.call(f, { path: '/spin' })).code).toBe('cpu_limit_exceeded');
  for (let i = 0; i < 50 && (await host.nextFigures()).keptWarm === 0; i++) await sleep(50);
  expect((await host.call(f)).cold).toBeNull();
});

test('the wish ends with the connection, and with the target', async () => {
  const host = await TestHost.start();
  const source = 'export default { fetch: () => new Response("x") };';
  const f = await host.deploy(source, { function: 'f' });
  await host.warm(f, 1);
  await host.reconnect();
  expect((await host.nextFigures()).keptWarm).toBe(0);
  const again = await host.deploy(source, { function: 'f' });
  expect(await host.warm(again, 1)).toBe(1);
  expect((await host.nextFigures()).coldStarts).toBe(1);
  host.forget(again);
  const after = await host.nextFigures();
  expect([after.keptWarm, after.isolates, after.retired['settings']]).toEqual([0, 0, 1]);
});

test('more are to be kept warm than fit: callers are served all the same, and the host stays within its budget', async () => {
  const budget = 320 * 1_048_576;
  const host = await TestHost.start({ memoryBytes: budget });
  const targets = [];
  for (let i = 0; i < 150; i++) targets.push(await host.deploy(`const held = Array.from({ length: 24 }, (_, i) => new Uint8Array(131_072).fill(i + 1)); export default { fetch: () => new Response(String(held.length)) };`, { function: `f${i}`, env: { N: String(i) }, cpuMs: 1_000 }));
  const ready = await Promise.all(targets.map(async (f) => host.warm(f, 1)));
  expect(ready.filter((n) => n === 0).length).toBeGreaterThan(10);
  expect(ready.filter((n) => n === 1).length).toBeGreaterThan(10);
  let most = 0;
  for (const f of targets) {
    expect(await host.text(f)).toBe('24');
    most = Math.max(most, host.residentBytes);
  }
  expect(most).toBeLessThan(budget);
  expect((await host.nextFigures()).kills).toEqual({});
}, 120_000);

test('a warm frame for a target that was never named is refused', async () => {
  const host = await TestHost.start();
  const f = await host.deploy('export default { fetch: () => new Response("x") };');
  expect(await host.text(f)).toBe('x');
  void host.warm(99, 1);
  for (let i = 0; i < 200 && !host.output.join('').includes('protocol_violation'); i++) await sleep(20);
  expect(host.output.join('')).toContain('protocol_violation');
  expect(FRAME.warm).toBe(24);
});
