// HTML standard, sections 9.1 and 9.4: MessageEvent, MessageChannel, MessagePort.
import { describe, expect, test } from 'vitest';
import { TestHost } from '../../../support/isolates-host.ts';
import { inside } from '../../../support/isolates-inside.ts';

const host = TestHost.shared();
const run = (body: string): Promise<unknown> => inside(host(), body);

describe('MessageEvent (9.1)', () => {
  test('constructor, defaults, frozen ports, conversions', async () => {
    expect(await run(`const show = (e) => [e.type, e.data, e.origin, e.lastEventId, e.source, e.ports.length, Object.isFrozen(e.ports), e instanceof Event]; const { port1, port2 } = new MessageChannel(); const e = new MessageEvent('x', { data: { a: 1 }, origin: 'o', lastEventId: 7, source: port1, ports: new Set([port2]), cancelable: true });
      return [show(new MessageEvent('m')), show(e).slice(0, 4), e.source === port1, e.ports[0] === port2, e.ports === e.ports, MessageEvent.length, ...[{ source: {} }, { source: 1 }, { ports: [{}] }, { ports: null }, { ports: 5 }].map((init) => thrown(() => new MessageEvent('m', init))), thrown(() => new MessageEvent())];`))
      .toEqual([['m', null, '', '', null, 0, true, true], ['x', { a: 1 }, 'o', '7'], true, true, true, 1, 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError']);
  });
  test('initMessageEvent', async () => {
    expect(await run(`const e = new MessageEvent('a', { data: 1 }); e.initMessageEvent('b', true, true, 2, 'origin', 'id', null, []); const full = [e.type, e.bubbles, e.cancelable, e.data, e.origin, e.lastEventId, e.source, e.ports.length]; e.initMessageEvent('c'); return [full, [e.type, e.bubbles, e.data, e.origin], MessageEvent.prototype.initMessageEvent.length];`)).toEqual([['b', true, true, 2, 'origin', 'id', null, 0], ['c', false, null, ''], 1]);
  });
});

describe('MessageChannel and MessagePort (9.4)', () => {
  test('messages arrive in order, each a task of its own, as clones, in trusted events', async () => {
    expect(await run(`const { port1, port2 } = new MessageChannel(); const seen = []; const o = { a: [1, new Date(0)] }; port2.onmessage = function (e) { seen.push([e.data, this === port2, e.target === port2, e.isTrusted, e.origin, e.source, e.ports.length, e.data === o]); queueMicrotask(() => seen.push('micro')); }; port1.postMessage(o); port1.postMessage('two'); o.a = 'changed'; seen.push('sync'); await later(20); return seen;`))
      .toEqual(['sync', [{ a: [1, '1970-01-01T00:00:00.000Z'] }, true, true, true, '', null, 0, false], 'micro', ['two', true, true, true, '', null, 0, false], 'micro']);
  });
  test('both ways; addEventListener needs start; onmessage starts by itself', async () => {
    expect(await run(`const { port1, port2 } = new MessageChannel(); const seen = []; port1.addEventListener('message', (e) => seen.push('1:' + e.data)); port2.onmessage = (e) => { seen.push('2:' + e.data); port2.postMessage('re ' + e.data); }; port1.postMessage('a'); await later(10); const before = seen.slice(); port1.start(); port1.start(); await later(10); return [before, seen];`)).toEqual([['2:a'], ['2:a', '1:re a']]);
  });
  test('what can not be cloned throws a DataCloneError and sends nothing', async () => {
    expect(await run(`const { port1, port2 } = new MessageChannel(); let n = 0; port2.onmessage = () => n++; const r = [thrown(() => port1.postMessage(() => {})), thrown(() => port1.postMessage(Symbol())), thrown(() => port1.postMessage()), thrown(() => port1.postMessage(1, 5)), thrown(() => port1.postMessage(1, [{}]))]; await later(10); return [r, n];`)).toEqual([['DataCloneError', 'DataCloneError', 'TypeError', 'TypeError', 'DataCloneError'], 0]);
  });
  test('transfers buffers, given as a list or as options', async () => {
    expect(await run(`const { port1, port2 } = new MessageChannel(); const got = []; port2.onmessage = (e) => got.push(e.data.byteLength); const a = new ArrayBuffer(8); const b = new ArrayBuffer(4); port1.postMessage(a, [a]); port1.postMessage(b, { transfer: [b] }); port1.postMessage(new ArrayBuffer(2), null); port1.postMessage(new ArrayBuffer(1), {}); await later(15); return [got, a.byteLength, b.byteLength];`)).toEqual([[8, 4, 2, 1], 0, 0]);
  });
  test('transfers ports with what waits in them; the old object is done for', async () => {
    expect(await run(`const a = new MessageChannel(); const b = new MessageChannel(); b.port1.postMessage('early'); const got = []; a.port2.onmessage = (e) => { const [port] = e.ports; got.push(port !== b.port2, port instanceof MessagePort); port.onmessage = (m) => got.push(m.data); port.postMessage('back'); }; b.port1.onmessage = (e) => got.push(e.data); a.port1.postMessage('x', [b.port2]); b.port1.postMessage('late');
      const again = thrown(() => a.port1.postMessage('x', [b.port2])); await later(40); return [got, again];`)).toEqual([[true, true, 'early', 'late', 'back'], 'DataCloneError']);
  });
  test('a port inside of the message is the one of the event', async () => {
    expect(await run(`const a = new MessageChannel(); const b = new MessageChannel(); const got = []; a.port2.onmessage = ({ data, ports }) => { got.push(data.deep[0] === ports[0], ports.length, data.deep[0] instanceof MessagePort); ports[0].onmessage = (e) => got.push(e.data); }; a.port1.postMessage({ deep: [b.port2] }, [b.port2]); b.port1.postMessage('hello');
      const refused = thrown(() => a.port1.postMessage({ port: b.port1 })); await later(30); return [got, refused];`)).toEqual([[true, 1, true, 'hello'], 'DataCloneError']);
  });
  test('a failed post moves nothing', async () => {
    expect(await run(`const a = new MessageChannel(); const b = new MessageChannel(); let n = 0; b.port2.onmessage = () => n++; const buffer = new ArrayBuffer(4); const r = thrown(() => a.port1.postMessage(() => {}, [b.port1, buffer])); b.port1.postMessage(1); await later(10); return [r, n, buffer.byteLength];`)).toEqual(['DataCloneError', 1, 4]);
  });
  test('a port can not be sent through itself, nor twice; sent to its counterpart it is lost', async () => {
    expect(await run(`const a = new MessageChannel(); const b = new MessageChannel(); let n = 0; b.port2.onmessage = () => n++; const r = [thrown(() => a.port1.postMessage(1, [a.port1])), thrown(() => a.port1.postMessage(1, [b.port1, b.port1]))]; b.port1.postMessage('still'); await later(10); a.port1.postMessage(1, [a.port2]); await later(5); return [r, n];`)).toEqual([['DataCloneError', 'DataCloneError'], 1]);
  });
  test('close: what was posted before still arrives, nothing after; the other port hears of it', async () => {
    expect(await run(`const { port1, port2 } = new MessageChannel(); const seen = []; port2.onmessage = (e) => seen.push(e.data); port2.onclose = (e) => seen.push(e.type); port1.postMessage('before'); port1.close(); port1.close(); port1.postMessage('after'); port2.postMessage('nobody'); await later(20);
      const c = new MessageChannel(); c.port2.onmessage = () => seen.push('never'); c.port1.postMessage(1); c.port2.close(); await later(10); return seen;`)).toEqual(['before', 'close']);
  });
  test('shape of the interfaces', async () => {
    expect(await run(`const { port1 } = new MessageChannel(); return [String(port1), String(new MessageChannel()), thrown(() => new MessagePort()), thrown(() => MessageChannel()), MessageChannel.length, MessagePort.length, MessagePort.prototype.postMessage.length, port1 instanceof EventTarget, port1.onmessage, port1.onmessageerror, port1.onclose, Object.getOwnPropertyNames(MessagePort.prototype).sort()];`))
      .toEqual(['[object MessagePort]', '[object MessageChannel]', 'TypeError', 'TypeError', 0, 0, 1, true, null, null, null, ['close', 'constructor', 'onclose', 'onmessage', 'onmessageerror', 'postMessage', 'start']]);
  });
  test('a channel as a scheduler (as libraries use it) does not starve timers', async () => {
    expect(await run(`const { port1, port2 } = new MessageChannel(); let n = 0; port1.onmessage = () => { n++; port2.postMessage(null); }; port2.postMessage(null); await later(15); port1.close(); return n > 3;`)).toBe(true);
  });
  test('deliveries end with the invocation that posted, and their number is bounded', async () => {
    const f = await host().deploy(`const { port1, port2 } = new MessageChannel(); let n = 0; port2.onmessage = () => { n += 1; }; export default { fetch(request) { const { pathname } = new URL(request.url); if (pathname === '/post') for (let i = 0; i < 3; i++) port1.postMessage(i); return new Response(String(n)); } };`);
    expect(await host().text(f, { path: '/post' })).toBe('0');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await host().text(f)).toBe('0');
    expect(await inside(host(), `const { port1 } = new MessageChannel(); return thrown(() => { for (let i = 0; i < 20_000; i++) port1.postMessage(i); });`, { settings: { cpuMs: 5_000 } })).toBe('QuotaExceededError');
  });
});
