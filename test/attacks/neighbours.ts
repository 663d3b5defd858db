// Good functions of other tenants: asked all the time while an attack runs, and all at once after it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestNode } from '../support/node.ts';

interface Neighbour {
  readonly name: string;
  readonly source: string;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly method: 'GET' | 'POST';
  readonly body?: string;
  readonly expected: string;
}

/** Enough of the plain ones that every host is home to some. */
const PLAIN = 6;
const GAP_MS = 4;
/** Room for the longest entry of an attack on the same host on a machine that others load: what is judged is that they answer. */
const PATIENCE_MS = 25_000;

export class Neighbours {
  readonly #node: TestNode;
  #all: readonly Neighbour[] = [];
  #working: Promise<void> | undefined;
  #stopping = false;
  #wrong: string[] = [];
  #asked = 0;

  constructor(node: TestNode) {
    this.#node = node;
  }

  /** Answers that neighbours gave so far, right and wrong. */
  get asked(): number {
    return this.#asked;
  }

  get count(): number {
    return this.#all.length;
  }

  async deploy(upstream: string): Promise<void> {
    const plain = Array.from({ length: PLAIN }, (_, i): Neighbour => ({
      name: `neighbour-${i}`, settings: { tenant: `tenant-${i}` }, method: 'GET', expected: `hello ${i} true`,
      source: `export default { fetch() { return new Response('hello ${i} ' + (({}).polluted === undefined && JSON.parse('1') === 1)); } };`,
    }));
    this.#all = [
      ...plain,
      { name: 'neighbour-secret', settings: { tenant: 'tenant-secret', secrets: { NEIGHBOUR: 'of mine' } }, method: 'GET', expected: 'of mine', source: 'export default { fetch(request, env) { return new Response(env.NEIGHBOUR); } };' },
      { name: 'neighbour-echo', settings: { tenant: 'tenant-echo' }, method: 'POST', body: 'my words', expected: 'my words', source: 'export default { async fetch(request) { return new Response(await request.text()); } };' },
      { name: 'neighbour-caller', settings: { tenant: 'tenant-caller', env: { UPSTREAM: upstream } }, method: 'GET', expected: 'hello', source: "export default { async fetch(request, env) { return new Response(await (await fetch(env.UPSTREAM + '/hello')).text()); } };" },
      { name: 'neighbour-timer', settings: { tenant: 'tenant-timer' }, method: 'GET', expected: 'slept', source: "export default { async fetch() { await new Promise((r) => setTimeout(r, 2)); return new Response('slept'); } };" },
    ];
    for (const { name, source, settings } of this.#all) await this.#node.deploy(name, source, { ...settings, limits: { wallMs: PATIENCE_MS } });
  }

  /** One GET after the other, round and round, until `rest`. Only GETs: others may not be repeated on a second host, so they have no right to an answer when theirs dies. */
  work(): void {
    if (this.#working !== undefined) return;
    this.#stopping = false;
    this.#wrong = [];
    const gets = this.#all.filter(({ method }) => method === 'GET');
    this.#working = (async (): Promise<void> => {
      for (let i = 0; !this.#stopping; i++) {
        const wrong = await this.#ask(gets[i % gets.length] as Neighbour);
        if (wrong !== '') this.#wrong.push(wrong);
        await sleep(GAP_MS);
      }
    })();
  }

  /** @returns every wrong answer since `work` */
  async rest(): Promise<readonly string[]> {
    this.#stopping = true;
    await this.#working;
    this.#working = undefined;
    return this.#wrong;
  }

  async allAnswer(): Promise<boolean> {
    const wrong = await Promise.all(this.#all.map(async (one) => this.#ask(one)));
    return wrong.every((text) => text === '');
  }

  async #ask({ name, method, body, expected }: Neighbour): Promise<string> {
    const answer = await this.#node.call(name, '/', { method, timeoutMs: PATIENCE_MS, ...(body === undefined ? {} : { body }) });
    this.#asked += 1;
    return answer.status === 200 && answer.text === expected ? '' : `${name}: ${answer.status} ${answer.code ?? answer.error ?? answer.text.slice(0, 100)}`;
  }
}
