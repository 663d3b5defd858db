// DOM standard, section 2: Event, CustomEvent, EventTarget, as the web-platform-tests of dom/events see them.
import { describe, expect, test } from 'vitest';
import { TestHost } from '../../../support/isolates-host.ts';
import { inside } from '../../../support/isolates-inside.ts';

const host = TestHost.shared();
const run = (body: string): Promise<unknown> => inside(host(), body);

describe('Event (2.2)', () => {
  test('constructor, defaults and dictionary', async () => {
    expect(await run(`const e = new Event('a'); const f = new Event('b', { bubbles: 1, cancelable: {}, composed: 'x' });
      const show = (e) => [e.type, e.bubbles, e.cancelable, e.composed, e.target, e.srcElement, e.currentTarget, e.eventPhase, e.defaultPrevented, e.returnValue, e.cancelBubble, e.isTrusted, e.composedPath()];
      return [show(e), show(f), new Event('').type, new Event(undefined).type, new Event(null, null).type, typeof e.timeStamp, e.timeStamp >= 0];`)).toEqual([
      ['a', false, false, false, null, null, null, 0, false, true, false, false, []], ['b', true, true, true, null, null, null, 0, false, true, false, false, []],
      '', 'undefined', 'null', 'number', true,
    ]);
  });
  test.each([`new Event()`, `Event('a')`, `new Event('a', 1)`, `new Event('a', 'x')`, `new Event(Symbol())`, `new CustomEvent()`, `Event.prototype.type`, `new Event('a').initEvent()`])('%s throws a TypeError', async (code) => {
    expect(await run(`return thrown(() => ${code});`)).toBe('TypeError');
  });
  test('constants on interface and prototype, lengths, names, class strings', async () => {
    expect(await run(`const c = (o) => [o.NONE, o.CAPTURING_PHASE, o.AT_TARGET, o.BUBBLING_PHASE]; const d = Object.getOwnPropertyDescriptor(Event, 'AT_TARGET');
      return [c(Event), c(Event.prototype), d, Event.length, CustomEvent.length, EventTarget.length, Event.name, EventTarget.prototype.addEventListener.length, EventTarget.prototype.dispatchEvent.length,
        Event.prototype.initEvent.length, String(new Event('x')), String(new EventTarget()), Object.keys(Event.prototype).includes('preventDefault'), Object.getOwnPropertyDescriptor(globalThis, 'Event').enumerable];`)).toEqual([
      [0, 1, 2, 3], [0, 1, 2, 3], { value: 2, writable: false, enumerable: true, configurable: false }, 1, 1, 0, 'Event', 2, 1, 1, '[object Event]', '[object EventTarget]', true, false,
    ]);
  });
  test('isTrusted is an own accessor that can not be replaced, the same for all', async () => {
    expect(await run(`const a = Object.getOwnPropertyDescriptor(new Event('x'), 'isTrusted'); const b = Object.getOwnPropertyDescriptor(new Event('y'), 'isTrusted');
      return [a.get === b.get, a.set, a.enumerable, a.configurable, typeof a.get, 'isTrusted' in Event.prototype, thrown(() => a.get.call({})), a.get.name];`)).toEqual([true, null, true, false, 'function', false, 'TypeError', 'get isTrusted'].map((v) => v ?? undefined).map((v) => v ?? null));
  });
  test('legacy members: initEvent, returnValue, cancelBubble', async () => {
    expect(await run(`const e = new Event('a', { cancelable: true }); e.preventDefault(); e.initEvent('b', true, false); const one = [e.type, e.bubbles, e.cancelable, e.defaultPrevented];
      const r = new Event('r', { cancelable: true }); r.returnValue = true; const kept = r.returnValue; r.returnValue = false; const n = new Event('n'); n.returnValue = false;
      const c = new Event('c'); c.cancelBubble = false; const no = c.cancelBubble; c.cancelBubble = true; c.cancelBubble = false; const yes = c.cancelBubble;
      let calls = 0; const t = new EventTarget(); t.addEventListener('c', () => calls++); t.dispatchEvent(c);
      return [one, kept, r.returnValue, r.defaultPrevented, n.returnValue, no, yes, calls, c.cancelBubble];`)).toEqual([['b', true, false, false], true, false, true, true, false, true, 0, false]);
  });
  test('initEvent does nothing while the event is dispatched; a second dispatch throws then', async () => {
    expect(await run(`const t = new EventTarget(); const e = new Event('a'); let seen; t.addEventListener('a', (ev) => { ev.initEvent('b', true, true); seen = [ev.type, ev.bubbles, thrown(() => t.dispatchEvent(ev))]; });
      t.dispatchEvent(e); e.initEvent('c'); return [seen, e.type];`)).toEqual([['a', false, 'InvalidStateError'], 'c']);
  });
  test('CustomEvent', async () => {
    expect(await run(`const o = { x: 1 }; const e = new CustomEvent('a', { detail: o }); const d = new CustomEvent('a'); e.initCustomEvent('z', true, true, 7);
      return [new CustomEvent('a', { detail: o }).detail === o, d.detail, e.type, e.detail, e.cancelable, e instanceof Event, new CustomEvent('a', { detail: undefined }).detail, thrown(() => d.initCustomEvent())];`)).toEqual([true, null, 'z', 7, true, true, null, 'TypeError']);
  });
  test('timeStamp is on the clock of performance', async () => {
    expect(await run(`if (globalThis.performance === undefined) return true; const a = performance.now(); const e = new Event('x'); return a <= e.timeStamp && e.timeStamp <= performance.now();`)).toBe(true);
  });
});

