// The description is valid OpenAPI 3.1, and the page that shows it needs no other host.
import { runInNewContext } from 'node:vm';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { useControl } from '../../support/control-plane.ts';

describe('the OpenAPI document', () => {
  it('is valid by the schema of OpenAPI 3.1, and every reference in it resolves', async () => {
    const { call } = await useControl();
    const document = structuredClone((await call('GET', '/openapi.json')).body);
    const validator = new Validator();
    expect(await validator.validate(document)).toMatchObject({ valid: true });
    expect(validator.version).toBe('3.1');
    // The validator is no rubber stamp.
    expect(await new Validator().validate({ ...document, paths: { '/x': { get: { responses: { 200: {} } } } } })).toMatchObject({ valid: false });
    expect(() => new Validator().resolveRefs({ specification: document })).not.toThrow();
  });
});

describe('the page', () => {
  it('is served without a token, with scripts and styles of its own host only, and holds no inline code', async () => {
    const { call } = await useControl();
    const page = await call('GET', '/docs', undefined, { token: null });
    expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    const policy = String(page.headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    const links = [...page.text.matchAll(/(?:src|href)="([^"]*)"/g)].map((match) => match[1] ?? '');
    expect(links).toHaveLength(4);
    for (const link of links) {
      const file = await call('GET', link, undefined, { token: null });
      expect([link, file.status, file.text.length > 100, file.headers['x-content-type-options']]).toEqual([link, 200, true, 'nosniff']);
      expect(String(file.headers['content-type'])).toMatch(link.endsWith('.css') ? /^text\/css/ : /^text\/javascript/);
    }
    expect(page.text).not.toMatch(/<script>|<style| style=| on\w+=|https?:/);
    // What the library can fetch by itself is switched off.
    expect((await call('GET', '/docs/page.js', undefined, { token: null })).text).toContain('validatorUrl: null');
    for (const path of ['/docs/', '/docs/../package.json', '/docs/swagger-ui.js', '/docs/%2e%2e/package.json']) expect((await call('GET', path, undefined, { token: null })).status).toBe(401);
    expect((await call('POST', '/docs', {}, { token: null })).status).toBe(405);
  });

  it('reads the description with the token that is typed in, and sends the token to its own host only', async () => {
    const { call } = await useControl();
    const { text } = await call('GET', '/docs/page.js', undefined, { token: null });
    const asked: unknown[] = [];
    let submit: (event: object) => Promise<void> = async () => {};
    const elements: Record<string, Record<string, unknown>> = { token: { value: 'typed' }, failure: {}, open: { addEventListener: (_: string, listener: typeof submit) => void (submit = listener) } };
    let shown: Record<string, unknown> = {};
    let ok = false;
    runInNewContext(text, {
      URL,
      location: { href: 'http://node:8081/docs', origin: 'http://node:8081' },
      document: { getElementById: (id: string) => elements[id] },
      fetch: async (...args: unknown[]) => {
        asked.push(args);
        return { ok, json: async () => ({ detail: 'a valid bearer token is needed', openapi: '3.1.1' }) };
      },
      SwaggerUIBundle: (options: Record<string, unknown>) => void (shown = options),
    });
    const event = { preventDefault: () => {} };
    await submit(event);
    expect([elements['failure'], shown]).toEqual([{ textContent: 'a valid bearer token is needed' }, {}]);
    ok = true;
    await submit(event);
    expect(asked).toEqual(Array.from({ length: 2 }, () => ['/openapi.json', { headers: { authorization: 'Bearer typed' } }]));
    expect(shown).toMatchObject({ spec: { openapi: '3.1.1' }, persistAuthorization: false });
    const intercept = shown['requestInterceptor'] as (request: { url: string; headers: Record<string, string> }) => unknown;
    expect(intercept({ url: '/v1/functions', headers: {} })).toMatchObject({ headers: { authorization: 'Bearer typed' } });
    expect(intercept({ url: 'https://elsewhere.example/v1', headers: {} })).toMatchObject({ headers: {} });
    expect(intercept({ url: 'https://elsewhere.example/v1', headers: {} })).not.toMatchObject({ headers: { authorization: expect.anything() } });
  });
});
