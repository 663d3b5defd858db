// Bad input of every kind: a 4xx that names the field, and nothing changed.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HELLO, useControl } from '../../support/control-plane.ts';
import type { ControlUnderTest, Reply } from '../../support/control-plane.ts';

/** Everything that a refused call might have changed. */
async function state({ call }: ControlUnderTest): Promise<string> {
  const reads = await Promise.all(['/v1/functions', '/v1/functions/card', '/v1/functions/card/versions', '/v1/audit'].map((path) => call('GET', path)));
  return reads.map((reply) => reply.text).join('\n');
}

function paths(reply: Reply): string[] {
  return (reply.body.errors ?? []).map((error) => String(error['path']));
}

const LONG = 'x'.repeat(70_000);

/** Bodies for PUT …/card, each with the path that its error must name. */
const BAD_SETTINGS: readonly (readonly [body: unknown, path: string])[] = [
  [{ limits: { cpuMs: -1, memoryMb: 'x' } }, 'limits.memoryMb'],
  [{ limits: { cpuMs: 0 } }, 'limits.cpuMs'],
  [{ limits: { cpuMs: 300_001 } }, 'limits.cpuMs'],
  [{ limits: { cpuMs: 1.5 } }, 'limits.cpuMs'],
  [{ limits: { memoryMb: 7 } }, 'limits.memoryMb'],
  [{ limits: { memoryMb: 1e300 } }, 'limits.memoryMb'],
  [{ limits: { wasm: 'yes' } }, 'limits.wasm'],
  [{ limits: { cpu: 1 } }, 'limits.cpu'],
  [{ limits: [] }, 'limits'],
  [{ limits: null }, 'limits'],
  [{ env: { '1A': 'x' } }, 'env["1A"]'],
  [{ env: { 'A-B': 'x' } }, 'env.A-B'],
  [{ env: { 'é': 'x' } }, 'env["é"]'],
  [{ env: { A: 1 } }, 'env.A'],
  [{ env: { A: null } }, 'env.A'],
  [{ env: { A: LONG } }, 'env.A'],
  [{ env: Object.fromEntries(Array.from({ length: 257 }, (_, i) => [`V${i}`, ''])) }, 'env'],
  [{ secrets: { A: 5 } }, 'secrets.A'],
  [{ secrets: { A: LONG } }, 'secrets.A'],
  [{ triggers: {} }, 'triggers'],
  [{ triggers: [{ type: 'http', path: 'cards' }] }, 'triggers[0].path'],
  [{ triggers: [{ type: 'http', path: '/a(' }] }, 'triggers[0].path'],
  [{ triggers: [{ type: 'http', path: '/a', methods: ['get'] }] }, 'triggers[0].methods[0]'],
  [{ triggers: [{ type: 'http', path: '/a', methods: [] }] }, 'triggers[0].methods'],
  [{ triggers: [{ type: 'http', path: '/a', verbs: [] }] }, 'triggers[0].verbs'],
  [{ triggers: [{ type: 'timer', cron: '* * * * *' }] }, 'triggers[0].type'],
  [{ triggers: [{ path: '/a' }] }, 'triggers[0].type'],
  [{ bindings: { DB: { type: 'sql' } } }, 'bindings'],
  [{ public: 'no' }, 'public'],
  [{ debug: 1 }, 'debug'],
  [{ keepWarm: 101 }, 'keepWarm'],
  [{ shape: 'php' }, 'shape'],
  [{ user: 'ip' }, 'user'],
  [{ user: 'header:x y' }, 'user'],
  [{ tenant: 'Team A' }, 'tenant'],
  [{ tenant: '../etc' }, 'tenant'],
  [{ name: 'other' }, 'name'],
  [[], '(body)'],
  ['text', '(body)'],
  [7, '(body)'],
  [null, '(body)'],
];

describe('settings', () => {
  it('are refused by the path of each wrong field', async () => {
    const control = await useControl();
    await control.deploy('card', HELLO);
    const before = await state(control);
    for (const [body, path] of BAD_SETTINGS) {
      const reply = await control.call('PUT', '/v1/functions/card', body);
      expect([JSON.stringify(body).slice(0, 80), reply.status, reply.body.code]).toEqual([JSON.stringify(body).slice(0, 80), 422, 'invalid']);
      expect(paths(reply)).toContain(path);
      expect(reply.headers['content-type']).toMatch(/^application\/problem\+json/);
      expect(reply.text.length).toBeLessThan(4_000);
    }
    expect(await state(control)).toBe(before);
  });

  it('are refused whatever a field is replaced by, and one bad field holds back the good ones', async () => {
    const control = await useControl();
    await control.deploy('card', HELLO);
    const before = await state(control);
    const field = fc.constantFrom('tenant', 'limits', 'env', 'secrets', 'triggers', 'public', 'debug', 'keepWarm', 'shape', 'user', 'other');
    const nonsense = fc.oneof(fc.string({ unit: 'binary', maxLength: 30 }), fc.double(), fc.constantFrom(NaN, null, [], [null], [[[]]], { a: { b: {} } }, '\u0000', '../..', 'constructor'), fc.jsonValue({ maxDepth: 3 }));
    await fc.assert(
      fc.asyncProperty(field, nonsense, async (name, value) => {
        const body = JSON.stringify({ debug: true, [name]: value });
        const reply = await control.call('PUT', '/v1/functions/card', undefined, { raw: body });
        const debug = (await control.call('GET', '/v1/functions/card')).body['debug'];
        const named = paths(reply).every((path) => path.startsWith(name) || path.startsWith('[') || path === '(body)');
        // What happened to be good is done, all of it; what was not is refused by name, all of it.
        const good = reply.status === 200 && debug === (name === 'debug' ? value : true);
        const refused = reply.status === 422 && reply.body.code === 'invalid' && named && debug === false;
        expect([body, good || refused]).toEqual([body, true]);
        await control.call('PUT', '/v1/functions/card', { tenant: 'default', limits: {}, env: {}, triggers: [], public: true, debug: false, keepWarm: 0, shape: 'auto', user: null });
      }),
      { numRuns: 150 },
    );
    const { call } = control;
    expect((await call('GET', '/v1/functions/card/versions')).text).toBe(before.split('\n')[2]);
  });
});

