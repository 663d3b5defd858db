// Whether two answers to the same request are alike: status, chosen headers, body.
import type { ShadowDifference } from '../../core/protocol/index.ts';
import type { AnswerRecord } from './answer-record.ts';
import { compareJson } from './compare-json.ts';
import type { IgnoreNode } from './ignore-tree.ts';
import { HIDDEN, isSecretName, shownHeader, shownJson, shownPointer } from './shown.ts';

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

/** @param code  error code that the platform answered with in the shadow's place, or '' */
export function compareAnswers(live: AnswerRecord, shadow: AnswerRecord, code: string, rules: ComparisonRules): Verdict {
  const differences: Difference[] = [];
  const { values } = rules;
  // A failure that the platform answered is one even where the function answers its callers with the same status.
  if (live.status !== shadow.status || (code !== '' && !live.isProblem)) {
    differences.push({ kind: 'status', at: '', live: String(live.status), shadow: code === '' ? String(shadow.status) : `${shadow.status} ${code}` });
    // Another status has another body, which says nothing more.
    return { outcome: 'different', differences };
  }
  for (const name of rules.headers) {
    const [a, b] = [live.headers.get(name), shadow.headers.get(name)];
    if (a === b) continue;
    const shown = (value: string | undefined): string | null => (values || value === undefined ? shownHeader(name, value) : HIDDEN);
    differences.push({ kind: 'header', at: name, live: shown(a), shadow: shown(b) });
  }
  const body = compareBodies(live, shadow, rules, differences);
  if (differences.length > 0) return { outcome: 'different', differences };
  return { outcome: body, differences };
}

function compareBodies(live: AnswerRecord, shadow: AnswerRecord, { ignore, values }: ComparisonRules, differences: Difference[]): 'equal' | 'incomparable' {
  if (ignore.ends) return 'equal';
  const [a, b] = [live.body, shadow.body];
  const bothJson = live.isJson && shadow.isJson;
  if (a === null || b === null) {
    if (live.bytes === shadow.bytes && a === null && b === null && live.digest() === shadow.digest()) return 'equal';
    // Their members may be in another order, or differ only where they may: nobody knows.
    if (bothJson) return 'incomparable';
    differences.push({ kind: 'body', at: '', live: `${live.bytes} bytes`, shadow: `${shadow.bytes} bytes` });
    return 'equal';
  }
  if (a.equals(b)) return 'equal';
  const parsed = bothJson ? parseBoth(a, b) : undefined;
  if (parsed === undefined) {
    let at = 0;
    while (at < a.length && a[at] === b[at]) at += 1;
    differences.push({ kind: 'body', at: '', live: `${live.bytes} bytes`, shadow: `${shadow.bytes} bytes, another from byte ${at} on` });
    return 'equal';
  }
  const outcome = compareJson(parsed[0], parsed[1], ignore, (pointer, one, other, name) => {
    const shown = (value: unknown): string | null => (value === undefined ? null : !values || isSecretName(name) || hasSecretSegment(pointer) ? HIDDEN : shownJson(value));
    differences.push({ kind: 'body', at: shownPointer(pointer), live: shown(one), shadow: shown(other) });
  });
  return outcome === 'too deep' || outcome === 'too many' ? 'incomparable' : 'equal';
}

/** What is below a member that holds secrets is secret too. */
function hasSecretSegment(pointer: string): boolean {
  return pointer.split('/').some(isSecretName);
}

function parseBoth(a: Buffer, b: Buffer): readonly [unknown, unknown] | undefined {
  try {
    return [JSON.parse(a.toString('utf8')) as unknown, JSON.parse(b.toString('utf8')) as unknown];
  } catch {
    return undefined;
  }
}
