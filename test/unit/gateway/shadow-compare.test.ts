// Comparing two answers: what counts as alike, what is exempt, what is shown, and what hostile bodies may cost.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerRecord, KEPT_BYTES, MAX_HASHED_BYTES } from '../../../gateway/shadow/answer-record.ts';
import { firstLook, verdictOf } from '../../../gateway/shadow/compare-answers.ts';
import { compareBodies } from '../../../gateway/shadow/compare-bodies.ts';
import type { Verdict } from '../../../gateway/shadow/compare-answers.ts';
import { MAX_DEPTH, MAX_REPORTED, MAX_VALUES, compareJson } from '../../../gateway/shadow/compare-json.ts';
import { ComparisonLine } from '../../../gateway/shadow/comparison-line.ts';
import { ComparisonThread } from '../../../gateway/shadow/comparison-thread.ts';
import { ignoreTree } from '../../../gateway/shadow/ignore-tree.ts';
import { HIDDEN, shownHeader, shownJson, shownPath } from '../../../gateway/shadow/shown.ts';

interface Side {
  readonly status?: number;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | readonly Uint8Array[];
}

const held = { bytes: 0 };

function record({ status = 200, type = 'application/json', headers = {}, body = '' }: Side, wanted: readonly string[] = ['content-type']): AnswerRecord {
  const made = new AnswerRecord(new Set(wanted), held);
  made.takeStatus(`${status} OK`);
  made.takeField('content-type', type);
  for (const [name, value] of Object.entries(headers)) made.takeField(name, value);
  for (const chunk of Array.isArray(body) ? (body as readonly Uint8Array[]) : [body as string]) made.takeBody(chunk);
  return made;
}

function compare(live: Side, shadow: Side, rules: { headers?: readonly string[]; ignore?: readonly string[]; values?: boolean; code?: string } = {}): Verdict {
  const { headers = ['content-type'], ignore = [], values = true, code = '' } = rules;
  const sides = [record(live, headers), record(shadow, headers)] as const;
  const look = firstLook(...sides, code, { headers, ignore: ignoreTree(ignore), values });
  const verdict = verdictOf(look, typeof look.body === 'string' ? { outcome: look.body, differences: [] } : compareBodies(...look.body, ignoreTree(ignore), values));
  for (const side of sides) side.release();
  return verdict;
}

const json = (live: unknown, shadow: unknown, ignore: readonly string[] = []): Verdict => compare({ body: JSON.stringify(live) }, { body: JSON.stringify(shadow) }, { ignore });
const places = ({ differences }: Verdict): string[] => differences.map(({ at }) => at);