describe('bodies', () => {
  it('that are no JSON, no UTF-8, of another type or coding are refused without being quoted', async () => {
    const control = await useControl();
    await control.deploy('card', HELLO);
    const before = await state(control);
    const put = (raw: string | Buffer, headers: Record<string, string | undefined> = {}): Promise<Reply> => control.call('PUT', '/v1/functions/card', undefined, { raw, headers });
    for (const [reply, path] of [
      [await put('{"secrets":{"K":"hush-hush"'), '(body)'],
      [await put('{"a":hush-hush}'), '(body)'],
      [await put(Buffer.from([0x22, 0xff, 0xfe, 0x22])), '(body)'],
      [await put('{}', { 'content-type': 'text/plain' }), 'content-type'],
      [await put('{}', { 'content-type': 'application/jsonp' }), 'content-type'],
      [await put('{}', { 'content-type': undefined }), 'content-type'],
      [await put('{}', { 'content-encoding': 'gzip' }), 'content-encoding'],
      [await put('{"env":{"__proto__":"x"}}'), 'env.__proto__'],
      [await put('{"__proto__":{"debug":true}}'), '__proto__'],
      [await put('{"env":{"A":"\\ud800"}}'), 'env.A'],
      [await put(`{"env":${'{"A":'.repeat(100)}1${'}'.repeat(100)}}`), 'env.A.A'],
      [await put('['.repeat(200_000)), '(body)'],
      [await put(`${'['.repeat(200_000)}${']'.repeat(200_000)}`), '[0][0][0]'],
    ] as const) {
      expect([reply.status, reply.body.code]).toEqual([422, 'invalid']);
      expect(paths(reply)).toEqual([path]);
      expect(reply.text).not.toContain('hush-hush');
    }
    expect((await put('{"debug":false}', { 'content-type': 'Application/JSON; charset=utf-8' })).status).toBe(200);
    expect(await state(control)).toBe(before);
    expect(control.log()).not.toContain('hush-hush');
  });

  it('that are too large are refused, told beforehand or not', async () => {
    const control = await useControl();
    await control.deploy('card', HELLO);
    const before = await state(control);
    const raw = JSON.stringify({ env: { A: 'x'.repeat(5_000_000) } });
    for (const headers of [{}, { 'content-length': undefined, 'transfer-encoding': 'chunked' }]) {
      const reply = await control.call('PUT', '/v1/functions/card', undefined, { raw, headers });
      expect([reply.status, reply.body.code]).toEqual([413, 'body_too_large']);
    }
    const upload = JSON.stringify({ files: { 'a.js': 'x'.repeat(34_000_000) }, main: 'a.js' });
    expect((await control.call('POST', '/v1/functions/card/versions', undefined, { raw: upload })).status).toBe(413);
    expect(await state(control)).toBe(before);
  });

  it('may be left out where every field is optional, and nowhere else', async () => {
    const { call } = await useControl();
    expect((await call('PUT', '/v1/functions/card')).status).toBe(201);
    expect((await call('PUT', '/v1/functions/card/traffic')).status).toBe(422);
    expect((await call('POST', '/v1/functions/card/versions')).status).toBe(422);
    expect((await call('POST', '/v1/functions/card/rollback', { to: 3 })).body.errors).toEqual([{ path: 'to', message: 'is not a known field' }]);
  });
});

