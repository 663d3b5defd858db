// The request as the caller sent it.
export default {
  async fetch(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const own = [...request.headers].filter(([name]) => /^x-(?:one|two)$/.test(name));
    const lines = {
      method: request.method, href: request.url, pathname: url.pathname, search: url.search, params: [...url.searchParams], own,
      type: request.headers.get('content-type'), hasBody: request.body !== null, used: request.bodyUsed, text: await request.text(), isRequest: request instanceof Request,
    };
    return new Response(Object.entries(lines).map(([name, value]) => `${name} = ${JSON.stringify(value)}`).join('\n'), { headers: { 'content-type': 'text/plain' } });
  },
};
