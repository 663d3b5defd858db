// performance: HR-TIME and User Timing, on a clock that stands still during an entry.
import { expect, test } from 'vitest';
import { TestHost } from '../../../support/isolates-host.ts';

const host = TestHost.shared();

const HEAD = `const wait = (ms = 0) => new Promise((done) => setTimeout(done, ms));
const thrown = (f) => { try { f(); return 'nothing'; } catch (e) { return e.name; } };
const kind = (o, k) => { const d = Object.getOwnPropertyDescriptor(o, k); return d && [typeof (d.value ?? d.get), d.enumerable, d.configurable].join(); };
const spin = () => { for (let i = 0, x = 1; i < 3e7; i++) x = (x * 31 + i) | 0; };`;

async function run(body: string): Promise<Record<string, unknown>> {
  const target = await host().deploy(`${HEAD}\nexport default { async fetch() { ${body} } };`, { cpuMs: 2_000, debug: true });
  const { code, detail, body: text } = await host().call(target);
  if (code !== null) throw new Error(`${code}: ${detail}`);
  return JSON.parse(text.toString()) as Record<string, unknown>;
}

test('interfaces have the form of Web IDL', async () => {
  const answer = await run(`
    const P = Performance.prototype; const all = [Performance, PerformanceEntry, PerformanceMark, PerformanceMeasure];
    void performance;
    return Response.json({
      names: all.map((c) => [c.name, c.length, Object.prototype.toString.call(c.prototype), kind(globalThis, c.name)].join()), global: kind(globalThis, 'performance'),
      chain: [performance instanceof Performance, performance instanceof EventTarget, Object.getPrototypeOf(Performance) === EventTarget, Object.getPrototypeOf(PerformanceMark) === PerformanceEntry],
      members: Object.getOwnPropertyNames(P).toSorted().join(), enumerable: Object.keys(P).length, lengths: ['now', 'toJSON', 'mark', 'measure', 'clearMarks', 'clearMeasures', 'getEntries', 'getEntriesByType', 'getEntriesByName'].map((n) => P[n].length),
      entry: Object.getOwnPropertyNames(PerformanceEntry.prototype).toSorted().join(), illegal: [thrown(() => new Performance()), thrown(() => new PerformanceEntry()), thrown(() => new PerformanceMeasure()), thrown(() => PerformanceMark('x'))],
      brands: [thrown(() => P.now.call({})), thrown(() => P.mark.call(new EventTarget(), 'x')), thrown(() => Object.getOwnPropertyDescriptor(PerformanceEntry.prototype, 'name').get.call({})), thrown(() => PerformanceMark.prototype.detail), thrown(() => P.getEntries.call(P))],
      missing: ['mark', 'measure', 'getEntriesByType', 'getEntriesByName'].map((n) => thrown(() => performance[n]())), tag: String(performance), keys: Object.keys(performance),
    });`);
  const members = 'clearMarks,clearMeasures,constructor,getEntries,getEntriesByName,getEntriesByType,mark,measure,now,timeOrigin,toJSON';
  expect(answer).toEqual({
    names: ['Performance,0', 'PerformanceEntry,0', 'PerformanceMark,1', 'PerformanceMeasure,0'].map((n) => `${n},[object ${n.split(',')[0]}],function,false,true`), global: 'object,true,true', chain: [true, true, true, true],
    members, enumerable: 10, lengths: [0, 0, 1, 1, 0, 0, 0, 1, 1], entry: 'constructor,duration,entryType,name,startTime,toJSON', illegal: Array(4).fill('TypeError'), brands: Array(5).fill('TypeError'),
    missing: Array(4).fill('TypeError'), tag: '[object Performance]', keys: [],
  });
});

