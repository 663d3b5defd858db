// The API's description as a page to browse and to try calls from: Swagger UI from node_modules, and no other host.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { NONE } from './addresses.ts';
import { endpoint } from './endpoint.ts';
import type { Endpoint } from './endpoint.ts';

const HTML = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Thimble control API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="stylesheet" href="/docs/page.css">
<form id="open">
  <label for="token">Token</label>
  <input id="token" type="password" autocomplete="off" spellcheck="false" required>
  <button>Open</button>
  <output id="failure"></output>
</form>
<div id="api"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/page.js"></script>
</html>
`;

const CSS = `form { font: 16px system-ui, sans-serif; display: flex; gap: 1ch; align-items: center; margin: 1rem; }
input { flex: 1; max-width: 60ch; font: inherit; padding: .3em; }
button { font: inherit; padding: .3em 1em; }
output { color: #b00020; }
`;

/** The token stays in this page's memory: nothing is stored, and what is sent goes to the host that the page came from. */
const SCRIPT = `'use strict';
const field = document.getElementById('token');
const failure = document.getElementById('failure');
document.getElementById('open').addEventListener('submit', async (event) => {
  event.preventDefault();
  failure.textContent = '';
  const authorization = 'Bearer ' + field.value;
  try {
    const response = await fetch('/openapi.json', { headers: { authorization } });
    const body = await response.json();
    if (!response.ok) throw new Error(body.detail);
    SwaggerUIBundle({
      spec: body,
      dom_id: '#api',
      docExpansion: 'none',
      defaultModelsExpandDepth: -1,
      tryItOutEnabled: true,
      persistAuthorization: false,
      validatorUrl: null,
      requestInterceptor: (request) => {
        if (new URL(request.url, location.href).origin === location.origin) request.headers.authorization = authorization;
        return request;
      },
    });
  } catch (error) {
    failure.textContent = error.message;
  }
});
`;

/** Only scripts, styles and calls of this origin: no inline script or style, no frame, no form that is sent. Icons of the style sheet are data: images. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;

const require = createRequire(import.meta.url);

/** Address, media type, and where the text comes from. Open to all: they hold nothing of this node. */
const FILES = [
  { path: '/docs', operation: 'docsPage', type: 'text/html; charset=utf-8', text: HTML },
  { path: '/docs/page.css', operation: 'docsPageStyle', type: 'text/css; charset=utf-8', text: CSS },
  { path: '/docs/page.js', operation: 'docsPageScript', type: 'text/javascript; charset=utf-8', text: SCRIPT },
  { path: '/docs/swagger-ui.css', operation: 'docsStyle', type: 'text/css; charset=utf-8', file: 'swagger-ui-dist/swagger-ui.css' },
  { path: '/docs/swagger-ui-bundle.js', operation: 'docsScript', type: 'text/javascript; charset=utf-8', file: 'swagger-ui-dist/swagger-ui-bundle.js' },
] as const;

export function docsEndpoints(): Endpoint[] {
  return FILES.map((one) =>
    endpoint({
      method: 'GET', path: one.path, operation: one.operation, access: 'open', summary: 'A file of the page to browse this description; the page asks for a token.',
      params: NONE, query: NONE, answers: { 200: one.type }, errors: [],
      handle: async (): Promise<Response> => {
        // Read each time: it is asked for seldom, and need not be in memory for the rest of the node's life.
        const text = 'file' in one ? await readFile(require.resolve(one.file)) : one.text;
        return new Response(text, { headers: { ...HEADERS, 'content-type': one.type, 'cache-control': 'file' in one ? 'private, max-age=86400' : 'no-store' } });
      },
    }),
  );
}
