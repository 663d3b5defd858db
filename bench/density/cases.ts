// The functions of the density bench: four kinds of small BFF functions, each deployed many times under names and teams of their own.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BENCH } from '../lib/paths.ts';

export interface Kind {
  readonly name: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export const KINDS = [
  { name: 'greeting', path: '/', headers: {} },
  { name: 'profile', path: '/users/42?fields=name,plan,team', headers: {} },
  { name: 'card', path: '/cards?tag=sale', headers: {} },
  { name: 'flags', path: '/flags', headers: { cookie: 'theme=dark; visitor=v-1017', 'accept-language': 'de-DE,de;q=0.9,en;q=0.5' } },
] as const satisfies readonly Kind[];

/** One deployed function: what it is made of, and what its answer must be. */
export interface DensityCase {
  readonly name: string;
  readonly kind: Kind;
  readonly env: Readonly<Record<string, string>>;
  readonly body: string;
}

export const sourceFile = (kind: Kind): string => join(BENCH, 'density/functions', `${kind.name}.ts`);

export const sourceOf = (kind: Kind): string => readFileSync(sourceFile(kind), 'utf8');

interface FetchModule {
  readonly default: { fetch(request: Request, env: Readonly<Record<string, string>>): Response | Promise<Response> };
}

/** What the function's own source answers in this process: every server must answer the same bytes. */
async function bodyOf(kind: Kind, env: Readonly<Record<string, string>>): Promise<string> {
  const module = (await import(pathToFileURL(sourceFile(kind)).href)) as FetchModule;
  const response = await module.default.fetch(new Request(`http://127.0.0.1${kind.path}`, { headers: kind.headers }), env);
  if (response.status !== 200) throw new Error(`${kind.name} answered ${response.status} in plain Node`);
  return await response.text();
}

/**
 * `count` functions, the kinds in turn.
 *
 * @param teams  how many different environments there are: functions of one team and kind are the same code with the same environment,
 *               so they share a version folder on disk; every function has an isolate of its own whatever they share
 */
export async function densityCases(count: number, teams: number): Promise<readonly DensityCase[]> {
  const bodies = new Map<string, string>();
  const cases: DensityCase[] = [];
  for (let i = 0; i < count; i++) {
    const kind: Kind = KINDS[i % KINDS.length] ?? KINDS[0];
    const env = { TEAM: `team-${Math.floor(i / KINDS.length) % teams}` };
    const key = `${kind.name} ${env.TEAM}`;
    let body = bodies.get(key);
    if (body === undefined) bodies.set(key, (body = await bodyOf(kind, env)));
    cases.push({ name: `fn-${i}`, kind, env, body });
  }
  return cases;
}
