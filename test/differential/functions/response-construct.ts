// Response: what init makes of it.
import { report, thrown } from './lib/report.ts';

export default {
  fetch: async (): Promise<Response> =>
    report({
      'defaults': () => {
        const { status, statusText, ok, redirected, type, url, body, bodyUsed } = new Response();
        return [status, statusText, ok, redirected, type, url, body, bodyUsed];
      },
      ...Object.fromEntries([199, 200, 204, 299, 300, 404, 599, 600, 0, 1000, 99].map((status) => [`status ${status}`, () => thrown(() => new Response(null, { status }))])),
      'ok': () => [200, 204, 299, 300, 404].map((status) => new Response(null, { status }).ok),
      ...Object.fromEntries([204, 205, 304].map((status) => [`body with ${status}`, () => thrown(() => new Response('x', { status }))])),
      'statusText': () => new Response(null, { status: 404, statusText: 'Nope' }).statusText,
      'statusText refused': () => thrown(() => new Response(null, { statusText: 'a\nb' })),
      'status as text': () => new Response(null, { status: '201' as unknown as number }).status,
      'headers': () => [...new Response(null, { headers: { B: '2', a: '1' } }).headers],
      'content type of text': () => new Response('x').headers.get('content-type'),
      'own content type stays': () => new Response('x', { headers: { 'content-type': 'a/b' } }).headers.get('content-type'),
      'no content type of bytes': () => new Response(new Uint8Array(1)).headers.get('content-type'),
      'init of a response': () => {
        const response = new Response('new', new Response('old', { status: 201, headers: { a: '1' } }));
        return [response.status, response.headers.get('a')];
      },
      'headers can change': () => {
        const response = new Response('x');
        response.headers.set('a', '1');
        response.headers.delete('content-type');
        return [...response.headers];
      },
      'null and undefined': async () => [await new Response(null).text(), await new Response(undefined).text(), new Response(undefined).body],
      'other values become text': async () => [await new Response(1 as unknown as string).text(), await new Response({} as string).text(), await new Response([1, 2] as unknown as string).text()],
      'class string': () => Object.prototype.toString.call(new Response()),
      'without new': () => thrown(() => (Response as unknown as () => void)()),
    }),
};
