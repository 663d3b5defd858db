// Request: what each member of init makes of it.
import { report, thrown } from './lib/report.ts';

const url = 'https://a.test/path?q=1#hash';

export default {
  fetch: async (): Promise<Response> =>
    report({
      'url': () => [new Request(url).url, new Request(new URL(url)).url],
      'defaults': () => {
        const { method, redirect, bodyUsed, body } = new Request(url);
        return [method, redirect, bodyUsed, body];
      },
      ...Object.fromEntries(['get', 'GET', 'post', 'pOsT', 'patch', 'PATCH', 'delete', 'options', 'head', 'put', 'chicken'].map((method) => [`method ${method}`, () => new Request(url, { method }).method])),
      ...Object.fromEntries(['', 'a b', 'TRACE', 'connect', 'Track', 'ü'].map((method) => [`refused method ${JSON.stringify(method)}`, () => thrown(() => new Request(url, { method }))])),
      'relative': () => thrown(() => new Request('/path')),
      'credentials in the URL': () => thrown(() => new Request('https://user:pw@a.test/')),
      'GET with a body': () => thrown(() => new Request(url, { body: 'x' })),
      'HEAD with a body': () => thrown(() => new Request(url, { method: 'HEAD', body: 'x' })),
      'GET with a null body': () => thrown(() => new Request(url, { body: null })),
      'stream without duplex': () => thrown(() => new Request(url, { method: 'POST', body: new ReadableStream() })),
      'stream with duplex': () => thrown(() => new Request(url, { method: 'POST', body: new ReadableStream(), duplex: 'half' } as RequestInit)),
      'headers': () => [...new Request(url, { headers: { B: '2', a: '1' } }).headers],
      'content type of text': () => new Request(url, { method: 'POST', body: 'x' }).headers.get('content-type'),
      'own content type stays': () => new Request(url, { method: 'POST', body: 'x', headers: { 'content-type': 'a/b' } }).headers.get('content-type'),
      'redirect': () => (['follow', 'error', 'manual'] as const).map((redirect) => thrown(() => new Request(url, { redirect }).redirect)),
      'redirect refused': () => thrown(() => new Request(url, { redirect: 'nowhere' as 'follow' })),
      'from a request': () => {
        const request = new Request(new Request(url, { method: 'POST', body: 'x', headers: { a: '1' } }), { headers: { b: '2' } });
        return [request.url, request.method, [...request.headers]];
      },
      'takes the body': async () => {
        const first = new Request(url, { method: 'POST', body: 'x' });
        const second = new Request(first);
        return [first.bodyUsed, second.bodyUsed, await second.text()];
      },
      'used body': async () => {
        const first = new Request(url, { method: 'POST', body: 'x' });
        await first.text();
        return thrown(() => new Request(first));
      },
      'new body for a used one': async () => {
        const first = new Request(url, { method: 'POST', body: 'x' });
        await first.text();
        return new Request(first, { body: 'y' }).text();
      },
      'signal': () => {
        const controller = new AbortController();
        const request = new Request(url, { signal: controller.signal });
        const before = request.signal.aborted;
        controller.abort('why');
        return [before, request.signal.aborted, request.signal.reason];
      },
      'signal refused': () => thrown(() => new Request(url, { signal: {} as AbortSignal })),
      'class string': () => Object.prototype.toString.call(new Request(url)),
      'without new': () => thrown(() => (Request as unknown as (url: string) => void)(url)),
      'without arguments': () => thrown(() => new (Request as unknown as new () => Request)()),
    }),
};
