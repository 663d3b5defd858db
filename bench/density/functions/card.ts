// A screen's card out of a small catalogue: filter, sort, texts ready to print; about 1 KB of JSON. No upstream: the catalogue is the module's.
interface Env {
  readonly TEAM: string;
}

interface Product {
  readonly id: number;
  readonly title: string;
  readonly cents: number;
  readonly stock: number;
  readonly tags: readonly string[];
}

const TAGS = ['new', 'sale', 'green', 'local'];
const CATALOGUE: readonly Product[] = Array.from({ length: 40 }, (_, i) => ({
  id: 1_000 + i,
  title: `Product ${String.fromCharCode(65 + (i % 26))}${i}`,
  cents: 199 + ((i * 7_919) % 20_000),
  stock: (i * 31) % 12,
  tags: TAGS.filter((__, t) => (i >> t) % 2 === 1),
}));

const price = (cents: number): string => `${(cents / 100).toFixed(2)} EUR`;

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const url = new URL(request.url);
    const tag = url.searchParams.get('tag') ?? '';
    const picked = CATALOGUE.filter((product) => product.stock > 0 && product.tags.includes(tag));
    const best = await Promise.resolve(picked.toSorted((a, b) => a.cents - b.cents || a.id - b.id).slice(0, 8));
    const card = {
      team: env.TEAM,
      tag,
      found: picked.length,
      products: best.map(({ id, title, cents, stock }) => ({ id, title, price: price(cents), available: stock, last: stock < 3 })),
    };
    return Response.json(card, { headers: { 'cache-control': 'private, max-age=10' } });
  },
};
