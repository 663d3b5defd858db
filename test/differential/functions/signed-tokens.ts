// A token signed and checked with HMAC.
const encoder = new TextEncoder();
const base64url = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

async function key(): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', encoder.encode('a secret of some length'), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
}

async function sign(claims: unknown): Promise<string> {
  const content = `${base64url(encoder.encode('{"alg":"HS256"}'))}.${base64url(encoder.encode(JSON.stringify(claims)))}`;
  return `${content}.${base64url(new Uint8Array(await crypto.subtle.sign('HMAC', await key(), encoder.encode(content))))}`;
}

async function verify(token: string): Promise<unknown> {
  const [head = '', body = '', signature = ''] = token.split('.');
  const bytes = Uint8Array.from(atob(signature.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
  if (!(await crypto.subtle.verify('HMAC', await key(), bytes, encoder.encode(`${head}.${body}`)))) return null;
  return JSON.parse(atob(body));
}

export default {
  async fetch(request: Request): Promise<Response> {
    const token = await sign({ sub: 'ana', roles: ['a', 'b'] });
    if (new URL(request.url).pathname === '/sign') return Response.json({ token, verified: await verify(token) });
    const claims = await verify((request.headers.get('authorization') ?? '').replace(/^Bearer /, ''));
    return Response.json({ claims }, { status: claims === null ? 401 : 200 });
  },
};
