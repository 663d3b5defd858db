// Stacks as users see them: the author's file, line and column, nothing of the platform or the machine, at a bounded price.
import { expect, test } from 'vitest';
import { TestHost } from '../../support/isolates-host.ts';

const host = TestHost.shared();

/** The log line of `fn` that holds `part`. */
async function logged(fn: string, part: string): Promise<string> {
  let found: string | undefined;
  await expect.poll(() => (found = host().logs.find((line) => line.fn === fn && line.message.includes(part))?.message), { timeout: 4_000 }).toBeDefined();
  return found ?? '';
}

/** Nothing that names the machine, the platform's files, or the bundle. */
const INSIDE = /\/work|\/home|\/tmp|file:\/\/|node:internal|node_modules|thimble:|isolated-vm|isolates\//;

const CARDS = `interface Card {
  id: number;
}

function getCard(id: number): Card {
  if (id < 0) throw new RangeError('no such card');
  return { id };
}

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === '/console') console.error('caught', caught(() => getCard(-1)));
    if (pathname === '/trace') console.trace('here');
    if (pathname === '/timer') setTimeout(() => getCard(-2), 1);
    if (pathname === '/eval') return Response.json(new Function('f', 'return f(-3)')(getCard));
    if (pathname === '/callback') JSON.stringify({ toJSON: () => getCard(-4) });
    if (pathname === '/runtime') structuredClone({ get x() { return getCard(-5); } });
    if (pathname === '/throw') getCard(-6);
    if (pathname === '/await') await Promise.resolve().then(() => getCard(-7));
    return new Response('fine');
  },
};

function caught(f: () => unknown): unknown {
  try {
    return f();
  } catch (error) {
    return error;
  }
}
`;

test.each(['/throw', '/await', '/callback', '/runtime', '/eval'])('%s: log and detail show the place in the author\'s file', async (path) => {
  const name = `cards${path.slice(1)}`;
  const target = await host().deploy(CARDS, { debug: true, function: name });
  const answer = await host().call(target, { path });
  expect(answer.code).toBe('function_threw');
  for (const stack of [answer.detail ?? '', await logged(name, 'no such card')]) {
    const [message, first] = stack.split('\n');
    expect(message).toBe('RangeError: no such card');
    expect(first).toBe('    at getCard (src/function.ts:6:21)');
    expect(stack).toMatch(/\n {4}at (?:async )?(?:Object\.)?fetch \(src\/function\.ts:\d+:\d+\)/);
    expect(stack).not.toMatch(INSIDE);
    expect(stack).not.toContain(`${name}@1.js`);
  }
});

test('without debug the answer says nothing, and the log says it all', async () => {
  const target = await host().deploy(CARDS, { function: 'quiet' });
  const answer = await host().call(target, { path: '/throw' });
  expect([answer.code, answer.detail]).toEqual(['function_threw', null]);
  expect(await logged('quiet', 'no such card')).toContain('at getCard (src/function.ts:6:21)');
});

test('console messages and traces are mapped as well', async () => {
  const target = await host().deploy(CARDS, { function: 'prints' });
  expect(await host().text(target, { path: '/console' })).toBe('fine');
  const caught = await logged('prints', 'caught');
  expect(caught).toMatch(/^caught RangeError: no such card\n {4}at getCard \(src\/function\.ts:6:21\)/);
  expect(caught).not.toMatch(INSIDE);
  await host().text(target, { path: '/trace' });
  const trace = await logged('prints', 'here');
  expect(trace).toMatch(/src\/function\.ts:14:\d+/);
  expect(trace).not.toMatch(INSIDE);
});

test('a timer that throws is logged with its place', async () => {
  const target = await host().deploy(CARDS.replace("return new Response('fine')", "await new Promise((done) => setTimeout(done, 30)); return new Response('fine')"), { function: 'timers' });
  await host().text(target, { path: '/timer' });
  expect(await logged('timers', 'no such card')).toContain('at getCard (src/function.ts:6:21)');
});

