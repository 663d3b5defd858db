// Judges Thimble's answers by the record: where the peers agree, where they don't, and what is accepted.
import { PEERS_DIFFER, THIMBLE_DIFFERS } from './accepted.ts';
import type { PeersDiffer, ThimbleDiffers } from './accepted.ts';
import type { Observation } from './exchange.ts';
import { NO_FACT } from './record.ts';
import type { Answers } from './record.ts';

/** One line each, for people to read. Empty: all is as the record and the accepted differences say. */
export interface Verdict {
  readonly wrong: readonly string[];
}

/** What is accepted; tests of this file bring their own. */
export interface Accepted {
  readonly peers: readonly PeersDiffer[];
  readonly thimble: readonly ThimbleDiffers[];
}

const ACCEPTED: Accepted = { peers: PEERS_DIFFER, thimble: THIMBLE_DIFFERS };

/** `REQUEST > FACT`; lists of accepted differences may leave the request out where every request is meant. */
function names(listed: readonly string[], title: string, fact: string): boolean {
  return listed.includes(fact) || listed.includes(`${title} > ${fact}`);
}

function peersDiffer({ peers }: Accepted, name: string, title: string, fact: string): PeersDiffer | undefined {
  return peers.find((one) => one.function === name && names(one.facts, title, fact)) ?? peers.find((one) => one.function === '*' && names(one.facts, title, fact));
}

/** The peers' part alone: what the record holds and the accepted differences must be about the same facts. */
export function unexplained(records: ReadonlyMap<string, Answers>, accepted = ACCEPTED): Verdict {
  const wrong: string[] = [];
  const used = new Set<object>();
  const usedFacts = new Set<string>();
  for (const [name, answers] of records) {
    for (const [title, facts] of Object.entries(answers)) {
      for (const [fact, recorded] of Object.entries(facts)) {
        if (typeof recorded === 'string') continue;
        const entry = peersDiffer(accepted, name, title, fact);
        if (entry === undefined) wrong.push(`${name}: the peers differ in ${title} > ${fact}, and nobody says whom to follow: ${JSON.stringify(recorded)}`);
        else {
          used.add(entry);
          for (const one of entry.facts) if (names([one], title, fact)) usedFacts.add(`${accepted.peers.indexOf(entry)} ${one}`);
          if (entry.follow !== 'standard' && recorded[entry.follow] === undefined) wrong.push(`${name}: ${title} > ${fact} follows ${entry.follow}, which did not answer`);
        }
      }
    }
  }
  for (const [index, entry] of accepted.peers.entries()) {
    if (!used.has(entry)) wrong.push(`${entry.function}: the peers no longer differ in ${entry.facts.join(', ')}`);
    else for (const fact of entry.facts) if (!usedFacts.has(`${index} ${fact}`)) wrong.push(`${entry.function}: the peers no longer differ in ${fact}`);
  }
  for (const entry of accepted.thimble) if (!records.has(entry.function)) wrong.push(`${entry.function}: there is no such function`);
  return { wrong };
}

/** Thimble's answers to one function, against the record. */
export function judge(name: string, answers: Answers, got: Observation, accepted = ACCEPTED): Verdict {
  const wrong: string[] = [];
  const expected: Record<string, string> = {};
  for (const [title, facts] of Object.entries(answers)) {
    for (const fact of new Set([...Object.keys(facts), ...Object.keys(got[title] ?? {})])) {
      const answer = got[title]?.[fact] ?? NO_FACT;
      const recorded = facts[fact] ?? NO_FACT;
      const entry = typeof recorded === 'string' ? undefined : peersDiffer(accepted, name, title, fact);
      const right = typeof recorded === 'string' ? recorded : entry === undefined ? undefined : entry.follow === 'standard' ? entry.answer : recorded[entry.follow];
      if (right === undefined) continue;
      expected[`${title} > ${fact}`] = right;
      const own = accepted.thimble.find((one) => one.function === name && names([one.fact], title, fact));
      if (own === undefined) {
        if (answer !== right) wrong.push(`${title} > ${fact}\n  expected ${right}\n  got      ${answer}`);
      } else if (answer === right) wrong.push(`${title} > ${fact}: Thimble no longer differs; take it off accepted.ts`);
      else if (answer !== own.answer) wrong.push(`${title} > ${fact}\n  accepted ${own.answer}\n  got      ${answer}`);
    }
  }
  for (const one of accepted.thimble) {
    if (one.function === name && !Object.keys(expected).some((place) => place === one.fact || place.endsWith(` > ${one.fact}`))) wrong.push(`accepted.ts names ${one.fact}, which is not there`);
  }
  return { wrong };
}
