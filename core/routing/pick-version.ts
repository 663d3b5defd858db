// Which version a request gets: rules first, then the weighted split. Pure: the same input gives the same version on every gateway.
import type { Condition, Traffic } from '../schemas/index.ts';

/** What rules and stickiness may look at; read on demand, since most functions have no rule. */
export interface RequestFacts {
  header(name: string): string | undefined;
  cookie(name: string): string | undefined;
  query(name: string): string | undefined;
  user(): string | undefined;
  /** A number in [0, 1): where an unsticky request falls in the split. */
  random(): number;
}

/** FNV-1a, 32 bits (http://www.isthe.com/chongo/tech/comp/fnv/), over UTF-16 units: a place in [0, 1) that stays the same for the same key. */
export function hashToUnit(key: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) {
    h = Math.imul(h ^ key.charCodeAt(i), 0x01000193);
  }
  // FNV's high bits are weak for short keys: murmur3's finaliser spreads them.
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 0x1_0000_0000;
}

const every = (wanted: Readonly<Record<string, string>> | undefined, read: (name: string) => string | undefined): boolean =>
  wanted === undefined || Object.entries(wanted).every(([name, value]) => read(name) === value);

/** @param salt  the function's name, so that the same users are not always the first ones everywhere */
export function matches(condition: Condition, facts: RequestFacts, salt: string): boolean {
  if (!every(condition.header, (name) => facts.header(name.toLowerCase()))) return false;
  if (!every(condition.cookie, (name) => facts.cookie(name))) return false;
  if (!every(condition.query, (name) => facts.query(name))) return false;
  if (condition.user !== undefined) {
    const user = facts.user();
    if (user === undefined) return false;
    if (condition.user.in !== undefined && !condition.user.in.includes(user)) return false;
    if (condition.user.percent !== undefined && hashToUnit(`${salt}/rule/${user}`) * 100 >= condition.user.percent) return false;
  }
  if (condition.all !== undefined && !condition.all.every((c) => matches(c, facts, salt))) return false;
  if (condition.any !== undefined && !condition.any.some((c) => matches(c, facts, salt))) return false;
  return true;
}

function stickyKey(sticky: string | undefined, facts: RequestFacts): string | undefined {
  if (sticky === undefined) return undefined;
  if (sticky === 'user') return facts.user();
  const name = sticky.slice(sticky.indexOf(':') + 1);
  return sticky.startsWith('header:') ? facts.header(name.toLowerCase()) : facts.cookie(name);
}

/** The version for this request. `traffic.split` sums to 100 (the schema holds that). */
export function pickVersion(traffic: Traffic, facts: RequestFacts, salt: string): number {
  for (const rule of traffic.rules) {
    if (matches(rule.when, facts, salt)) return rule.version;
  }
  const { split } = traffic;
  const only = split[0];
  if (only !== undefined && only.weight === 100) return only.version;
  const key = stickyKey(traffic.sticky, facts);
  const place = (key === undefined ? facts.random() : hashToUnit(`${salt}/split/${key}`)) * 100;
  let upTo = 0;
  let last = 0;
  for (const part of split) {
    upTo += part.weight;
    if (part.weight > 0) {
      if (place < upTo) return part.version;
      last = part.version;
    }
  }
  // Sums of weights in binary fractions may end a hair below 100.
  return last;
}