test('module evaluation: the first caller reads where it failed', async () => {
  const target = await host().deploy('const settings: { name?: string } = {};\nfunction read() {\n  return settings.name!.length;\n}\nread();\nexport default { fetch() { return new Response(); } };', { debug: true, function: 'starts' });
  const { code, detail } = await host().call(target);
  expect(code).toBe('function_threw');
  expect(detail).toMatch(/^TypeError: Cannot read properties of undefined \(reading 'length'\)\n {4}at read \(src\/function\.ts:3:25\)\n {4}at .*src\/function\.ts:5:1/);
  expect(detail).not.toMatch(INSIDE);
  await logged('starts', 'Cannot read');
  expect(host().logs.filter((line) => line.fn === 'starts')).toHaveLength(1);
});

test('log rows stay in order while a map is read', async () => {
  const target = await host().deploy("export default { fetch() { console.log('one'); console.log(new Error('two')); console.log('three'); return new Response('ok'); } };", { function: 'ordered' });
  await host().text(target);
  await logged('ordered', 'three');
  expect(host().logs.filter((line) => line.fn === 'ordered').map(({ message }) => message.split('\n')[0])).toEqual(['one', 'Error: two', 'three']);
});

test.each([
  ['an empty one', ' '], ['a damaged one', '{"version":3,"sources":["a.ts"],"mappings":"!!!!"}'], ['one that is no map', '[1,2]'], ['one that is too large', `{"version":3,"sources":["${'x'.repeat(5_000_000)}"],"mappings":"AAAA"}`],
])('with %s places in the bundle stay readable', async (_, map) => {
  const name = `bare${map.length}`;
  const target = await host().deploy(CARDS, { debug: true, function: name, map });
  const { detail } = await host().call(target, { path: '/throw' });
  expect(detail).toMatch(new RegExp(`^RangeError: no such card\\n {4}at getCard \\(${name}@1\\.js:\\d+:\\d+\\)`));
  expect(detail).not.toMatch(INSIDE);
});

test('a map whose sources are paths of a machine shows none', async () => {
  const map = JSON.stringify({ version: 3, sources: ['/home/me/secret/card.ts'], names: [], mappings: `${';'.repeat(1)}AAAA;${'AAAA;'.repeat(200)}` });
  const target = await host().deploy(CARDS, { debug: true, function: 'rooted', map });
  const { detail } = await host().call(target, { path: '/throw' });
  expect(detail).toContain('(home/me/secret/card.ts:1:1)');
});

test('errors that the host throws into an isolate carry no frames of it', async () => {
  const target = await host().deploy('export default { fetch() { try { for (;;) setTimeout(() => {}, 1e6); } catch (e) { return Response.json([e.name, e.stack]); } } };', { cpuMs: 2_000 });
  const [name, stack] = JSON.parse(await host().text(target)) as [string, string];
  expect(name).toBe('RangeError');
  expect(stack).not.toMatch(/\/work|\/home|\/tmp|file:\/\/|node:internal|\.ts:/);
});

const HOSTILE: readonly (readonly [string, string])[] = [
  ['a stack of a megabyte', "const e = new Error('x'); e.stack = 'at f (NAME@1.js:1:1)\\n'.repeat(50000); throw e;"],
  ['a message of a megabyte', "throw new Error('(file://a:1:1'.repeat(80000));"],
  ['a throwing getter', "const e = new Error('x'); Object.defineProperty(e, 'stack', { get() { throw e; } }); throw e;"],
  ['an object for a stack', "const e = new Error('x'); e.stack = { toString() { return '    at x (file:///etc/passwd:1:1)'; } }; throw e;"],
  ['lines that look like frames', "const e = new Error('x'); e.stack = 'Error: x\\n    at a (NAME@1.js:999999999:999999999)\\n    at b (NAME@1.js:0:0)\\n    at c (NAME@1.js:-1:2)\\n    at NAME@1.js:1:1NAME@1.js:2:2'; throw e;"],
  ['a long line of near misses', "const e = new Error('x'); e.stack = '    at ' + '(file://'.repeat(1900); throw e;"],
  ['prepareStackTrace that throws', "Error.prepareStackTrace = () => { throw new Error('prepared'); }; throw new Error('x');"],
  ['prepareStackTrace that gives call sites', 'Error.prepareStackTrace = (e, sites) => sites; throw new Error(\'x\');'],
  ['prepareStackTrace that loops', "Error.prepareStackTrace = () => { for (;;); }; throw new Error('x');"],
  ['no limit of frames', "Error.stackTraceLimit = Infinity; const f = () => f(); f();"],
  ['a proxy of an error', "throw new Proxy(new Error('x'), { get() { throw 1; }, getPrototypeOf() { throw 2; } });"],
  ['a null', 'throw null;'],
];

