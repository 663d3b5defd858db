// What the peers answered, as files: one for each function, a fact once where all agree and by peer where they don't.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Observation } from './exchange.ts';

export const PEERS = ['deno', 'bun', 'workerd'] as const;
export type Peer = (typeof PEERS)[number];

/** One answer, or one for each peer: `(no such fact)` where a peer's answer broke off, say. */
export type Recorded = string | Readonly<Partial<Record<Peer, string>>>;
export type Answers = Readonly<Record<string, Readonly<Record<string, Recorded>>>>;

export const NO_FACT = '(no such fact)';
const FOLDER = join(import.meta.dirname, 'record');
const VERSIONS = 'peers.json';

export function merge(observations: ReadonlyMap<Peer, Observation>): Answers {
  const titles = Object.keys([...observations.values()][0] ?? {});
  return Object.fromEntries(titles.map((title) => {
    const names = new Set([...observations.values()].flatMap((observation) => Object.keys(observation[title] ?? {})));
    return [title, Object.fromEntries([...names].map((name) => {
      const by = [...observations].map(([peer, observation]) => [peer, observation[title]?.[name] ?? NO_FACT] as const);
      const [first] = by;
      return [name, first !== undefined && by.every(([, value]) => value === first[1]) ? first[1] : Object.fromEntries(by)];
    }))];
  }));
}

export function writeRecord(versions: Readonly<Record<Peer, string>>, answers: ReadonlyMap<string, Answers>): void {
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  const put = (file: string, value: unknown): void => writeFileSync(join(FOLDER, file), `${JSON.stringify(value, null, 2)}\n`);
  put(VERSIONS, versions);
  for (const [name, recorded] of answers) put(`${name}.json`, recorded);
}

/** Names of the functions that have a record. */
export function recordedNames(): readonly string[] {
  return readdirSync(FOLDER).filter((file) => file !== VERSIONS).map((file) => file.replace(/\.json$/, '')).toSorted();
}

export function readVersions(): Readonly<Record<Peer, string>> {
  return JSON.parse(readFileSync(join(FOLDER, VERSIONS), 'utf8')) as Readonly<Record<Peer, string>>;
}

export function readAnswers(name: string): Answers {
  return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8')) as Answers;
}
