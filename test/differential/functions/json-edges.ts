// JSON in and out at its edges.
export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method === 'POST') {
      const value = (await request.json()) as Record<string, unknown>;
      return Response.json({ ...value, own: Object.hasOwn(value, '__proto__'), polluted: ({} as { x?: unknown }).x !== undefined });
    }
    const sparse: unknown[] = [1];
    sparse[3] = 4;
    return Response.json({
      numbers: [0, -0, 1e21, 1e-7, 0.1 + 0.2, Number.MAX_SAFE_INTEGER, Number.NaN, Infinity],
      skipped: [undefined, () => 1, Symbol('x')], left: undefined, sparse,
      strings: ['\u2028\u2029', '\ud800', '</script>', '\u0000\u001f\u007f', '😀'],
      date: new Date(0), map: new Map([[1, 2]]), bytes: Uint8Array.of(1, 2), boxed: [Object(1), Object('s'), Object(true)],
      toJSON: { toJSON: (key: string) => `key ${key}` }, nested: JSON.parse('{"a":{"b":[{"c":null}]}}'),
    });
  },
};
