// Good and bad neighbours, as sources to deploy.

/** What most BFF functions are: a small JSON answer from the request. */
export const GOOD = `export default {
  fetch(request: Request): Response {
    const url = new URL(request.url);
    return Response.json({ path: url.pathname, name: url.searchParams.get('name') ?? 'world', items: [1, 2, 3].map((id) => ({ id, label: 'item ' + id })) });
  },
};
`;
export const GOOD_PATH = '/items?name=Ada';
export const GOOD_BODY = JSON.stringify({ path: '/items', name: 'Ada', items: [1, 2, 3].map((id) => ({ id, label: `item ${id}` })) });

const LOOP = `export default {
  fetch(): Response {
    for (;;);
  },
};
`;

/** Fills the heap with arrays that live, as fast as memory can be written. */
const BOMB = `export default {
  fetch(): Response {
    const all: unknown[] = [];
    for (;;) all.push(new Array(50_000).fill(all.length));
  },
};
`;

/** As much arithmetic as the path says. */
const WORK = `export default {
  fetch(request: Request): Response {
    const steps = Number(new URL(request.url).searchParams.get('steps'));
    let x = 1;
    for (let i = 0; i < steps; i++) x = (Math.imul(x, 1103515245) + 12345) >>> 0;
    return new Response(String(x));
  },
};
`;

export interface Neighbour {
  readonly name: 'loop' | 'bomb' | 'work';
  readonly title: string;
  readonly source: string;
  readonly limits: Readonly<Record<string, number>>;
  readonly perSec: number;
}

export const NEIGHBOURS: readonly Neighbour[] = [
  { name: 'loop', title: 'an endless loop', source: LOOP, limits: {}, perSec: 50 },
  // With the default CPU budget most of its calls would end as loops do, on a busy machine all.
  { name: 'bomb', title: 'a memory bomb', source: BOMB, limits: { cpuMs: 200 }, perSec: 50 },
  { name: 'work', title: 'a lawful function of 20 ms CPU', source: WORK, limits: {}, perSec: 10 },
];
