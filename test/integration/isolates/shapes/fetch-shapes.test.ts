// Every way in which a module may offer a fetch handler, and what a module is told that has none.
import { describe, expect, test } from 'vitest';
import { BUNDLE_SUFFIX } from '../../../../core/versions/index.ts';
import { TestHost } from '../../../support/isolates-host.ts';

const host = TestHost.shared();

/** As the builder injects it into bundles that name it. */
const DENO = `const Deno = __thimble('deno');`;
const BUN = `const Bun = __thimble('bun');`;

async function ask(source: string, path = '/', settings: Parameters<TestHost['deploy']>[1] = {}, method = 'GET'): Promise<string> {
  const target = await host().deploy(source, settings);
  const answer = await host().call(target, { path, method, headers: { 'x-forwarded-for': '203.0.113.7' } });
  return answer.code === null ? `${answer.status} ${answer.body.toString()}` : `${answer.code} ${answer.detail ?? ''}`;
}

describe('default exports', () => {
  test('an object with fetch, called as its method with request, env and ctx', async () => {
    const source = `export default { greeting: 'hi', fetch(request, env, ctx) { return new Response([this.greeting, env.A, typeof ctx.waitUntil, request.method].join(' ')); } };`;
    expect(await ask(source, '/', { env: { A: '1' } })).toBe('200 hi 1 function GET');
  });

  test('a function, an async function, an application object and an instance of a class', async () => {
    expect(await ask(`export default (request) => new Response('arrow ' + new URL(request.url).pathname);`, '/x')).toBe('200 arrow /x');
    expect(await ask(`export default async function (request, env) { await null; return new Response('async'); }`)).toBe('200 async');
    expect(await ask(`class App { #name = 'app'; fetch() { return new Response(this.#name); } } export default new App();`)).toBe('200 app');
    expect(await ask(`class Base { fetch() { return new Response(this.name()); } } class App extends Base { name() { return 'inherited'; } } export default new App();`)).toBe('200 inherited');
  });

  test('a class: one instance for each request', async () => {
    expect(await ask(`export default class { constructor(ctx, env) { this.env = env; } fetch() { return new Response('made with ' + this.env.A); } }`, '/', { env: { A: '2' } })).toBe('200 made with 2');
  });

  test('a function that has fetch, as some applications are', async () => {
    expect(await ask(`const app = () => { throw new Error('not me'); }; app.fetch = () => new Response('app'); export default app;`)).toBe('200 app');
  });

  test('CommonJS', async () => {
    expect(await ask(`exports.default = { fetch: () => new Response('cjs') };`)).toBe('200 cjs');
    expect(await ask(`module.exports = () => new Response('whole');`)).toBe('200 whole');
  });

  test('a Bun-style object gets the environment, and its routes work', async () => {
    expect(await ask(`export default { port: 3000, fetch(request, env) { return new Response('port ' + env.A); } };`, '/', { env: { A: '3' } })).toBe('200 port 3');
    expect(await ask(`export default { routes: { '/a': new Response('routed') }, fetch: () => new Response('fallback') };`, '/a')).toBe('200 routed');
    expect(await ask(`export default { error: (e) => new Response('caught ' + e.message, { status: 500 }), fetch() { throw new Error('x'); } };`)).toBe('500 caught x');
  });

  test('with scheduled alone a request has no route', async () => {
    const target = await host().deploy(`export default { scheduled() {} };`);
    expect(await host().call(target)).toMatchObject({ code: 'no_route' });
  });
});

