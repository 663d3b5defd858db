// Entity tags and idempotency keys: no lost updates, and nothing done twice.
import { describe, expect, it } from 'vitest';
import { HELLO, useControl } from '../../support/control-plane.ts';
import type { ControlUnderTest, Reply } from '../../support/control-plane.ts';

const etag = (reply: Reply): string => String(reply.headers['etag']);

describe('If-Match', () => {
  it('refuses a write to what has changed since it was read, on every address of the function', async () => {
    const { call, deploy } = await useControl();
    await deploy('card', HELLO);
    await deploy('card', HELLO);
    const first = await call('GET', '/v1/functions/card');
    expect(etag(first)).toMatch(/^"[\w-]{22}"$/);
    const put = (tag: string, body: unknown): Promise<Reply> => call('PUT', '/v1/functions/card', body, { headers: { 'if-match': tag } });
    expect((await put(etag(first), { debug: true })).status).toBe(200);
    const stale = await put(etag(first), { debug: false });
    expect([stale.status, stale.body.code]).toEqual([412, 'precondition_failed']);
    const now = await call('GET', '/v1/functions/card');
    expect(now.body).toMatchObject({ debug: true });
    expect(etag(now)).not.toBe(etag(first));
    const writes: readonly (readonly [string, string, unknown])[] = [
      ['PUT', '/v1/functions/card/traffic', { split: [{ version: 2, weight: 100 }] }], ['POST', '/v1/functions/card/versions', { from: 1 }], ['POST', '/v1/functions/card/rollback', {}],
      ['PUT', '/v1/functions/card', { env: { A: '1' } }], ['DELETE', '/v1/functions/card', undefined],
    ];
    for (const [method, path, body] of writes) {
      const refused = await call(method, path, body, { headers: { 'if-match': etag(first) } });
      expect([method, path, refused.status, refused.body.code]).toEqual([method, path, 412, 'precondition_failed']);
    }
    expect((await call('GET', '/v1/functions/card')).body).toEqual(now.body);
    // With the tag of what is there each goes through, one after the other.
    for (const [method, path, body] of writes) {
      const current = etag(await call('GET', '/v1/functions/card'));
      expect([path, (await call(method, path, body, { headers: { 'if-match': `"other", ${current}` } })).status]).toEqual([path, path.endsWith('versions') ? 201 : 200]);
    }
    expect((await call('GET', '/v1/functions/card')).status).toBe(404);
  });

  it('takes the tag of a part as well as that of the whole', async () => {
    const { call, deploy } = await useControl();
    await deploy('card', HELLO);
    await deploy('card', HELLO);
    const traffic = etag(await call('GET', '/v1/functions/card/traffic'));
    const send = (method: string, path: string, body: unknown, headers: Readonly<Record<string, string>>): Promise<number> => call(method, `/v1/functions/card${path}`, body, { headers }).then(({ status }) => status);
    // The function has changed, its traffic has not.
    await call('PUT', '/v1/functions/card', { debug: true });
    const split = (version: number): unknown => ({ split: [{ version, weight: 100 }] });
    expect(await send('PUT', '/traffic', split(2), { 'if-match': traffic })).toBe(200);
    expect(await send('PUT', '/traffic', split(1), { 'if-match': traffic })).toBe(412);
    const whole = etag(await call('GET', '/v1/functions/card'));
    expect(await send('PUT', '/traffic', split(1), { 'if-match': whole })).toBe(200);
    expect(await send('PUT', '/traffic', split(2), { 'if-match': whole })).toBe(412);
    // An alias is made by one of two that both find none.
    expect(await send('PUT', '/aliases/next', { version: 1 }, { 'if-match': '*' })).toBe(412);
    expect(await send('PUT', '/aliases/next', { version: 1 }, { 'if-none-match': '*' })).toBe(200);
    expect(await send('PUT', '/aliases/next', { version: 2 }, { 'if-none-match': '*' })).toBe(412);
    const alias = await call('GET', '/v1/functions/card/aliases/next');
    expect(alias.body).toEqual({ alias: 'next', version: 1 });
    expect(await send('PUT', '/aliases/next', { version: 2 }, { 'if-match': etag(alias) })).toBe(200);
    expect(await send('DELETE', '/aliases/next', undefined, { 'if-match': etag(alias) })).toBe(412);
    expect(await send('DELETE', '/aliases/next', undefined, { 'if-match': '*' })).toBe(200);
    expect((await call('GET', '/v1/functions/card/aliases/next')).status).toBe(404);
  });

  it('lets one of many win that have read the same', async () => {
    const { call } = await useControl();
    await call('PUT', '/v1/functions/card');
    for (let round = 0; round < 5; round++) {
      const tag = etag(await call('GET', '/v1/functions/card'));
      const replies = await Promise.all(Array.from({ length: 8 }, (_, i) => call('PUT', '/v1/functions/card', { env: { WHO: `${round}-${i}` } }, { headers: { 'if-match': tag } })));
      expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, ...Array.from({ length: 7 }, () => 412)]);
      expect((await call('GET', '/v1/functions/card')).body['env']).toEqual(replies.find(({ status }) => status === 200)?.body['env']);
    }
  });

  it('takes * for anything that is there; If-None-Match: * is for what is not', async () => {
    const { call } = await useControl();
    const put = (headers: Readonly<Record<string, string>>): Promise<Reply> => call('PUT', '/v1/functions/card', {}, { headers });
    expect((await put({ 'if-match': '*' })).status).toBe(412);
    expect((await put({ 'if-match': '"x"' })).status).toBe(412);
    expect((await put({ 'if-none-match': '*' })).status).toBe(201);
    expect((await put({ 'if-none-match': '*' })).status).toBe(412);
    expect((await put({ 'if-match': '*' })).status).toBe(200);
    // Created at once by many: one of them.
    const replies = await Promise.all(Array.from({ length: 6 }, () => call('PUT', '/v1/functions/other', {}, { headers: { 'if-none-match': '*' } })));
    expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 412, 412, 412, 412, 412]);
  });

  it('is strong: a weak tag never matches, and a malformed header is named', async () => {
    const { call } = await useControl();
    const tag = etag(await (await call('PUT', '/v1/functions/card'), call('GET', '/v1/functions/card')));
    expect((await call('PUT', '/v1/functions/card', {}, { headers: { 'if-match': `W/${tag}` } })).status).toBe(412);
    for (const bad of ['x', '"x', '"a" "b"', '"a",', 'w/"a"', '*, "a"', '']) {
      const reply = await call('PUT', '/v1/functions/card', { debug: true }, { headers: { 'if-match': bad } });
      expect([bad, reply.status, reply.body.errors?.[0]?.['path']]).toEqual([bad, 422, 'if-match']);
      expect((await call('GET', '/v1/functions', undefined, { headers: { 'if-none-match': bad } })).body.errors?.[0]?.['path']).toBe('if-none-match');
    }
    expect((await call('GET', '/v1/functions/card')).body).toMatchObject({ debug: false });
  });

  it('watches quotas of a tenant, not what is used of them', async () => {
    const { call } = await useControl();
    await call('PUT', '/v1/tenants/team', { quotas: { rps: 1 } });
    const tag = etag(await call('GET', '/v1/tenants/team'));
    await call('PUT', '/v1/functions/card', { tenant: 'team' });
    const read = await call('GET', '/v1/tenants/team', undefined, { headers: { 'if-none-match': tag } });
    // The tag is the same and the figures are not: no 304.
    expect([read.status, etag(read), read.body['usage']]).toEqual([200, tag, expect.objectContaining({ functions: 1 })]);
    const put = (rps: number): Promise<Reply> => call('PUT', '/v1/tenants/team', { quotas: { rps } }, { headers: { 'if-match': tag } });
    expect([(await put(2)).status, (await put(3)).status]).toEqual([200, 412]);
  });
});

