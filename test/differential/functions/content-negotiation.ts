// Choosing by accept headers.
function preferred(header: string | null, offered: readonly string[]): string | undefined {
  const wanted = (header ?? '*').split(',').map((part) => {
    const [name = '', ...parameters] = part.trim().split(';');
    const q = parameters.map((one) => /^\s*q=([\d.]+)$/.exec(one)?.[1]).find((one) => one !== undefined);
    return { name, q: q === undefined ? 1 : Number(q) };
  });
  return wanted.toSorted((a, b) => b.q - a.q).map(({ name }) => offered.find((one) => name === one || name === '*/*' || name === '*' || one.startsWith(`${name}-`))).find((one) => one !== undefined);
}

export default {
  fetch: (request: Request): Response =>
    Response.json({
      type: preferred(request.headers.get('accept'), ['application/json', 'text/html']) ?? null,
      language: preferred(request.headers.get('accept-language'), ['en', 'de']) ?? null,
    }),
};
