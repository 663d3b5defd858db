// Whether two bodies that are not the same bytes say the same: as JSON, else they don't. Runs in a thread of its own (comparison-worker.ts).
import type { Difference } from './compare-answers.ts';
import { compareJson } from './compare-json.ts';
import type { IgnoreNode } from './ignore-tree.ts';
import { HIDDEN, isSecretName, shownJson, shownPointer } from './shown.ts';

export interface BodyVerdict {
  readonly outcome: 'equal' | 'different' | 'incomparable';
  readonly differences: readonly Difference[];
}

/** @param values  whether values are shown */
export function compareBodies(live: Uint8Array, shadow: Uint8Array, ignore: IgnoreNode, values: boolean): BodyVerdict {
  const parsed = parseBoth(live, shadow);
  if (parsed === undefined) return { outcome: 'different', differences: [differentBytes(live, shadow)] };
  const differences: Difference[] = [];
  const outcome = compareJson(parsed[0], parsed[1], ignore, (pointer, one, other, name) => {
    const shown = (value: unknown): string | null => (value === undefined ? null : !values || isSecretName(name) || hasSecretSegment(pointer) ? HIDDEN : shownJson(value));
    differences.push({ kind: 'body', at: shownPointer(pointer), live: shown(one), shadow: shown(other) });
  });
  return { outcome: outcome === 'equal' || outcome === 'different' ? outcome : 'incomparable', differences };
}

/** Of bodies that are no JSON nothing is shown but where they part. */
export function differentBytes(live: Uint8Array, shadow: Uint8Array): Difference {
  let at = 0;
  while (at < live.length && live[at] === shadow[at]) at += 1;
  return { kind: 'body', at: '', live: `${live.length} bytes`, shadow: `${shadow.length} bytes, another from byte ${at} on` };
}

/** What is below a member that holds secrets is secret too. */
function hasSecretSegment(pointer: string): boolean {
  return pointer.split('/').some(isSecretName);
}

const decoder = new TextDecoder();

function parseBoth(a: Uint8Array, b: Uint8Array): readonly [unknown, unknown] | undefined {
  try {
    return [JSON.parse(decoder.decode(a)) as unknown, JSON.parse(decoder.decode(b)) as unknown];
  } catch {
    return undefined;
  }
}