test('now stands still during an entry and agrees with Date', async () => {
  const answer = await run(`
    const a = performance.now(); spin(); const b = performance.now();
    await wait(50); const c = performance.now();
    const steps = []; for (let i = 0; i < 20; i++) { await wait(); steps.push(performance.now()); }
    return Response.json({
      same: a === b, passed: c - b, sorted: steps.every((t, i) => i === 0 || t >= steps[i - 1]), positive: a > 0, coarse: steps.every((t) => Math.abs(t * 10 - Math.round(t * 10)) < 1e-6),
      agrees: Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 3, json: JSON.stringify(performance) === JSON.stringify({ timeOrigin: performance.timeOrigin }), origin: typeof performance.timeOrigin,
    });`);
  expect(answer).toMatchObject({ same: true, sorted: true, positive: true, coarse: true, agrees: true, json: true, origin: 'number' });
  expect(answer['passed']).toBeGreaterThanOrEqual(48);
});

test('timeOrigin is the isolate\'s: later invocations share it', async () => {
  const target = await host().deploy('export default { fetch() { return Response.json([performance.timeOrigin, performance.now()]); } };');
  const [first, second] = [JSON.parse(await host().text(target)), JSON.parse(await host().text(target))] as [number[], number[]];
  expect(second[0]).toBe(first[0]);
  expect(second[1]).toBeGreaterThan(first[1] ?? 0);
  expect(Math.abs(Date.now() - (first[0] ?? 0))).toBeLessThan(60_000);
});

test('marks', async () => {
  const answer = await run(`
    await wait(5);
    const now = performance.now(); const data = { deep: [1] };
    const m = performance.mark('a', { detail: data }); data.deep.push(2);
    const early = performance.mark('b', { startTime: 1.5 }); const own = new PerformanceMark('c', { startTime: '7', detail: null });
    return Response.json({
      m: m.toJSON(), isMark: [m instanceof PerformanceMark, m instanceof PerformanceEntry], atNow: m.startTime === now, same: m.detail === m.detail, early: [early.startTime, early.duration, early.detail],
      own: [own.startTime, own.name, own.detail], list: performance.getEntries().map(({ name }) => name), stringified: performance.mark(12).name, undef: performance.mark(undefined).name,
      bad: [thrown(() => performance.mark('x', { startTime: -1 })), thrown(() => performance.mark('x', { startTime: NaN })), thrown(() => performance.mark(Symbol())), thrown(() => performance.mark('x', { detail: () => {} })), thrown(() => performance.mark('x', 5)), thrown(() => new PerformanceMark())],
      after: performance.getEntriesByType('mark').length,
    });`);
  expect(answer).toMatchObject({
    m: { name: 'a', entryType: 'mark', duration: 0, detail: { deep: [1] } }, isMark: [true, true], atNow: true, same: true, early: [1.5, 0, null], own: [7, 'c', null], list: ['b', 'a'], stringified: '12', undef: 'undefined',
    bad: ['TypeError', 'TypeError', 'TypeError', 'DataCloneError', 'TypeError', 'TypeError'], after: 4,
  });
});