describe('names', () => {
  it('that are no function names are refused on every call, and never reach the store', async () => {
    const control = await useControl();
    const before = (await control.call('GET', '/v1/audit')).text;
    const odd = ['Bad', '1x', 'a--b', '-a', 'a-', 'a'.repeat(63), 'a_b', '%2e%2e', '..', '%00', 'a%00', 'a%2fb', '%2Fetc', 'é', '%C3%A9', 'a%20b', '%ff', '__proto__', 'constructor%00', 'a.b', 'a%0ab', '%F0%9F%98%80', '*', ':name', '{name}'];
    for (const name of odd) {
      for (const [method, rest, body] of [
        ['PUT', '', {}], ['GET', '', undefined], ['DELETE', '', undefined], ['PUT', '/traffic', { split: [{ version: 1, weight: 100 }] }], ['POST', '/rollback', undefined],
        ['POST', '/versions', { files: { 'a.js': '' }, main: 'a.js' }], ['GET', '/versions', undefined], ['GET', '/versions/1', undefined], ['GET', '/logs', undefined], ['GET', '/stats', undefined],
      ] as const) {
        const reply = await control.call(method, encodeURI(`/v1/functions/${name}${rest}`).replaceAll('%25', '%'), body);
        expect([name, method, rest, [400, 404, 405, 422].includes(reply.status)]).toEqual([name, method, rest, true]);
        expect(paths(reply)).toEqual(reply.status === 422 ? ['name'] : []);
      }
    }
    expect((await control.call('GET', '/v1/functions')).body.items).toEqual([]);
    expect((await control.call('GET', '/v1/audit')).text).toBe(before);
  });

  it('of any form are refused or not found, never an error of ours', async () => {
    const { call } = await useControl();
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', minLength: 1, maxLength: 80 }).filter((text) => !/^[a-z][a-z0-9-]*$/.test(text)), async (name) => {
        const reply = await call('PUT', `/v1/functions/${encodeURIComponent(name.toWellFormed())}`, {});
        expect([404, 405, 422]).toContain(reply.status);
      }),
      { numRuns: 100 },
    );
  });
});

describe('uploads', () => {
  it('are refused by the path of each wrong field', async () => {
    const control = await useControl();
    await control.deploy('card', HELLO);
    const before = await state(control);
    const ok = { 'index.js': 'export default {}' };
    for (const [body, path] of [
      [{}, 'files'],
      [{ files: {}, main: 'index.js' }, 'files'],
      [{ files: ok }, 'main'],
      [{ files: ok, main: 'other.js' }, 'main'],
      [{ files: ok, main: 'constructor' }, 'main'],
      [{ files: ok, main: 'index.js', extra: 1 }, 'extra'],
      [{ files: ok, main: 'index.js', message: 'x'.repeat(3_000) }, 'message'],
      [{ files: { 'index.js': 7 }, main: 'index.js' }, 'files["index.js"]'],
      [{ files: Object.fromEntries(Array.from({ length: 20_001 }, (_, i) => [`f${i}.js`, ''])), main: 'f0.js' }, 'files'],
      [{ from: 0 }, 'from'],
      [{ from: '1' }, 'from'],
      [{ from: 1, files: ok }, 'files'],
    ] as const) {
      const reply = await control.call('POST', '/v1/functions/card/versions', body);
      expect([reply.status, reply.body.code]).toEqual([422, 'invalid']);
      expect(paths(reply)).toContain(path);
    }
    for (const file of ['../x.js', '/x.js', 'a/../../x.js', 'a\\..\\x.js', 'x\u0000.js', 'a//b.js', './x.js', 'a/./b.js', 'a/', '', 'x\n.js', 'x'.repeat(600)]) {
      const reply = await control.call('POST', '/v1/functions/card/versions', { files: { ...ok, [file]: '' }, main: 'index.js' });
      expect([file, reply.status, reply.body.code]).toEqual([file, 422, 'invalid']);
      expect(paths(reply)[0]).toMatch(/^files/);
    }
    expect(await state(control)).toBe(before);
  });
});

describe('query strings', () => {
  it('are as strict as bodies', async () => {
    const control = await useControl();
    await control.deploy('card', HELLO);
    for (const [path, field] of [
      ['/v1/functions?limit=0', 'limit'],
      ['/v1/functions?limit=1001', 'limit'],
      ['/v1/functions?limit=ten', 'limit'],
      ['/v1/functions?limit=1.5', 'limit'],
      ['/v1/functions?limit=1&limit=2', 'limit'],
      ['/v1/functions?cursor=..', 'cursor'],
      ['/v1/functions?page=2', 'page'],
      ['/v1/functions/card?x=1', 'x'],
      ['/v1/functions/card/versions?cursor=a', 'cursor'],
      ['/v1/functions/card/logs?follow=maybe', 'follow'],
      ['/v1/functions/card/logs?cursor=-1', 'cursor'],
      ['/v1/audit?cursor=0', 'cursor'],
      ['/v1/functions/card/versions/0', 'version'],
      ['/v1/functions/card/versions/1e3', 'version'],
      ['/v1/functions/card/versions/99999999999', 'version'],
    ] as const) {
      const reply = await control.call('GET', path);
      expect([path, reply.status, paths(reply)]).toEqual([path, 422, [field]]);
    }
    const post = await control.call('POST', '/v1/functions/card/versions?activate=yes', { files: { 'a.js': '' }, main: 'a.js' });
    expect([post.status, paths(post)]).toEqual([422, ['activate']]);
  });
});
