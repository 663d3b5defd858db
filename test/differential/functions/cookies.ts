// Cookies: set one, several, read, clear.
export default {
  fetch(request: Request): Response {
    const headers = new Headers({ 'content-type': 'text/plain' });
    switch (new URL(request.url).pathname) {
      case '/set':
        headers.set('set-cookie', 'session=abc; Path=/; HttpOnly; SameSite=Lax');
        break;
      case '/several':
        headers.append('set-cookie', 'a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT');
        headers.append('set-cookie', 'b=2');
        headers.append('Set-Cookie', 'a=3');
        break;
      case '/clear':
        headers.set('set-cookie', 'session=; Max-Age=0');
        break;
      default: {
        const pairs = (request.headers.get('cookie') ?? '').split(/; */).map((pair) => pair.split('='));
        return new Response(JSON.stringify(pairs), { headers });
      }
    }
    return new Response('ok', { headers });
  },
};