describe('Deno.serve', () => {
  test.each([
    ['a handler', `Deno.serve((request, info) => Response.json(info.remoteAddr));`],
    ['options and handler', `Deno.serve({ port: 80 }, (request, info) => Response.json(info.remoteAddr));`],
    ['options with handler', `Deno.serve({ handler: (request, info) => Response.json(info.remoteAddr) });`],
    ['an object with fetch', `Deno.serve({ fetch: (request, info) => Response.json(info.remoteAddr) });`],
    ['options and an object with fetch', `const app = { fetch(request, info) { return Response.json(this === app && info.remoteAddr); } }; Deno.serve({}, app);`],
  ])('%s', async (_, source) => {
    expect(await ask(DENO + source)).toBe('200 {"transport":"tcp","hostname":"203.0.113.7","port":0}');
  });

  test('onListen is told an address, onError makes the answer, the server has what programs wait for', async () => {
    const source = `${DENO} let seen; const server = Deno.serve({ port: 1234, onListen: (addr) => { seen = addr.port; }, onError: (e) => new Response('sorry ' + e.message + seen, { status: 503 }) }, async () => { throw new Error('oops'); });
      if (!(server.finished instanceof Promise) || server.addr.port !== 1234) throw new Error('no server');`;
    expect(await ask(source)).toBe('503 sorry oops1234');
  });

  test('no handler, and a second server, are refused at start', async () => {
    expect(await ask(`${DENO} Deno.serve({});`, '/', { debug: true })).toContain('function_threw TypeError');
    expect(await ask(`${DENO} Deno.serve(() => new Response('1')); Deno.serve(() => new Response('2'));`)).toContain('function_threw');
  });

  test('a default export goes before a server', async () => {
    expect(await ask(`${DENO} Deno.serve(() => new Response('server')); export default { fetch: () => new Response('default') };`)).toBe('200 default');
  });

  test('Deno has serve and env, and nothing that pretends to be more', async () => {
    expect(await ask(`${DENO} Deno.serve(() => Response.json(Object.keys(Deno).sort()));`)).toBe('200 ["env","serve"]');
  });
});

describe('Bun.serve', () => {
  const routes = `
    const server = Bun.serve({
      routes: {
        '/static': new Response('fixed', { headers: { 'x-a': '1' } }),
        '/users/:id': (req) => new Response('user ' + req.params.id),
        '/users/me': () => new Response('me'),
        '/orgs/:org/repos/:repo': (req) => Response.json(req.params),
        '/posts': { GET: () => new Response('list'), POST: async (req) => new Response('made', { status: 201 }), PUT: new Response('put') },
        '/api/*': (req) => new Response('api', { status: 404 }),
        '/api/health': new Response('ok'),
        '/off': false,
      },
      fetch(request, server) { return new Response('fallback ' + new URL(request.url).pathname + ' ' + (server.requestIP(request)?.address)); },
      error(error) { return new Response('error: ' + error.message, { status: 500 }); },
    });`;

  test.each([
    ['GET', '/static', '200 fixed'],
    ['GET', '/static?x=1', '200 fixed'],
    ['GET', '/users/42', '200 user 42'],
    ['GET', '/users/a%20b', '200 user a b'],
    ['GET', '/users/me', '200 me'],
    ['GET', '/users/', '200 fallback /users/ 203.0.113.7'],
    ['GET', '/orgs/o/repos/r', '200 {"org":"o","repo":"r"}'],
    ['GET', '/posts', '200 list'],
    ['POST', '/posts', '201 made'],
    ['PUT', '/posts', '200 put'],
    ['DELETE', '/posts', '200 fallback /posts 203.0.113.7'],
    ['GET', '/api/x/y', '404 api'],
    ['GET', '/api/health', '200 ok'],
    ['GET', '/off', '200 fallback /off 203.0.113.7'],
    ['GET', '/', '200 fallback / 203.0.113.7'],
  ])('%s %s', async (method, path, expected) => {
    expect(await ask(BUN + routes, path, {}, method)).toBe(expected);
  });

  test('a static response answers again and again', async () => {
    const target = await host().deploy(BUN + routes);
    for (let i = 0; i < 3; i++) expect(await host().text(target, { path: '/static' })).toBe('fixed');
  });

  test('fetch alone; this is the options object; error gets what it throws', async () => {
    expect(await ask(`${BUN} Bun.serve({ name: 'n', fetch() { return new Response(this.name); } });`)).toBe('200 n');
    expect(await ask(`${BUN} Bun.serve({ async fetch() { throw new Error('bad'); }, error: (e) => new Response(e.message, { status: 500 }) });`)).toBe('500 bad');
    expect(await ask(`${BUN} Bun.serve({ fetch() { throw new Error('bad'); } });`)).toContain('function_threw');
  });

  test('routes without fetch answer 404 elsewhere', async () => {
    expect(await ask(`${BUN} Bun.serve({ routes: { '/a': new Response('a') } });`, '/b')).toBe('404 ');
  });

  test('reload replaces the program', async () => {
    expect(await ask(`${BUN} const s = Bun.serve({ fetch: () => new Response('old') }); s.reload({ fetch: () => new Response('new') });`)).toBe('200 new');
  });

  test('neither fetch nor routes, and a route of a wrong kind, are refused at start', async () => {
    expect(await ask(`${BUN} Bun.serve({});`)).toContain('function_threw');
    expect(await ask(`${BUN} Bun.serve({ routes: { '/a': 7 } });`)).toContain('function_threw');
  });
});