describe('If-None-Match', () => {
  it('answers 304 without a body while nothing has changed, also for lists and after a restart', async () => {
    const control = await useControl();
    await control.deploy('card', HELLO);
    const paths = ['/v1/functions', '/v1/functions/card', '/v1/audit'];
    const tags = new Map<string, string>();
    for (const path of paths) tags.set(path, etag(await control.call('GET', path)));
    for (const isAgain of [false, true]) {
      const { call } = isAgain ? await control.restart() : control;
      for (const [path, tag] of tags) {
        const reply = await call('GET', path, undefined, { headers: { 'if-none-match': `"x", W/${tag}` } });
        expect([path, reply.status, reply.text, etag(reply)]).toEqual([path, 304, '', tag]);
        expect((await call('GET', path, undefined, { headers: { 'if-none-match': '*' } })).status).toBe(304);
        expect((await call('GET', path, undefined, { headers: { 'if-match': '"x"' } })).status).toBe(412);
      }
    }
  });
});

describe('an Idempotency-Key', () => {
  const post = ({ call }: Pick<ControlUnderTest, 'call'>, path: string, body: unknown, key: string, token?: string): Promise<Reply> =>
    call('POST', path, body, { headers: { 'idempotency-key': key }, ...(token === undefined ? {} : { token }) });
  const upload = { files: { 'index.ts': HELLO }, main: 'index.ts' };

  it('makes one version of a deploy that is sent again, and gives the same answer, also after a restart', async () => {
    const control = await useControl();
    await control.call('PUT', '/v1/functions/card');
    const first = await post(control, '/v1/functions/card/versions', upload, '"k-1"');
    expect([first.status, first.headers['idempotent-replayed']]).toEqual([201, undefined]);
    // Quotes are the header's form, no part of the key.
    const again = await post(control, '/v1/functions/card/versions', upload, 'k-1');
    expect([again.status, again.text, again.headers['idempotent-replayed'], again.headers['content-type']]).toEqual([201, first.text, 'true', first.headers['content-type']]);
    const later = await control.restart();
    expect((await post(later, '/v1/functions/card/versions', upload, '"k-1"')).text).toBe(first.text);
    expect((await later.call('GET', '/v1/functions/card/versions')).body.items).toHaveLength(1);
    expect((await post(later, '/v1/functions/card/versions', upload, '"k-2"')).body).toMatchObject({ version: 2 });
  });

  it('is refused for another request, for one that is under way, and when it is no key', async () => {
    const control = await useControl();
    await control.call('PUT', '/v1/functions/card');
    await control.call('PUT', '/v1/functions/other');
    const path = '/v1/functions/card/versions';
    const replies = await Promise.all(Array.from({ length: 5 }, () => post(control, path, upload, 'same')));
    expect(replies.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409, 409, 409]);
    for (const [at, body] of [[path, { ...upload, message: 'other' }], ['/v1/functions/other/versions', upload], [`${path}?activate=true`, upload]] as const) {
      const reply = await post(control, at, body, 'same');
      expect([reply.status, reply.body.errors?.[0]?.['path']]).toEqual([422, 'idempotency-key']);
    }
    // The order of members is not another request.
    expect((await post(control, path, { main: 'index.ts', files: { 'index.ts': HELLO } }, 'same')).text).toBe(replies.find(({ status }) => status === 201)?.text);
    for (const bad of ['""', '"a', 'a b', '"ä"', 'x'.repeat(256), '"a\\x"']) expect((await post(control, path, upload, Buffer.from(bad).toString('latin1'))).body.errors?.[0]?.['path']).toBe('idempotency-key');
    expect((await control.call('GET', path)).body.items).toHaveLength(1);
    expect((await control.call('GET', '/v1/functions/other/versions')).body.items).toEqual([]);
  });

  it('is free again when the request was refused, and belongs to one token', async () => {
    const control = await useControl();
    const { call } = control;
    expect((await post(control, '/v1/functions/card/versions', upload, 'k')).status).toBe(404);
    await call('PUT', '/v1/functions/card');
    expect((await post(control, '/v1/functions/card/versions', { from: 9 }, 'k')).status).toBe(404);
    expect((await post(control, '/v1/functions/card/versions', upload, 'k')).body).toMatchObject({ version: 1 });
    const token = String((await call('POST', '/v1/tokens', { name: 'ci', role: 'deployer', functions: ['card'] })).body['token']);
    expect((await post(control, '/v1/functions/card/versions', upload, 'k', token)).body).toMatchObject({ version: 2 });
    // A token that may not do it any more gets no answer of the time when it did.
    const reader = String((await call('POST', '/v1/tokens', { name: 'r', role: 'reader' })).body['token']);
    expect((await post(control, '/v1/functions/card/versions', upload, 'k', reader)).status).toBe(403);
  });

  it('comes before If-Match: what was done is not refused because it was done', async () => {
    const control = await useControl();
    await control.deploy('card', HELLO);
    const tag = etag(await control.call('GET', '/v1/functions/card'));
    const send = (): Promise<Reply> => control.call('POST', '/v1/functions/card/versions', { from: 1 }, { headers: { 'if-match': tag, 'idempotency-key': 'k' } });
    const first = await send();
    expect([first.status, (await send()).text]).toEqual([201, first.text]);
  });

  it('gives the text of a new token again to who made it, and keeps it sealed', async () => {
    const control = await useControl();
    const body = { name: 'ci', role: 'reader' };
    const first = await post(control, '/v1/tokens', body, 'make');
    expect((await post(control, '/v1/tokens', body, 'make')).body['token']).toBe(first.body['token']);
    expect((await control.call('GET', '/v1/tokens')).body.items).toHaveLength(1);
  });
});