/** The same value with the members of every object in reverse. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).toReversed().map(([key, one]) => [key, reversed(one)]));
}

describe('JSON bodies', () => {
  it('the order of members and white space do not count', () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      expect(compare({ body: JSON.stringify(value) }, { body: JSON.stringify(reversed(value), null, 2) })).toEqual({ outcome: 'equal', differences: [] });
    }), { numRuns: 300 });
  });

  it('is equal exactly when the texts mean the same, whichever side is live', () => {
    fc.assert(fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 4 }), (a, b) => {
      // JSON has one zero less than JavaScript.
      const same = canonical(a) === canonical(b);
      expect([json(a, b).outcome, json(b, a).outcome]).toEqual(same ? ['equal', 'equal'] : ['different', 'different']);
    }), { numRuns: 300 });
  });

  it('names the member that was changed, and only that', () => {
    const key = fc.stringMatching(/^[a-z~/]{1,4}$/);
    fc.assert(fc.property(fc.dictionary(key, fc.oneof(fc.integer(), fc.string()), { minKeys: 1 }), fc.nat(), (value, n) => {
      const names = Object.keys(value);
      const name = names[n % names.length] as string;
      const verdict = json({ in: [value] }, { in: [{ ...value, [name]: ['other'] }] });
      expect(places(verdict)).toEqual([`/in/0/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`]);
      // And with that pointer exempt, nothing is left.
      expect(json({ in: [value] }, { in: [{ ...value, [name]: ['other'] }] }, places(verdict)).outcome).toBe('equal');
      expect(json({ in: [value] }, { in: [{ ...value, [name]: ['other'] }] }, [`/*/*/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`]).outcome).toBe('equal');
    }), { numRuns: 200 });
  });

  it('says what is missing on which side', () => {
    expect(json({ a: 1, list: [1, 2] }, { b: 'x', list: [1] }).differences).toEqual([
      { kind: 'body', at: '/a', live: '1', shadow: null }, { kind: 'body', at: '/list/1', live: '2', shadow: null }, { kind: 'body', at: '/b', live: null, shadow: '"x"' },
    ]);
    expect(json({ a: { b: 1 } }, { a: [1, 2] }).differences).toEqual([{ kind: 'body', at: '/a', live: '{…} 1 members', shadow: '[…] 2 elements' }]);
  });

  it.each([
    [['/time'], 'equal'], [['/*'], 'equal'], [[''], 'equal'], [['/time/x'], 'different'], [['/tim'], 'different'], [['/time~0'], 'different'], [['/a', '/time'], 'equal'],
  ] as const)('ignore %j', (ignore, outcome) => {
    expect(json({ time: 1, a: 2 }, { time: 2, a: 2 }, ignore).outcome).toBe(outcome);
  });

  it('exempts members that only one side has, and elements by number or by *', () => {
    expect(json({ a: 1, trace: 'x' }, { a: 1 }, ['/trace']).outcome).toBe('equal');
    expect(json({ l: [{ id: 1, at: 1 }, { id: 2, at: 2 }] }, { l: [{ id: 1, at: 3 }, { id: 2, at: 4 }] }, ['/l/*/at']).outcome).toBe('equal');
    expect(places(json({ l: [1, 2] }, { l: [3, 4] }, ['/l/0']))).toEqual(['/l/1']);
  });

  it('takes __proto__, constructor and other names of objects for what they are: names', () => {
    const [a, b] = ['{"__proto__":{"x":1},"constructor":1}', '{"constructor":1,"__proto__":{"x":2}}'];
    expect(compare({ body: a }, { body: b }).differences).toEqual([{ kind: 'body', at: '/__proto__/x', live: '1', shadow: '2' }]);
    expect(compare({ body: '{}' }, { body: '{"__proto__":1}' }).outcome).toBe('different');
    expect(compare({ body: '{"hasOwnProperty":1}' }, { body: '{"toString":1}' }).differences).toHaveLength(2);
    expect(({} as Record<string, unknown>)['x']).toBeUndefined();
  });

  it('is compared byte by byte when one of them is no JSON, or is coded', () => {
    expect(compare({ body: '{"a":1}' }, { body: '{"a":1' }).differences).toEqual([{ kind: 'body', at: '', live: '7 bytes', shadow: '6 bytes, another from byte 6 on' }]);
    const coded = { headers: { 'content-encoding': 'br' } };
    expect(compare({ body: '{"a":1}', ...coded }, { body: '{ "a":1}', ...coded }).outcome).toBe('different');
    expect(compare({ type: 'text/plain', body: 'x' }, { type: 'text/plain', body: 'x' }).outcome).toBe('equal');
    expect(compare({ type: 'application/vnd.api+json; charset=utf-8', body: '{"a":1,"b":2}' }, { type: 'application/vnd.api+json; charset=utf-8', body: '{"b":2,"a":1}' }).outcome).toBe('equal');
  });
});

describe('what hostile bodies cost', () => {
  /** CPU time, microseconds. */
  function cost(run: () => void): number {
    const before = process.cpuUsage();
    run();
    const { user, system } = process.cpuUsage(before);
    return user + system;
  }

  const deep = (n: number, leaf: number): string => '['.repeat(n) + leaf + ']'.repeat(n);
  const wide = (value: number): string => `{${Array.from({ length: 12_000 }, (_, i) => `"${(i * 7919).toString(36)}":${value}`).join(',')}}`;
  const shapes = (value: number): string => `[${Array.from({ length: 9_500 }, (_, i) => `{"k${i}":${value}}`).join(',')}]`;

  it('depth: incomparable beyond the bound, compared up to it', () => {
    expect(compare({ body: deep(MAX_DEPTH, 1) }, { body: deep(MAX_DEPTH, 2) }).outcome).toBe('different');
    expect(compare({ body: deep(MAX_DEPTH + 2, 1) }, { body: deep(MAX_DEPTH + 2, 2) }).outcome).toBe('incomparable');
    const hostile = deep(60_000, 1);
    expect(hostile.length).toBeLessThan(KEPT_BYTES);
    expect(compare({ body: hostile }, { body: deep(60_000, 2) }).outcome).toBe('incomparable');
  });

  it('numbers of values: the walk stops', () => {
    const many = (last: number): number[] => [...Array<number>(MAX_VALUES).fill(0), last];
    expect(compareJson(many(1), many(2), ignoreTree([]), () => {})).toBe('too many');
    const object = (n: number): object => Object.fromEntries(Array.from({ length: MAX_VALUES + 10 }, (_, i) => [`k${i}`, i === MAX_VALUES + 9 ? n : 0]));
    const [a, b] = [object(1), object(2)];
    expect(compareJson(a, b, ignoreTree([]), () => {})).toBe('too many');
    // Exempt ones count too.
    expect(compareJson(a, b, ignoreTree(['/*']), () => {})).toBe('too many');
  });

  it('differences: the first are listed', () => {
    const verdict = json(Array(500).fill(1), Array(500).fill(2));
    expect(verdict.outcome).toBe('different');
    expect(verdict.differences).toHaveLength(MAX_REPORTED);
  });

  it('pointers: a hundred with * at every level stay cheap', () => {
    const ignore = Array.from({ length: 100 }, (_, i) => `${'/*'.repeat(i % 60)}/x${i}`);
    const value = (n: number): unknown => Array.from({ length: 60 }).reduce<unknown>((inner) => ({ a: inner, b: n }), 1);
    expect(cost(() => expect(json(value(1), value(2), ignore).outcome).toBe('different'))).toBeLessThan(50_000);
  });

  it('no pair of bodies of the largest size takes long', () => {
    const cases = [
      [wide(1), wide(2)], [shapes(1), shapes(2)], [deep(65_000, 1), deep(65_000, 2)], [`"${'\\u0041'.repeat(21_000)}"`, `"${'\\u0042'.repeat(21_000)}"`],
      [`[${'0,'.repeat(65_000)}0]`, `[${'0,'.repeat(65_000)}1]`], [`[${'{},'.repeat(43_000)}0]`, `[${'{},'.repeat(43_000)}1]`],
    ] as const;
    for (const [a, b] of cases) {
      expect(Math.max(a.length, b.length)).toBeLessThanOrEqual(KEPT_BYTES);
      // The least of three: others load the machine.
      expect(Math.min(...[1, 2, 3].map(() => cost(() => expect(compare({ body: a }, { body: b }).outcome).not.toBe('equal'))))).toBeLessThan(200_000);
    }
  });

  it('comparisons run one after another, none in the turn in which it is asked for', async () => {
    const done: number[] = [];
    let finish = (): void => {};
    const line = new ComparisonLine<number>(async (n) => {
      done.push(n);
      if (n === 1) await new Promise<void>((resolve) => { finish = resolve; });
    });
    for (const n of [1, 2, 3]) line.add(n);
    expect(done).toEqual([]);
    await expect.poll(() => done).toEqual([1]);
    finish();
    await expect.poll(() => done).toEqual([1, 2, 3]);
    line.close();
    line.add(4);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(done).toEqual([1, 2, 3]);
  });

  describe('the thread', () => {
    const bytes = (text: string): Uint8Array => Buffer.from(text);
    const job = { live: bytes('{"a":1,"at":1}'), shadow: bytes('{"at":2,"a":2}'), ignore: ['/at'], values: true };

    it('compares, and leaves when it rests', async () => {
      const thread = new ComparisonThread({ idleMs: 20 });
      expect(thread.running).toBe(false);
      expect(await thread.compare(job)).toEqual({ outcome: 'different', differences: [{ kind: 'body', at: '/a', live: '1', shadow: '2' }] });
      await expect.poll(() => thread.running).toBe(false);
      expect((await thread.compare({ ...job, ignore: ['/*'] })).outcome).toBe('equal');
      expect(thread.starts).toBe(2);
      thread.close();
      expect((await thread.compare(job)).outcome).toBe('incomparable');
    });

    it('is ended when a comparison takes too long, and the next one has another', async () => {
      const thread = new ComparisonThread({ limitMs: 1_000 });
      // No body is as large: this takes it some ten seconds, and its memory.
      const huge = bytes(`[${'{"a":[]},'.repeat(3_000_000)}0]`);
      expect(await thread.compare({ ...job, live: huge })).toEqual({ outcome: 'incomparable', differences: [] });
      expect(thread.running).toBe(false);
      await expect.poll(async () => (await thread.compare(job)).outcome, { timeout: 10_000 }).toBe('different');
      expect(thread.starts).toBeGreaterThan(1);
      thread.close();
    });
  });
});

describe('large and binary bodies', () => {
  const bytes = (n: number, last: number): Uint8Array[] => [...Array<Uint8Array>(Math.floor(n / 4_096)).fill(new Uint8Array(4_096).fill(7)), new Uint8Array([last])];

  it('are compared by their digest', () => {
    const type = 'image/png';
    expect(compare({ type, body: bytes(2 * KEPT_BYTES, 1) }, { type, body: bytes(2 * KEPT_BYTES, 1) }).outcome).toBe('equal');
    expect(compare({ type, body: bytes(2 * KEPT_BYTES, 1) }, { type, body: bytes(2 * KEPT_BYTES, 2) }).outcome).toBe('different');
    expect(compare({ type, body: bytes(2 * KEPT_BYTES, 1) }, { type, body: 'short' }).differences).toEqual([{ kind: 'body', at: '', live: `${2 * KEPT_BYTES + 1} bytes`, shadow: '5 bytes' }]);
  });

  it('JSON that is too large to be parsed is incomparable unless it is the same', () => {
    const large = (n: number): Uint8Array[] => [Buffer.from(JSON.stringify({ text: 'x'.repeat(KEPT_BYTES), n }))];
    expect([compare({ body: large(1) }, { body: large(1) }).outcome, compare({ body: large(1) }, { body: large(2) }).outcome]).toEqual(['equal', 'incomparable']);
  });

  it('nothing is held beyond the bound, and nothing at all after the end', () => {
    const one = record({ body: bytes(KEPT_BYTES + 5_000, 1) });
    expect([held.bytes, one.body]).toEqual([0, null]);
    const small = record({ body: bytes(8_192, 1) });
    expect(held.bytes).toBe(8_193);
    small.release();
    expect(held.bytes).toBe(0);
    const endless = record({ body: Array<Uint8Array>(70).fill(new Uint8Array(65_536)) });
    expect([endless.tooLarge, endless.bytes > MAX_HASHED_BYTES, held.bytes]).toEqual([true, true, 0]);
  });
});

describe('status and headers', () => {
  it('another status is the whole difference', () => {
    expect(compare({ status: 200, body: '1' }, { status: 404, body: '2' }).differences).toEqual([{ kind: 'status', at: '', live: '200', shadow: '404' }]);
    expect(compare({ status: 200 }, { status: 503 }, { code: 'cpu_limit_exceeded' }).differences).toEqual([{ kind: 'status', at: '', live: '200', shadow: '503 cpu_limit_exceeded' }]);
    // The function's own 503 is no failure of the platform.
    expect(compare({ status: 503, body: '{}' }, { status: 503, type: 'application/problem+json' }, { code: 'cpu_limit_exceeded' }).outcome).toBe('different');
    const failed = { status: 503, type: 'application/problem+json', body: '{"code":"cpu_limit_exceeded"}' };
    expect(compare(failed, failed, { code: 'cpu_limit_exceeded' }).outcome).toBe('equal');
  });

  it('only the chosen headers count', () => {
    const sides = [{ headers: { etag: 'a', vary: 'x' } }, { headers: { ETag: 'b', vary: 'y' } }] as const;
    expect(compare(...sides).outcome).toBe('equal');
    expect(compare(...sides, { headers: ['etag'] }).differences).toEqual([{ kind: 'header', at: 'etag', live: 'a', shadow: 'b' }]);
    expect(compare({ headers: { etag: 'a' } }, {}, { headers: ['etag'] }).differences).toEqual([{ kind: 'header', at: 'etag', live: 'a', shadow: null }]);
  });
});

describe('what is shown', () => {
  it.each(['password', 'accessToken', 'api_key', 'Set-Cookie', 'clientSecret', 'sessionId', 'authorization', 'cardNumber', 'iban'])('hides the value of %s, and what is below it', (name) => {
    expect(json({ [name]: 'a' }, { [name]: 'b' }).differences).toEqual([{ kind: 'body', at: `/${name}`, live: HIDDEN, shadow: HIDDEN }]);
    expect(json({ [name]: { x: ['a'] } }, { [name]: { x: ['b'] } }).differences).toEqual([{ kind: 'body', at: `/${name}/x/0`, live: HIDDEN, shadow: HIDDEN }]);
  });

  it('hides credentials by their form, and everything when values are off', () => {
    expect(shownJson('eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc')).toBe(HIDDEN);
    expect(shownJson('Bearer abcdefghijk')).toBe(HIDDEN);
    expect(compare({ body: '{"a":1,"b":1}', headers: { etag: 'x' } }, { body: '{"a":2}', headers: { etag: 'y' } }, { values: false, headers: ['etag'] }).differences).toEqual([
      { kind: 'header', at: 'etag', live: HIDDEN, shadow: HIDDEN }, { kind: 'body', at: '/a', live: HIDDEN, shadow: HIDDEN }, { kind: 'body', at: '/b', live: HIDDEN, shadow: null },
    ]);
  });

  it('cuts what is long, and keeps of queries the names', () => {
    fc.assert(fc.property(fc.string({ maxLength: 2_000 }), fc.string({ maxLength: 2_000 }), (a, b) => {
      expect(shownPath(a, b).length).toBeLessThanOrEqual(600);
      expect(shownJson(a)?.length ?? 0).toBeLessThanOrEqual(300);
      expect(shownHeader('x', a)?.length ?? 0).toBeLessThanOrEqual(300);
    }));
    expect(shownPath('/cards/42', 'user=ann&token=abc&user=bob&flag')).toBe('/cards/42?user=…&token=…&flag=…');
    expect(shownHeader('location', '/next?code=abc#top')).toBe('/next?…#top');
  });
});

function canonical(value: unknown): string {
  const sorted = (one: unknown): unknown => {
    if (Array.isArray(one)) return one.map(sorted);
    if (typeof one !== 'object' || one === null) return one;
    return Object.entries(one).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, sorted(inner), 'member']).concat([['object']]);
  };
  return JSON.stringify(sorted(JSON.parse(JSON.stringify(value))));
}