describe('addEventListener("fetch")', () => {
  test('the event has request, respondWith, waitUntil and passThroughOnException', async () => {
    const source = `addEventListener('fetch', (event) => { event.passThroughOnException(); event.waitUntil(Promise.resolve()); event.respondWith(new Response([event.type, event.request.method, new URL(event.request.url).pathname, event instanceof Event, Object.prototype.toString.call(event), event.cancelable].join(' '))); });`;
    expect(await ask(source, '/x')).toBe('200 fetch GET /x true [object FetchEvent] true');
  });

  test('respondWith takes a promise; an object with handleEvent is a listener', async () => {
    expect(await ask(`addEventListener('fetch', (event) => event.respondWith((async () => { await null; return new Response('later'); })()));`)).toBe('200 later');
    expect(await ask(`addEventListener('fetch', { text: 'object', handleEvent(event) { event.respondWith(new Response(this.text)); } });`)).toBe('200 object');
  });

  test('the first listener that responds is the last one called', async () => {
    const source = `const seen = []; addEventListener('fetch', () => { seen.push(1); }); addEventListener('fetch', (event) => { seen.push(2); event.respondWith(new Response(seen.join())); }); addEventListener('fetch', () => { seen.push(3); });`;
    expect(await ask(source)).toBe('200 1,2');
  });

  test('respondWith twice, or when the listeners have returned, is an InvalidStateError', async () => {
    expect(await ask(`addEventListener('fetch', (event) => { event.respondWith(new Response('one')); try { event.respondWith(new Response('two')); } catch (e) { event.respondWith; if (e.name !== 'InvalidStateError') throw e; } });`)).toBe('200 one');
    expect(await ask(`let late; addEventListener('fetch', (event) => { if (late) event.respondWith(new Response(late)); else Promise.resolve().then(() => { try { event.respondWith(new Response('x')); } catch (e) { late = e.name; } }); });`)).toBe('bad_response ');
  });

  test('a throw, a rejection, and no answer are failures of the request', async () => {
    expect(await ask(`addEventListener('fetch', () => { throw new Error('x'); });`)).toContain('function_threw');
    expect(await ask(`addEventListener('fetch', (event) => event.respondWith(Promise.reject(new Error('x'))));`)).toContain('function_threw');
    expect(await ask(`addEventListener('fetch', () => {});`)).toContain('bad_response');
  });

  test('a default export goes before listeners, and nobody can make an event', async () => {
    expect(await ask(`addEventListener('fetch', (event) => event.respondWith(new Response('listener'))); export default () => new Response('default');`)).toBe('200 default');
    expect(await ask(`addEventListener('fetch', (event) => { try { new event.constructor('fetch', {}); } catch (e) { event.respondWith(new Response(e.name)); } });`)).toBe('200 TypeError');
  });
});

describe('a module without a handler', () => {
  test.each([
    ['auto', `export const x = 1;`, ['default export', 'Deno.serve', 'exported functions']],
    ['fetch', `export function f() {}`, ['default export', 'addEventListener']],
    ['business', `export default { fetch() {} };`, ['exported functions']],
    ['lambda', `export function other() {}`, ['handler']],
    ['fc', `export const x = 1;`, ['handler']],
    ['midway', `export const x = 1;`, ['handler']],
  ])('shape %s says what was looked for', async (shape, source, words) => {
    const said = await ask(source, '/', { shape, debug: true });
    expect(said).toMatch(/^function_threw TypeError: the module has no handler/);
    for (const word of words) expect(said).toContain(word);
  });
});

