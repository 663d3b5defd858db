// Whether two answers to the same request are alike: status, chosen headers, body. What costs more than a look at bytes is left to compare-bodies.ts.
import type { ShadowDifference } from '../../core/protocol/index.ts';
import type { AnswerRecord } from './answer-record.ts';
import { differentBytes } from './compare-bodies.ts';
import type { BodyVerdict } from './compare-bodies.ts';
import type { IgnoreNode } from './ignore-tree.ts';
import { HIDDEN, shownHeader } from './shown.ts';

export type Difference = Pick<ShadowDifference, 'kind' | 'at' | 'live' | 'shadow'>;

export interface Verdict {
  readonly outcome: 'equal' | 'different' | 'incomparable';
  readonly differences: readonly Difference[];
}

export interface ComparisonRules {
  /** In lower case. */
  readonly headers: Iterable<string>;
  readonly ignore: IgnoreNode;
  /** Whether values are shown. */
  readonly values: boolean;
}

/** What could be seen at once. */
export interface FirstLook {
  readonly differences: readonly Difference[];
  /** The bodies; or both of them, when they are to be parsed. */
  readonly body: Verdict['outcome'] | readonly [live: Buffer, shadow: Buffer];
}

/** @param code  error code that the platform answered with in the shadow's place, or '' */
export function firstLook(live: AnswerRecord, shadow: AnswerRecord, code: string, rules: ComparisonRules): FirstLook {
  // A failure that the platform answered is one even where the function answers its callers with the same status.
  if (live.status !== shadow.status || (code !== '' && !live.isProblem)) {
    // Another status has another body, which says nothing more.
    return { differences: [{ kind: 'status', at: '', live: String(live.status), shadow: code === '' ? String(shadow.status) : `${shadow.status} ${code}` }], body: 'different' };
  }
  const differences: Difference[] = [];
  for (const name of rules.headers) {
    const [a, b] = [live.headers.get(name), shadow.headers.get(name)];
    if (a === b) continue;
    const shown = (value: string | undefined): string | null => (rules.values || value === undefined ? shownHeader(name, value) : HIDDEN);
    differences.push({ kind: 'header', at: name, live: shown(a), shadow: shown(b) });
  }
  return { differences, body: bodies(live, shadow, rules.ignore, differences) };
}

/** @param body  what became of a pair */
export function verdictOf({ differences }: FirstLook, body: BodyVerdict): Verdict {
  const all = [...differences, ...body.differences];
  return { outcome: all.length > 0 ? 'different' : body.outcome, differences: all };
}

function bodies(live: AnswerRecord, shadow: AnswerRecord, ignore: IgnoreNode, differences: Difference[]): FirstLook['body'] {
  if (ignore.ends) return 'equal';
  const [a, b] = [live.body, shadow.body];
  const bothJson = live.isJson && shadow.isJson;
  if (a === null || b === null) {
    if (a === null && b === null && live.bytes === shadow.bytes && live.digest() === shadow.digest()) return 'equal';
    // Their members may be in another order, or differ only where they may: nobody knows.
    if (bothJson) return 'incomparable';
    differences.push({ kind: 'body', at: '', live: `${live.bytes} bytes`, shadow: `${shadow.bytes} bytes` });
    return 'different';
  }
  if (a.equals(b)) return 'equal';
  if (bothJson) return [a, b];
  differences.push(differentBytes(a, b));
  return 'different';
}
