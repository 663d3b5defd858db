// The clock stands still during an entry, shows the time at its begin, and the real one is reachable from nowhere.
import { expect, test } from 'vitest';
import { TestHost } from '../../../support/isolates-host.ts';

const host = TestHost.shared();

const WAIT = 'const wait = (ms = 0) => new Promise((done) => setTimeout(done, ms));';

async function run(body: string, settings = {}): Promise<Record<string, unknown>> {
  const target = await host().deploy(`${WAIT}\nexport default { async fetch() { ${body} } };`, { cpuMs: 2_000, ...settings });
  return JSON.parse(await host().text(target)) as Record<string, unknown>;
}

/** Long enough for every clock of the machine to tick: at least 20 ms. */
const SPIN = 'for (let i = 0, x = 1; i < 3e7; i++) x = (x * 31 + i) | 0;';

test('a busy loop sees no progress on any clock', async () => {
  const answer = await run(`
    const format = new Intl.DateTimeFormat('en', { fractionalSecondDigits: 3, second: 'numeric' });
    class Mine extends Date {}
    const clocks = {
      now: () => Date.now(), newDate: () => new Date().getTime(), call: () => Date(), construct: () => Reflect.construct(Date, []).getTime(),
      otherTarget: () => Date.prototype.getTime.call(Reflect.construct(Date, [], Object)), subclass: () => new Mine().getTime(),
      viaPrototype: () => new Date.prototype.constructor().getTime(), viaInstance: () => new (new Date(0).constructor)().getTime(),
      clone: () => structuredClone(new Date()).getTime(), format: () => format.format(), formatUndefined: () => format.format(undefined),
      parts: () => JSON.stringify(format.formatToParts()), toLocale: () => new Date().toLocaleString('en', { fractionalSecondDigits: 3 }), event: () => new Event('x').timeStamp,
      fresh: () => new Function('return Date.now()')(), indirect: () => (0, eval)('new Date().getTime()'), bound: () => new (Date.bind(null))().getTime(),
      proxy: () => new (new Proxy(Date, {}))().getTime(), superclass: () => new (Object.getPrototypeOf(Mine))().getTime(), species: () => Reflect.apply(Date.now, undefined, []),
    };
    const before = Object.fromEntries(Object.entries(clocks).map(([name, read]) => [name, read()]));
    ${SPIN}
    const moved = Object.entries(clocks).filter(([name, read]) => read() !== before[name]).map(([name]) => name);
    return Response.json({ moved, count: Object.keys(before).length });
  `);
  expect(answer).toEqual({ moved: [], count: 20 });
});

test('console.time can not time an entry either', async () => {
  await run(`console.time('spin'); ${SPIN} console.timeEnd('spin'); return Response.json({});`, { function: 'timed' });
  await expect.poll(() => host().logs.find((line) => line.fn === 'timed')?.message).toMatch(/spin: 0(?:\.0+)? ?ms/);
});

test('timers advance it, by as much as has passed', async () => {
  const answer = await run(`
    const start = Date.now();
    await wait(60);
    const later = Date.now();
    const steps = [];
    for (let i = 0; i < 40; i++) { await wait(); steps.push(Date.now()); }
    return Response.json({ passed: later - start, sorted: steps.every((t, i) => i === 0 || t >= steps[i - 1]), moved: steps.at(-1) > steps[0], whole: Number.isInteger(later) });
  `);
  expect(answer).toMatchObject({ sorted: true, moved: true, whole: true });
  expect(answer['passed']).toBeGreaterThanOrEqual(58);
  expect(answer['passed']).toBeLessThan(2_000);
});

test('it is the time at which the entry began', async () => {
  const before = Date.now();
  const answer = await run('return Response.json({ now: Date.now(), date: new Date().getTime(), iso: new Date(Date()).getTime() });');
  expect(answer['date']).toBe(answer['now']);
  expect(answer['now']).toBeGreaterThanOrEqual(before - 2);
  expect(answer['now']).toBeLessThanOrEqual(Date.now() + 2);
  // The text form has no milliseconds.
  expect(Number(answer['now']) - Number(answer['iso'])).toBeLessThan(1_000);
});

test('an answered fetch or body read advances it', async () => {
  const source = `export default { async fetch(request) {
    const reader = request.body.getReader(); const seen = [];
    for (;;) { const { done } = await reader.read(); if (done) break; seen.push(Date.now()); }
    return Response.json({ advanced: seen.at(-1) - seen[0] });
  } };`;
  const target = await host().deploy(source);
  async function* slowly(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(10);
    await new Promise((done) => setTimeout(done, 50));
    yield new Uint8Array(10);
  }
  const { advanced } = JSON.parse(await host().text(target, { stream: slowly() })) as { advanced: number };
  expect(advanced).toBeGreaterThanOrEqual(30);
});

test('module evaluation is an entry of its own', async () => {
  const target = await host().deploy(`const a = Date.now(); ${SPIN} const b = Date.now(); export default { fetch() { return Response.json({ same: a === b, recent: Date.now() - a < 60_000 }); } };`);
  expect(JSON.parse(await host().text(target))).toEqual({ same: true, recent: true });
});