test('measures', async () => {
  const answer = await run(`
    performance.mark('a', { startTime: 10 }); performance.mark('b', { startTime: 30 }); performance.mark('a', { startTime: 20 });
    await wait(60);
    const now = performance.now();
    const span = (...args) => { const { startTime, duration } = performance.measure('m', ...args); return [startTime, duration]; };
    return Response.json({
      plain: span()[0] === 0 && span()[1] === now, marks: span('a', 'b'), fromMark: span('a')[0] === 20 && span('a')[1] === now - 20, toMark: span(undefined, 'b'), emptyOptions: span({}, 'b'), nullOptions: span(null, 'b'),
      times: span({ start: 5, end: 9 }), mixed: span({ start: 'a', end: 45 }), startDuration: span({ start: 5, duration: 7 }), endDuration: span({ end: 50, duration: 7 }), onlyEnd: span({ end: 40 }), onlyStart: span({ start: 5 })[0],
      reversed: span({ start: 9, end: 5 }), detail: performance.measure('d', { start: 1, detail: { x: [1] } }).detail, noDetail: performance.measure('d').detail, json: performance.measure('j', { start: 1, end: 2 }).toJSON(),
      bad: [
        thrown(() => span('none')), thrown(() => span('a', 'none')), thrown(() => span({ start: 'none' })), thrown(() => span({ start: 1 }, 'b')), thrown(() => span({ detail: 1 })), thrown(() => span({ duration: 1 })),
        thrown(() => span({ start: 1, end: 2, duration: 1 })), thrown(() => span({ start: -1 })), thrown(() => span({ start: 1, duration: -1 })), thrown(() => span({ end: NaN })),
      ],
      order: (() => { const seen = []; performance.measure('o', new Proxy({ start: 1 }, { get(t, k) { seen.push(k); return t[k]; } })); return seen.join(); })(),
    });`);
  expect(answer).toEqual({
    plain: true, marks: [20, 10], fromMark: true, toMark: [0, 30], emptyOptions: [0, 30], nullOptions: [0, 30], times: [5, 4], mixed: [20, 25], startDuration: [5, 7], endDuration: [43, 7], onlyEnd: [0, 40], onlyStart: 5, reversed: [9, -4],
    detail: { x: [1] }, noDetail: null, json: { name: 'j', entryType: 'measure', startTime: 1, duration: 1, detail: null },
    bad: ['SyntaxError', 'SyntaxError', 'SyntaxError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError'], order: 'detail,duration,end,start',
  });
});

test('entries are listed in order, chosen and cleared', async () => {
  const answer = await run(`
    for (const [name, startTime] of [['a', 3], ['b', 1], ['a', 2]]) performance.mark(name, { startTime });
    performance.measure('a', { start: 0, end: 1 });
    const list = (entries) => entries.map((e) => e.entryType[1] + e.name + e.startTime).join();
    const all = list(performance.getEntries());
    const picks = [list(performance.getEntriesByType('mark')), list(performance.getEntriesByType('Mark')), list(performance.getEntriesByName('a')), list(performance.getEntriesByName('a', 'mark')), list(performance.getEntriesByName('a', undefined)), list(performance.getEntriesByName('x'))];
    const fresh = performance.getEntries() !== performance.getEntries();
    performance.clearMarks('a'); const after = list(performance.getEntries()); performance.clearMarks(); const noMarks = list(performance.getEntries()); performance.clearMeasures('x'); performance.clearMeasures();
    return Response.json({ all, picks, fresh, after, noMarks, end: performance.getEntries().length });`);
  expect(answer).toEqual({
    all: 'ea0,ab1,aa2,aa3', picks: ['ab1,aa2,aa3', '', 'ea0,aa2,aa3', 'aa2,aa3', 'ea0,aa2,aa3', ''], fresh: true, after: 'ea0,ab1', noMarks: 'ea0', end: 0,
  });
});

test('their number is bounded: the oldest go', async () => {
  const answer = await run(`
    for (let i = 0; i < 10_050; i++) performance.mark('m' + i, { startTime: i });
    const all = performance.getEntries();
    return Response.json([all.length, all[0].name, all.at(-1).name]);`);
  expect(answer).toEqual([10_000, 'm50', 'm10049']);
});

test('it is an event target, and patched built-ins harm only who patched them', async () => {
  const answer = await run(`
    let heard = 0; performance.addEventListener('x', () => (heard += 1)); performance.dispatchEvent(new Event('x'));
    Array.prototype.push = () => { throw 1; }; Array.prototype.sort = Array.prototype.push; Array.prototype[Symbol.iterator] = Array.prototype.push; Number = Array.prototype.push;
    performance.mark('a', { startTime: 2 }); performance.mark('b', { startTime: 1 });
    const entries = performance.getEntries();
    return Response.json({ heard, names: entries[0].name + entries[1].name });`);
  expect(answer).toEqual({ heard: 1, names: 'ba' });
});
