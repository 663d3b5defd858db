// Limits per caller at the gateway's door: each caller has its own, and a flood of made-up ones takes nobody else's.
import { expect, test } from 'vitest';
import { reflect, routeFunction } from '../../support/gateway-fakes.ts';
import type { FakeInvocation } from '../../support/gateway-fakes.ts';
import { call, openSocket, problemCode, until, useGateway } from '../../support/gateway-stand.ts';
import type { Answer } from '../../support/gateway-stand.ts';

/** Nobody waits for it to be over. */
const SLOW = 0.001;

test('one caller that sends too much is refused, with a reason and Retry-After; others are not, nor is the function\'s own rate used up', async () => {
  const stand = await useGateway({ functions: [routeFunction('f', { callers: { by: 'header:X-Api-Key', rps: SLOW, burst: 3 }, limits: { rps: 100 } })], hosts: [reflect] });
  const ask = (key: string): Promise<Answer> => call(stand.port, '/', { fn: 'f', headers: key === '' ? {} : { 'x-api-key': key } });
  const abuser: Answer[] = [];
  for (let i = 0; i < 20; i++) abuser.push(await ask('abuser'));
  expect(abuser.map(({ status }) => status)).toEqual([200, 200, 200, ...Array.from({ length: 17 }, () => 429)]);
  const refused = abuser[3] as Answer;
  expect([problemCode(refused), refused.reason]).toEqual(['caller_rate_limited', 'caller_rate_limited;limit=0.001']);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(900);
  expect((await ask('other')).status).toBe(200);
  // Who has no key shares one allowance.
  expect([(await ask('')).status, (await ask('')).status, (await ask('')).status, (await ask('')).status]).toEqual([200, 200, 200, 429]);
  await until(() => stand.control.count('f', 1).codes['caller_rate_limited'] === 18);
  await until(() => stand.control.figures.at(-1)?.callers?.functions['f'] === 3);
  expect(stand.control.figures.at(-1)?.callers).toMatchObject({ tracked: 3, crowded: 0 });
});

test('requests at once are counted until their host is done with them, also when the caller hangs up', async () => {
  const held: FakeInvocation[] = [];
  const stand = await useGateway({ functions: [routeFunction('f', { callers: { by: 'cookie:uid', concurrency: 2 } })], hosts: [(i) => void held.push(i)] });
  const ask = (uid: string): Promise<Answer> => call(stand.port, '/', { fn: 'f', headers: { cookie: `a=b; uid=${uid}` } });
  const socket = openSocket(stand.port);
  socket.write('GET / HTTP/1.1\r\nhost: f.localhost\r\ncookie: uid=u\r\n\r\n');
  const second = ask('u');
  await until(() => held.length === 2);
  expect(problemCode(await ask('u'))).toBe('caller_concurrency_exceeded');
  socket.destroy();
  await until(() => held.some(({ cancelled }) => cancelled === 'client_gone'));
  // Its code may still run: hanging up frees nothing.
  const again = await ask('u');
  expect([again.status, again.headers['retry-after'], problemCode(again)]).toEqual([429, '1', 'caller_concurrency_exceeded']);
  const other = ask('v');
  await until(() => held.length === 3);
  held.find(({ cancelled }) => cancelled !== undefined)?.fail('internal');
  await until(() => stand.gateway.dispatcher.activeCount === 2);
  const third = ask('u');
  await until(() => held.length === 4);
  for (const one of held) if (one.cancelled === undefined) one.respond(200, [], 'x');
  expect((await Promise.all([second, other, third])).map(({ status }) => status)).toEqual([200, 200, 200]);
  await until(() => stand.gateway.dispatcher.activeCount === 0);
  const last = [ask('u'), ask('u')];
  await until(() => held.length === 6);
  for (const one of held.slice(4)) one.respond(200, [], 'y');
  expect((await Promise.all(last)).map(({ status }) => status)).toEqual([200, 200]);
});

test('behind trusted proxies the address is the client\'s; from anyone else the field counts for nothing', async () => {
  const callers = { by: 'address', rps: SLOW, burst: 1 };
  const behind = await useGateway({ functions: [routeFunction('f', { callers })], hosts: [reflect], trustedProxies: ['127.0.0.1/32'] });
  const ask = (port: number, forwardedFor: string): Promise<Answer> => call(port, '/', { fn: 'f', headers: { 'x-forwarded-for': forwardedFor } });
  const chains = ['203.0.113.1', '203.0.113.2', 'spoofed, 203.0.113.1', '198.51.100.7, 203.0.113.2, 127.0.0.1', '2001:db8::1', '2001:db8::2', '2001:db8:0:1::1'];
  const statuses: number[] = [];
  for (const chain of chains) statuses.push((await ask(behind.port, chain)).status);
  expect(statuses).toEqual([200, 200, 429, 429, 200, 429, 200]);
  const open = await useGateway({ functions: [routeFunction('f', { callers })], hosts: [reflect] });
  expect([(await ask(open.port, '203.0.113.1')).status, (await ask(open.port, '203.0.113.2')).status]).toEqual([200, 429]);
});

test('a flood of made-up and of huge keys is served within the table, and whoever was limited stays limited', async () => {
  const stand = await useGateway({ functions: [routeFunction('f', { callers: { by: 'header:x-key', rps: SLOW, burst: 1 } })], hosts: [reflect] });
  const ask = (key: string): Promise<Answer> => call(stand.port, '/', { fn: 'f', headers: { 'x-key': key } });
  expect([(await ask('abuser')).status, (await ask('abuser')).status]).toEqual([200, 429]);
  const huge = 'k'.repeat(10_000);
  for (let i = 0; i < 3; i++) {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => ask(`${huge}${i}-${n}`)));
    expect(answers.every(({ status }) => status === 200)).toBe(true);
  }
  expect([(await ask(`${huge}0-0`)).status, (await ask('abuser')).status]).toEqual([429, 429]);
  expect(stand.gateway.table.callers.tracked).toBe(151);
});

test('new limits act at once on what is known; a refusal has the function\'s fallback; without limits nothing is counted', async () => {
  const callers = { by: 'header:x-key', rps: SLOW, burst: 1 };
  const stand = await useGateway({ functions: [routeFunction('f', { callers })], hosts: [reflect] });
  const ask = (): Promise<Answer> => call(stand.port, '/', { fn: 'f', headers: { 'x-key': 'a' } });
  const push = async (more: Readonly<Record<string, unknown>>): Promise<void> => {
    const { revision } = stand.control.push([routeFunction('f', more)]);
    await until(() => stand.control.applied.includes(revision));
  };
  expect([(await ask()).status, (await ask()).status]).toEqual([200, 429]);
  await push({ callers, fallback: { static: { status: 200, body: 'later' } } });
  const { status, text, headers } = await ask();
  expect([status, text, headers['x-thimble-fallback']]).toEqual([200, 'later', 'static;code=caller_rate_limited']);
  await push({ callers: { ...callers, rps: 10_000, burst: 2 } });
  // An interval of the new rate later at the most, not one of the old.
  await expect.poll(async () => (await ask()).headers['x-thimble-fallback']).toBeUndefined();
  await push({});
  expect(stand.gateway.table.callers.tracked).toBe(0);
  expect([(await ask()).status, (await ask()).status, (await ask()).status]).toEqual([200, 200, 200]);
});
