// Request.clone: both can be read, neither shares headers.
import { rejected, report, thrown } from './lib/report.ts';

const make = (): Request => new Request('https://a.test/', { method: 'POST', body: 'the body', headers: { a: '1' } });

export default {
  fetch: async (): Promise<Response> =>
    report({
      'both read': async () => {
        const request = make();
        const copy = request.clone();
        return [await request.text(), await copy.text()];
      },
      'copy first': async () => {
        const request = make();
        const copy = request.clone();
        return [await copy.text(), await request.text()];
      },
      'members': () => {
        const { url, method } = make().clone();
        return [url, method];
      },
      'headers apart': () => {
        const request = make();
        const copy = request.clone();
        copy.headers.set('a', '2');
        return [request.headers.get('a'), copy.headers.get('a')];
      },
      'used': async () => {
        const request = make();
        await request.text();
        return thrown(() => request.clone());
      },
      'locked': () => {
        const request = make();
        request.body?.getReader();
        return thrown(() => request.clone());
      },
      'without body': () => new Request('https://a.test/').clone().body,
      'of a clone': async () => make().clone().clone().text(),
      'original stays unused': async () => {
        const request = make();
        await request.clone().text();
        return [request.bodyUsed, await request.text(), request.bodyUsed, await rejected(() => request.text())];
      },
      'signal follows': () => {
        const controller = new AbortController();
        const copy = new Request('https://a.test/', { signal: controller.signal }).clone();
        controller.abort();
        return copy.signal.aborted;
      },
    }),
};