describe('EventTarget (2.7, 2.9)', () => {
  test('target, phase, path and this during dispatch, and after', async () => {
    expect(await run(`const t = new EventTarget(); const e = new Event('a', { bubbles: true }); let seen; t.addEventListener('a', function (ev) { seen = [this === t, ev.target === t, ev.currentTarget === t, ev.srcElement === t, ev.eventPhase, ev.composedPath().length, ev.composedPath()[0] === t]; });
      const r = t.dispatchEvent(e); return [r, seen, e.target === t, e.currentTarget, e.eventPhase, e.composedPath()];`)).toEqual([true, [true, true, true, true, 2, 1, true], true, null, 0, []]);
  });
  test('capturing listeners run first, each phase in the order of adding; the same listener counts once per phase', async () => {
    expect(await run(`const t = new EventTarget(); const seen = []; const f = () => seen.push('f'); t.addEventListener('a', () => seen.push('b1')); t.addEventListener('a', () => seen.push('c1'), true); t.addEventListener('a', f); t.addEventListener('a', f, { once: true }); t.addEventListener('a', f, { capture: true });
      t.dispatchEvent(new Event('a')); t.removeEventListener('a', f); t.dispatchEvent(new Event('a')); return seen;`)).toEqual(['c1', 'f', 'b1', 'f', 'c1', 'f', 'b1']);
  });
  test('stopPropagation ends before the other phase, stopImmediatePropagation at once; both are reset', async () => {
    expect(await run(`const t = new EventTarget(); const seen = []; t.addEventListener('a', (e) => { seen.push('c'); e.stopPropagation(); }, true); t.addEventListener('a', () => seen.push('c2'), true); t.addEventListener('a', () => seen.push('b'));
      const e = new Event('a'); t.dispatchEvent(e); const u = new EventTarget(); u.addEventListener('a', (e) => { seen.push('i'); e.stopImmediatePropagation(); }); u.addEventListener('a', () => seen.push('never')); u.dispatchEvent(e);
      const p = new Event('a'); p.stopPropagation(); u.dispatchEvent(p); u.dispatchEvent(p); return [seen, e.cancelBubble];`)).toEqual([['c', 'c2', 'i', 'i'], false]);
  });
  test('listeners added meanwhile wait, listeners removed meanwhile do not run', async () => {
    expect(await run(`const t = new EventTarget(); const seen = []; const gone = () => seen.push('gone'); t.addEventListener('a', () => { seen.push(1); t.addEventListener('a', () => seen.push('new')); t.removeEventListener('a', gone); }, { once: true }); t.addEventListener('a', gone);
      t.dispatchEvent(new Event('a')); t.dispatchEvent(new Event('a')); return seen;`)).toEqual([1, 'new']);
  });
  test('once: removed before it runs, so that it may dispatch again', async () => {
    expect(await run(`const t = new EventTarget(); let n = 0; t.addEventListener('a', () => { n += 1; t.dispatchEvent(new Event('a')); }, { once: true }); t.dispatchEvent(new Event('a')); return n;`)).toBe(1);
  });
  test('passive listeners can not prevent the default', async () => {
    expect(await run(`const t = new EventTarget(); const go = (options) => { const e = new Event('a', { cancelable: true }); const f = (ev) => { ev.preventDefault(); ev.returnValue = false; }; t.addEventListener('a', f, options); const r = t.dispatchEvent(e); t.removeEventListener('a', f); return [r, e.defaultPrevented]; };
      return [go({ passive: true }), go({ passive: false }), go(undefined), go({})];`)).toEqual([[true, false], [false, true], [false, true], [false, true]]);
  });
  test('signal takes listeners off, and an aborted one lets none on', async () => {
    expect(await run(`const t = new EventTarget(); const c = new AbortController(); let n = 0; t.addEventListener('a', () => n++, { signal: c.signal }); t.addEventListener('a', () => { n += 10; c.abort(); }, { signal: c.signal }); t.addEventListener('a', () => { n += 100; }, { signal: c.signal });
      t.dispatchEvent(new Event('a')); t.dispatchEvent(new Event('a')); t.addEventListener('a', () => n += 1000, { signal: AbortSignal.abort() }); t.dispatchEvent(new Event('a'));
      return [n, thrown(() => t.addEventListener('a', () => {}, { signal: null })), thrown(() => t.addEventListener('a', null, { signal: {} })), thrown(() => t.addEventListener('a', () => {}, { signal: undefined }))];`)).toEqual([11, 'TypeError', 'TypeError', null]);
  });
  test('objects with handleEvent: looked up at each call, this is the object, a throwing lookup is reported', async () => {
    expect(await run(`const t = new EventTarget(); const seen = []; const o = { handleEvent(e) { seen.push(this === o, e.type); } }; t.addEventListener('a', o); t.dispatchEvent(new Event('a')); o.handleEvent = () => seen.push('other'); t.dispatchEvent(new Event('a'));
      const errors = []; addEventListener('error', (e) => { errors.push(e.error?.name ?? e.error); e.preventDefault(); }); t.addEventListener('b', {}); t.addEventListener('b', { get handleEvent() { throw 'got'; } }); t.addEventListener('b', { handleEvent: 1 }); t.addEventListener('b', () => seen.push('last')); t.dispatchEvent(new Event('b'));
      const f = () => seen.push('function'); f.handleEvent = () => seen.push('wrong'); t.addEventListener('c', f); t.dispatchEvent(new Event('c')); return [seen, errors];`)).toEqual([[true, 'a', 'other', 'last', 'function'], ['TypeError', 'got', 'TypeError']]);
  });
  test.each([
    [`t.addEventListener('a')`, 'TypeError'], [`t.addEventListener('a', null)`, null], [`t.addEventListener('a', undefined)`, null], [`t.addEventListener('a', 1)`, 'TypeError'], [`t.addEventListener('a', 'f')`, 'TypeError'],
    [`t.removeEventListener('a', null)`, null], [`t.removeEventListener('a', 1)`, 'TypeError'], [`t.dispatchEvent(null)`, 'TypeError'], [`t.dispatchEvent({ type: 'a' })`, 'TypeError'], [`t.dispatchEvent()`, 'TypeError'],
    [`EventTarget.prototype.addEventListener.call({}, 'a', () => {})`, 'TypeError'], [`EventTarget()`, 'TypeError'],
  ])('%s: %s', async (code, name) => {
    expect(await run(`const t = new EventTarget(); return thrown(() => ${code});`)).toBe(name);
  });
  test('the capture option alone decides which listener is meant', async () => {
    expect(await run(`const t = new EventTarget(); let n = 0; const f = () => n++; t.addEventListener('a', f, { capture: false, passive: true }); t.removeEventListener('a', f, true); t.dispatchEvent(new Event('a')); t.removeEventListener('a', f, { once: true }); t.dispatchEvent(new Event('a'));
      t.addEventListener('a', f, 'truthy'); t.removeEventListener('a', f, 1); t.dispatchEvent(new Event('a')); return n;`)).toBe(1);
  });
  test('options are read in the order of the dictionaries', async () => {
    expect(await run(`const seen = []; const t = new EventTarget(); t.addEventListener('a', () => {}, new Proxy({}, { get(_, key) { seen.push(key); } })); return seen;`)).toEqual(['capture', 'once', 'passive', 'signal']);
  });
  test('can be subclassed', async () => {
    expect(await run(`class Nice extends EventTarget { constructor() { super(); this.n = 0; this.addEventListener('a', this); } handleEvent() { this.n++; } } const t = new Nice(); t.dispatchEvent(new Event('a')); return [t.n, t instanceof EventTarget];`)).toEqual([1, true]);
  });
  test('an exception in a listener is reported and the others run', async () => {
    expect(await run(`const t = new EventTarget(); const seen = []; addEventListener('error', (e) => { seen.push(e.message.includes('boom')); e.preventDefault(); }); t.addEventListener('a', () => { throw new Error('boom'); }); t.addEventListener('a', () => seen.push('next')); return [t.dispatchEvent(new Event('a')), seen];`)).toEqual([true, [true, 'next']]);
  });
});