test('Date is a conformant constructor', async () => {
  const answer = await run(`
    class Mine extends Date { twice() { return this.getTime() * 2; } }
    const descriptor = (o, k) => { const d = Object.getOwnPropertyDescriptor(o, k); return [typeof (d.value ?? d.get), d.writable, d.enumerable, d.configurable].join(); };
    const throws = (f) => { try { f(); return 'nothing'; } catch (e) { return e.constructor.name; } };
    return Response.json({
      shape: [Date.name, Date.length, typeof Date, Object.getOwnPropertyNames(Date).toSorted().join()],
      globals: descriptor(globalThis, 'Date'), prototype: descriptor(Date, 'prototype'), now: descriptor(Date, 'now'), constructor: descriptor(Date.prototype, 'constructor'),
      nowIs: [Date.now.name, Date.now.length, 'prototype' in Date.now, throws(() => new Date.now())],
      chain: [Date.prototype.constructor === Date, new Date() instanceof Date, Object.getPrototypeOf(Date) === Function.prototype],
      tag: Object.prototype.toString.call(new Date()), isClass: Object.prototype.toString.call(Date),
      sub: [new Mine(21) instanceof Mine, new Mine(21) instanceof Date, new Mine(21).twice(), Object.getPrototypeOf(new Mine()) === Mine.prototype],
      args: [new Date(undefined).getTime(), new Date(null).getTime(), new Date(0).getTime(), new Date('2024-02-29T00:00:00Z').toISOString(), new Date(2024, 1, 29).getDate(), new Date(new Date(7)).getTime(), Date.UTC(2024, 0), Date.parse('1970-01-01T00:00:01Z'), new Date(1n < 2n).getTime()],
      call: [typeof Date(1, 2, 3), Date(0) === Date()],
      toPrimitive: [typeof new Date()[Symbol.toPrimitive]('number'), throws(() => Date.prototype.getTime.call({})), throws(() => new Date(1n))],
      custom: (() => { const C = function () {}; const d = Reflect.construct(Date, [5], C); return [Object.getPrototypeOf(d) === C.prototype, Date.prototype.getTime.call(d)]; })(),
      target: (() => { const t = function () {}.bind(); t.prototype = 3; return Object.getPrototypeOf(Reflect.construct(Date, [0], t)) === Date.prototype; })(),
    });
  `);
  expect(answer).toEqual({
    shape: ['Date', 7, 'function', 'UTC,length,name,now,parse,prototype'],
    globals: 'function,true,false,true', prototype: 'object,false,false,false', now: 'function,true,false,true', constructor: 'function,true,false,true',
    nowIs: ['now', 0, false, 'TypeError'],
    chain: [true, true, true], tag: '[object Date]', isClass: '[object Function]', sub: [true, true, 42, true],
    args: [null, 0, 0, '2024-02-29T00:00:00.000Z', 29, 7, 1_704_067_200_000, 1_000, 1],
    call: ['string', true], toPrimitive: ['number', 'TypeError', 'TypeError'], custom: [true, 5], target: true,
  });
});

test('Intl.DateTimeFormat keeps its form', async () => {
  const answer = await run(`
    const f = new Intl.DateTimeFormat('en', { timeZone: 'UTC', dateStyle: 'short', timeStyle: 'medium' });
    const getter = Object.getOwnPropertyDescriptor(Intl.DateTimeFormat.prototype, 'format');
    const throws = (g) => { try { g(); return 'nothing'; } catch (e) { return e.constructor.name; } };
    return Response.json({
      same: [f.format === f.format, f.format(0), f.format(null), f.format(new Date(0)), f.format() === f.format(Date.now())],
      form: [f.format.name, f.format.length, 'prototype' in f.format, getter.get.name, getter.enumerable, getter.configurable, getter.set === undefined],
      parts: [f.formatToParts.name, f.formatToParts.length, f.formatToParts(0)[0], Object.getOwnPropertyDescriptor(Intl.DateTimeFormat.prototype, 'formatToParts').enumerable],
      detached: [0, 1].map(f.format).length, ranges: [throws(() => f.formatRange()), throws(() => f.format(NaN)), throws(() => getter.get.call({}))],
    });
  `);
  expect(answer).toEqual({
    same: [true, '1/1/70, 12:00:00 AM', '1/1/70, 12:00:00 AM', '1/1/70, 12:00:00 AM', true],
    form: ['', 1, false, 'get format', false, true, true],
    parts: ['formatToParts', 1, { type: 'month', value: '1' }, false],
    detached: 2, ranges: ['TypeError', 'RangeError', 'TypeError'],
  });
});

test('a patched Date breaks only the function that patched it', async () => {
  const answer = await run(`
    const real = Date.now();
    Reflect.construct = () => { throw new Error('patched'); }; Reflect.apply = Reflect.construct; WeakMap.prototype.get = Reflect.construct;
    const stolen = []; const { call } = Function.prototype;
    Function.prototype.call = function (...args) { stolen.push(this); return Reflect.apply(call, this, args); };
    Object.prototype.value = 5;
    const after = new Date().getTime();
    const text = new Intl.DateTimeFormat('en').format();
    delete Object.prototype.value;
    Date.now = () => 12;
    return Response.json({ same: after === real, stolen: stolen.length, text: typeof text, patched: Date.now(), others: new Date().getTime() === real });
  `);
  expect(answer).toEqual({ same: true, stolen: 0, text: 'string', patched: 12, others: true });
});
