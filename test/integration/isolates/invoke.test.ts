import { expect, test } from 'vitest';
import { TestHost } from '../../support/isolates-host.ts';

test('answers with text, JSON, bytes and nothing', async () => {
  const host = await TestHost.start();
  const f = await host.deploy(`export default { fetch(req) {
    const { pathname } = new URL(req.url);
    if (pathname === '/json') return Response.json({ a: [1, 'ü'] });
    if (pathname === '/bytes') return new Response(new Uint8Array([1, 2, 3]));
    if (pathname === '/none') return new Response(null, { status: 204, headers: { 'x-a': 'b' } });
    return new Response('hello');
  } };`);
  expect(await host.text(f)).toBe('hello');
  const json = await host.call(f, { path: '/json' });
  expect([json.status, json.headers['content-type'], json.body.toString()]).toEqual([200, 'application/json', '{"a":[1,"ü"]}']);
  expect([...(await host.call(f, { path: '/bytes' })).body]).toEqual([1, 2, 3]);
  const none = await host.call(f, { path: '/none' });
  expect([none.status, none.headers['x-a'], none.body.length]).toEqual([204, 'b', 0]);
});

test('says how a cold start went, and nothing of a warm one', async () => {
  const host = await TestHost.start();
  const f = await host.deploy(`export default { fetch() { return new Response('x'); } };`);
  const cold = await host.call(f);
  expect(cold.cold).toHaveLength(4);
  expect((await host.call(f)).cold).toBeNull();
});
