// Credentials in a header.
function credentials(header: string | null): { readonly user: string; readonly password: string } | undefined {
  const code = /^Basic (.+)$/.exec(header ?? '')?.[1];
  if (code === undefined) return undefined;
  try {
    const [user = '', password = ''] = atob(code).split(':');
    return { user, password };
  } catch {
    return { user: '', password: '' };
  }
}

export default {
  fetch(request: Request): Response {
    const given = credentials(request.headers.get('authorization'));
    if (given === undefined) return new Response(null, { status: 401, headers: { 'www-authenticate': 'Basic realm="test"' } });
    return new Response(given.user === 'ana' && given.password === 'secret' ? 'welcome' : 'no', { status: given.user === 'ana' ? 200 : 403, headers: { 'content-type': 'text/plain' } });
  },
};