describe('globalThis is an EventTarget', () => {
  test('with its methods, its prototype, unqualified calls', async () => {
    expect(await run(`const seen = []; const f = function (e) { seen.push(e.type, this === globalThis, e.target === globalThis, e.currentTarget === self); }; addEventListener('mine', f); dispatchEvent(new Event('mine')); (0, removeEventListener)('mine', f); self.dispatchEvent(new Event('mine'));
      return [seen, globalThis instanceof EventTarget, globalThis.addEventListener === EventTarget.prototype.addEventListener, Object.prototype.toString.call(globalThis) !== '', globalThis.constructor === Object, typeof hasOwnProperty];`)).toEqual([['mine', true, true, true], true, true, true, true, 'function']);
  });
  test('the methods can be replaced before their first use', async () => {
    expect(await run(`globalThis.addEventListener = 7; new EventTarget(); return [addEventListener, typeof removeEventListener];`)).toEqual([7, 'function']);
  });
});

describe('hostile code', () => {
  test('a setter on Array.prototype gets no listener to see', async () => {
    expect(await run(`const seen = []; for (const i of [0, 1, 2]) Object.defineProperty(Array.prototype, i, { set(v) { seen.push(typeof v); }, configurable: true }); const t = new EventTarget(); t.addEventListener('a', () => {}); t.dispatchEvent(new Event('a')); const c = new AbortController(); AbortSignal.any([c.signal]); c.abort();
      for (const i of [0, 1, 2]) delete Array.prototype[i]; return seen;`)).toEqual([]);
  });
  test('patched prototypes do not stop events', async () => {
    expect(await run(`const { call, apply } = Function.prototype; Function.prototype.call = Function.prototype.apply = () => { throw 1; }; Array.prototype[Symbol.iterator] = undefined; Map.prototype.get = undefined; Array.prototype.splice = undefined;
      let n = 0; const t = new EventTarget(); t.addEventListener('a', () => n++, { once: true }); t.dispatchEvent(new Event('a')); t.dispatchEvent(new Event('a')); Function.prototype.call = call; Function.prototype.apply = apply; return n;`)).toBe(1);
  });
  test('inner functions of the part are not to be seen', async () => {
    expect(await run(`return [Object.getOwnPropertyNames(Event), Object.getOwnPropertyNames(AbortSignal), Object.getOwnPropertyNames(EventTarget.prototype), Reflect.ownKeys(new EventTarget()), Reflect.ownKeys(new Event('a'))].map((names) => names.map(String).sort());`)).toEqual([
      ['AT_TARGET', 'BUBBLING_PHASE', 'CAPTURING_PHASE', 'NONE', 'length', 'name', 'prototype'], ['abort', 'any', 'length', 'name', 'prototype', 'timeout'],
      ['addEventListener', 'constructor', 'dispatchEvent', 'removeEventListener'], [], ['isTrusted'],
    ]);
  });
});