test.each(HOSTILE)('%s: a typed failure in bounded size and time', async (_, body) => {
  const name = 'hostile';
  const target = await host().deploy(`export default { fetch() { ${body.replaceAll('NAME', name)} } };`, { debug: true, function: name, cpuMs: 500 });
  const answer = await host().call(target);
  expect(['function_threw', 'cpu_limit_exceeded', 'memory_limit_exceeded']).toContain(answer.code);
  expect(answer.detail?.length ?? 0).toBeLessThan(24_000);
  expect(answer.detail ?? '').not.toMatch(/file:\/\/\/work|isolates\//);
  expect(await host().text(await host().deploy("export default { fetch() { return new Response('alive'); } };"))).toBe('alive');
});

test('call sites give no function and no object of the runtime', async () => {
  const target = await host().deploy(`export default { async fetch() {
    Error.stackTraceLimit = 100;
    Error.prepareStackTrace = (e, sites) => sites;
    const seen = [];
    const look = () => { for (const s of new Error('x').stack) if (String(s.getFileName()).startsWith('thimble:')) seen.push(typeof s.getFunction(), typeof s.getThis()); };
    look(); await null; look();
    structuredClone({ get x() { look(); return 1; } });
    new Headers({ get a() { look(); return 'b'; } });
    const caller = (function f() { try { return typeof f.caller; } catch { return 'thrown'; } })();
    return Response.json({ kinds: [...new Set(seen)], some: seen.length > 0, limit: Error.stackTraceLimit, own: Object.keys(Error) });
  } };`);
  expect(JSON.parse(await host().text(target))).toMatchObject({ kinds: ['undefined'], some: true, limit: 100 });
});

test('captureStackTrace and stackTraceLimit keep what V8 makes of them', async () => {
  const target = await host().deploy(`export default { fetch() {
    const frames = (e) => e.stack.split('\\n').filter((l) => l.includes(' at ')).length;
    const deep = (n) => (n === 0 ? new Error('x') : deep(n - 1));
    const counts = []; for (const limit of [0, 3, 50]) { Error.stackTraceLimit = limit; counts.push(frames(deep(60))); }
    const plain = {}; function outer() { inner(); } function inner() { Error.captureStackTrace(plain, inner); } Error.stackTraceLimit = 10; outer();
    return Response.json({ counts, captured: plain.stack.includes('outer') && !plain.stack.includes('inner') });
  } };`);
  expect(JSON.parse(await host().text(target))).toEqual({ counts: [0, 3, 50], captured: true });
});

test('an error storm costs its neighbours nothing worth mention', async () => {
  // A large map, so that mapping would be dear.
  const filler = Array.from({ length: 6_000 }, (_, i) => `export function f${i}(a: number) { return a * ${i} + (a ? ${i} : a); }`).join('\n');
  const storm = await host().deploy(`${filler}\nconst all = [${Array.from({ length: 6_000 }, (_, i) => `f${i}`).join()}];\nexport default { fetch() { for (let i = 0; i < 200; i++) console.error(new Error('storm ' + all.length)); throw new Error('end'); } };`, { function: 'storm', cpuMs: 1_000 });
  const calm = await host().deploy("export default { fetch() { return new Response('calm'); } };");
  await host().call(storm);
  await host().text(calm);
  const storms = Array.from({ length: 40 }, () => host().call(storm));
  const slowest: number[] = [];
  for (let i = 0; i < 20; i++) slowest.push((await host().call(calm)).ms);
  const answers = await Promise.all(storms);
  expect(answers.every(({ code }) => code === 'function_threw')).toBe(true);
  expect(slowest.toSorted((a, b) => a - b)[10]).toBeLessThan(250);
  // Another function still has its share.
  const other = await host().deploy(CARDS, { debug: true, function: 'other' });
  expect((await host().call(other, { path: '/throw' })).detail).toContain('at getCard (src/function.ts:6:21)');
});
