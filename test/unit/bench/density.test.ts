// The density bench's own parts: what it draws, what it deploys, and what it counts.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { KINDS, densityCases } from '../../../bench/density/cases.ts';
import { eachMb, metricSum, sumMb } from '../../../bench/density/memory.ts';
import { seededRandom, shuffled, slope, zipf } from '../../../bench/density/random.ts';
import { seedFunctions } from '../../../bench/density/seed.ts';
import { countOutcomes, openLoop } from '../../../bench/lib/open-loop.ts';
import { Catalog } from '../../../control/model/index.ts';
import { openLmdbStore } from '../../../control/store/index.ts';

test('a seed repeats its numbers, and they fill the unit interval evenly', () => {
  const draw = (seed: number): number[] => Array.from({ length: 10_000 }, seededRandom(seed));
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
  const tenths = Array.from({ length: 10 }, () => 0);
  for (const value of draw(3)) tenths[Math.floor(value * 10)] = (tenths[Math.floor(value * 10)] ?? 0) + 1;
  for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150);
});

test("ranks follow Zipf's law: the first twice as often as the second, three times as often as the third", () => {
  const draw = zipf(1_000, 1, seededRandom(5));
  const counts = Array.from({ length: 1_000 }, () => 0);
  for (let i = 0; i < 200_000; i++) {
    const rank = draw();
    counts[rank] = (counts[rank] ?? 0) + 1;
  }
  const [first = 0, second = 0, third = 0] = counts;
  // H(1000) = 7.485: the first rank gets 13.4 % of all.
  expect(first / 200_000).toBeCloseTo(0.1336, 2);
  expect(first / second).toBeCloseTo(2, 0);
  expect(first / third).toBeCloseTo(3, 0);
});

test('a shuffle keeps every number once; a slope is that of the line', () => {
  const order = shuffled(100, seededRandom(1));
  expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  expect(order).not.toEqual(order.toSorted((a, b) => a - b));
  expect(slope([[0, 5], [1, 7], [2, 9]])).toBeCloseTo(2);
  expect(slope([[0, 4], [1, 4], [2, 4]])).toBe(0);
});

test('memory is summed by title and shared out; a metric is summed over its labels', () => {
  const MB = 1_048_576;
  const processes = [
    { pid: 1, title: 'thimble host-1', residentBytes: 30 * MB, proportionalBytes: 20 * MB },
    { pid: 2, title: 'thimble gateway', residentBytes: 10 * MB, proportionalBytes: 5 * MB },
  ];
  expect(sumMb(processes)).toEqual({ rss: 40, pss: 25 });
  expect(sumMb(processes, 'host-')).toEqual({ rss: 30, pss: 20 });
  expect(eachMb({ rss: 40, pss: 25 }, { rss: 20, pss: 15 }, 10)).toEqual({ rss: 2, pss: 1 });
  expect(metricSum('# HELP a b\na{host="1"} 2\na{host="2"} 3\nab 9\nsum 4\n', 'a')).toBe(5);
  expect(metricSum('sum 4\n', 'sum')).toBe(4);
  expect(metricSum('sum 4\n', 'none')).toBe(0);
});

test('each function has its own answer, and functions of one kind and team share a version folder', async () => {
  const cases = await densityCases(40, 5);
  expect(new Set(cases.map(({ name }) => name)).size).toBe(40);
  expect(new Set(cases.map(({ kind }) => kind.name))).toEqual(new Set(KINDS.map(({ name }) => name)));
  expect(new Set(cases.map(({ body }) => body)).size).toBe(20);
  const folder = mkdtempSync(join(tmpdir(), 'thimble-seed-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const { versionFolders } = await seedFunctions(folder, cases);
  expect(versionFolders).toBe(20);
  expect(readdirSync(join(folder, 'versions', 'default'))).toHaveLength(20);
  const store = openLmdbStore(join(folder, 'control'));
  onTestFinished(() => store.close());
  const catalog = Catalog.load(store);
  expect(catalog.size).toBe(40);
  for (const { name } of cases) expect(catalog.route(name)?.traffic?.split).toEqual([{ version: 1, weight: 100 }]);
});

test('the open loop sends when requests are due, and a server that stalls is charged for all that waited', async () => {
  let answered = 0;
  let stallUntilMs = 0;
  const server = createServer((request, response) => {
    answered += 1;
    if (answered === 20) stallUntilMs = performance.now() + 400;
    const answer = (): void => {
      const body = request.url === '/bad' ? '{"code":"overloaded"}' : 'right';
      response.writeHead(request.url === '/bad' ? 503 : 200, { 'content-length': body.length, ...(request.url === '/cold' ? { 'x-thimble-reason': 'cold_start;queue=0' } : {}) });
      response.end(body);
    };
    setTimeout(answer, Math.max(0, stallUntilMs - performance.now()));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const request = (path: string, body: string | undefined): { text: string; body: string | undefined } => ({ text: `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`, body });
  const picks = Array.from({ length: 100 }, (_, i) => (i === 3 ? 1 : i === 5 ? 2 : i === 7 ? 3 : 0));
  const result = await openLoop({ port, requests: [request('/', 'right'), request('/cold', 'right'), request('/bad', undefined), request('/', 'other')], picks, perSec: 100, connections: 1 });
  expect(countOutcomes(result.outcomes)).toEqual({ 200: 97, '200 cold': 1, '503 overloaded': 1, 'wrong body': 1 });
  // 40 requests were due in the 400 ms, on the one connection: each waited for the rest of the stall.
  expect(result.latencyMs.filter((ms) => ms > 100).length).toBeGreaterThan(20);
  expect(Math.max(...result.latencyMs)).toBeGreaterThan(380);
});
