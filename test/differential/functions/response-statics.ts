// Response.json, Response.error, Response.redirect.
import { report, thrown } from './lib/report.ts';

export default {
  fetch: async (): Promise<Response> =>
    report({
      'json': async () => {
        const response = Response.json({ a: [1, null] });
        return [response.status, response.headers.get('content-type'), await response.text()];
      },
      'json init': async () => {
        const response = Response.json('x', { status: 201, statusText: 'Made', headers: { a: '1' } });
        return [response.status, response.statusText, [...response.headers], await response.text()];
      },
      'json own content type': () => Response.json({}, { headers: { 'content-type': 'application/problem+json' } }).headers.get('content-type'),
      'json undefined': () => thrown(() => Response.json(undefined)),
      'json function': () => thrown(() => Response.json(() => 1)),
      'json symbol': () => thrown(() => Response.json(Symbol('x'))),
      'json circular': () => {
        const value: { self?: unknown } = {};
        value.self = value;
        return thrown(() => Response.json(value));
      },
      'json toJSON throws': () => thrown(() => Response.json({ toJSON: () => { throw new RangeError('no'); } })),
      'json bigint': () => thrown(() => Response.json(1n)),
      'json 204': () => thrown(() => Response.json({}, { status: 204 })),
      'error': () => {
        const { type, status, ok, statusText, body } = Response.error();
        return [type, status, ok, statusText, body];
      },
      'error has immutable headers': () => thrown(() => Response.error().headers.set('a', 'b')),
      'redirect': () => {
        const response = Response.redirect('https://a.test/x y');
        return [response.status, response.headers.get('location'), response.body];
      },
      'redirect status': () => [301, 302, 303, 307, 308].map((status) => Response.redirect('https://a.test/', status).status),
      'redirect refused status': () => [200, 300, 304, 309].map((status) => thrown(() => Response.redirect('https://a.test/', status))),
      'redirect refused URL': () => thrown(() => Response.redirect('http://:x')),
      'redirect has immutable headers': () => thrown(() => Response.redirect('https://a.test/').headers.set('a', 'b')),
      'clone': async () => {
        const response = new Response('body', { status: 202, headers: { a: '1' } });
        const copy = response.clone();
        copy.headers.set('a', '2');
        return [await response.text(), await copy.text(), copy.status, response.headers.get('a')];
      },
      'clone of a used one': async () => {
        const response = new Response('body');
        await response.text();
        return thrown(() => response.clone());
      },
      'clone of a locked one': () => {
        const response = new Response('body');
        response.body?.getReader();
        return thrown(() => response.clone());
      },
    }),
};
