// Invocations that share an isolate are kept apart: each line of the log belongs to the one that wrote it.
import { expect, test } from 'vitest';
import { TestHost } from '../../../support/isolates-host.ts';

const host = TestHost.shared();

test('a line after an await carries the id of its own invocation while others run', async () => {
  const target = await host().deploy(`
    const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    export default { async fetch(request) {
      const name = new URL(request.url).pathname;
      console.log(name + ' begins');
      for (let i = 0; i < 5; i++) { await sleep(1 + Math.random() * 10); console.log(name + ' step ' + i); }
      const body = await request.text();
      console.log(name + ' read ' + body.length);
      queueMicrotask(() => console.log(name + ' microtask'));
      return new Response(name);
    } };
  `, { function: 'apart', cpuMs: 1_000 });
  const running = Array.from({ length: 20 }, (_, i) => host().invoke(target, { path: `/${i}`, body: 'x'.repeat(i + 1) }));
  await Promise.all(running.map(({ done }) => done));
  const lines = (): TestHost['logs'] => host().logs.filter(({ fn }) => fn === 'apart');
  await expect.poll(() => lines().length).toBe(20 * 8);
  const idsByName = new Map<string, Set<string>>();
  for (const { message, invocation } of lines()) {
    const name = message.slice(0, message.indexOf(' '));
    idsByName.set(name, (idsByName.get(name) ?? new Set()).add(invocation));
  }
  expect(idsByName.size).toBe(20);
  for (const ids of idsByName.values()) expect(ids.size).toBe(1);
  expect(new Set([...idsByName.values()].flatMap((ids) => [...ids])).size).toBe(20);
});
