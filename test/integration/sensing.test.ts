// A real gateway's figures, by the second in which things happened.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { useNode } from '../support/node.ts';

const SOURCE = `export default { fetch(request) {
  const { pathname } = new URL(request.url);
  if (pathname === '/throw') throw new Error('no');
  return new Response('ok', { status: pathname === '/teapot' ? 418 : 200 });
} };`;

interface Point {
  readonly time: string;
  readonly requests: number;
  readonly failed: number;
  readonly codes: Readonly<Record<string, number>>;
  readonly memoryBytes: { readonly mean: number };
}

it('every request counts once, in a second within which it may have been answered', { timeout: 90_000 }, async () => {
  const node = await useNode({ hosts: 1 });
  await node.deploy('card', SOURCE);
  await node.call('card');
  /** When each call began and ended. */
  const calls: [beganMs: number, endedMs: number][] = [];
  const began = Date.now();
  while (Date.now() - began < 2_600) {
    const at = Date.now();
    await node.call('card', ['/', '/teapot', '/throw'][calls.length % 3]);
    calls.push([at, Date.now()]);
    await sleep(15);
  }
  const series = async (): Promise<readonly Point[]> => {
    const { body } = await node.api('GET', `/v1/functions/card/series?step=1s&from=${began - 60_000}&to=${Date.now() + 5_000}`);
    return body['items'] as Point[];
  };
  // The first call, and all of these.
  await expect.poll(async () => (await series()).reduce((sum, point) => sum + point.requests, 0), { timeout: 10_000 }).toBe(calls.length + 1);
  const points = await series();
  const threw = calls.filter((_, i) => i % 3 === 2).length;
  expect(points.reduce((sum, point) => sum + point.failed, 0)).toBe(threw);
  expect(points.reduce((sum, point) => sum + (point.codes['function_threw'] ?? 0), 0)).toBe(threw);
  // No second has more than what was under way in it. The gateway cuts a turn of its loop after the boundary: a few calls may fall into the second before.
  for (const { time, requests } of points.filter((point) => Date.parse(point.time) > began)) {
    const from = Date.parse(time);
    const possible = calls.filter(([a, b]) => b >= from && a < from + 1_250).length;
    expect([time, requests, requests <= possible]).toEqual([time, requests, true]);
  }
  expect(points.length).toBeGreaterThanOrEqual(3);
  expect(points.some((point) => point.memoryBytes.mean > 100_000)).toBe(true);
});