describe('top-level await', () => {
  const bundle = (body: string): string => `__thimble_define(async function (module, exports, __thimble) {\n${body}\n${BUNDLE_SUFFIX}`;

  test('promises that settle by themselves are awaited before the first request', async () => {
    const target = host().deployBundle(bundle(`const a = await Promise.resolve('ready'); const b = await (async () => { await null; return 'twice'; })(); exports.default = { fetch: () => new Response(a + ' ' + b) };`));
    expect(await host().text(target)).toBe('ready twice');
  });

  test('a rejection and a throw after an await are the module\'s failure', async () => {
    expect(await host().call(host().deployBundle(bundle(`await null; throw new Error('late');`), { debug: true }))).toMatchObject({ code: 'function_threw', detail: expect.stringContaining('late') as string });
  });

  test('what needs I/O is refused with a message that says so', async () => {
    const target = host().deployBundle(bundle(`await new Promise((resolve) => setTimeout(resolve, 5)); exports.default = () => new Response('never');`), { debug: true });
    const answer = await host().call(target);
    expect(answer.code).toBe('function_threw');
    expect(answer.detail).toContain('top level');
  });

  test('spinning after an await is killed like any start-up', async () => {
    expect(await host().call(host().deployBundle(bundle(`await null; for (;;);`)))).toMatchObject({ code: 'cpu_limit_exceeded', params: { limit: 1_000 } });
  });
});

test('an isolate that is made right after another one was retired is still killed when it spins', async () => {
  for (let i = 0; i < 4; i++) {
    const broken = await host().deploy(`export const x = ${i};`);
    const spinning = await host().deploy(`export default () => { for (;;); }; ${i};`);
    const first = await host().call(broken);
    const second = await host().call(spinning);
    expect([first.code, second.code]).toEqual(['function_threw', 'cpu_limit_exceeded']);
  }
});

describe('the environment', () => {
  test('is one and the same everywhere, at the top level of the module too', async () => {
    const source = `${DENO}${BUN} const process = __thimble('process'); const meta = __thimble('env');
      const top = [Deno.env.get('A'), Bun.env.A, process.env.A, meta.A];
      export default { fetch: (request, env) => Response.json({ top, same: Bun.env === env && process.env === env && meta === env, has: [Deno.env.has('A'), Deno.env.has('toString'), Deno.env.get('toString') === undefined], all: Deno.env.toObject() }) };`;
    expect(await ask(source, '/', { env: { A: '1', B: '2' } })).toBe('200 {"top":["1","1","1","1"],"same":true,"has":[true,false,true],"all":{"A":"1","B":"2"}}');
  });

  test('process has what packages look at, and a clock that stands still during an entry', async () => {
    const source = `const process = __thimble('process');
      export default { async fetch() {
        const a = process.hrtime.bigint(); for (let i = 0; i < 1e5; i++); const b = process.hrtime.bigint();
        await new Promise((r) => setTimeout(r, 20)); const c = process.hrtime.bigint();
        const order = await new Promise((resolve) => { process.nextTick((x) => resolve('tick ' + x), 1); });
        const [s, n] = process.hrtime(process.hrtime());
        return Response.json([a === b, c - b > 15_000_000n, order, s, n, process.cwd(), process.platform, process.argv.length, typeof process.versions.node, process.stdout === undefined, process.on('x', () => {}) === process]);
      } };`;
    expect(await ask(source)).toBe('200 [true,true,"tick 1",0,0,"/","linux",0,"string",true,true]');
  });

  test('a built-in that there is not is refused', async () => {
    expect(await ask(`__thimble('fs'); export default () => new Response('');`)).toContain('function_threw');
    expect(await ask(`__thimble('__proto__'); export default () => new Response('');`)).toContain('function_threw');
  });
});
