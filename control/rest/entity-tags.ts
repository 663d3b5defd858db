// Entity tags of what GET shows, and the conditions of requests on them (RFC 9110 sections 8.8.3 and 13).
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { PlatformError } from '../../core/errors/index.ts';
import type { Caller } from '../access/index.ts';
import type { Actor } from '../model/index.ts';
import type { Answer, Endpoint, Input } from './endpoint.ts';
import { parseWith } from './problems.ts';

/** 128 bits of the digest. */
const TAG_CHARACTERS = 22;
/** One entity tag: `etagc` is any visible character but the quote (section 8.8.3). */
const TAG = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/;

type Tags = '*' | readonly string[];

export interface Conditions {
  readonly ifMatch: Tags | undefined;
  readonly ifNoneMatch: Tags | undefined;
}

/** @throws invalid  naming the header that is malformed */
export function conditionsOf(header: (name: string) => string | undefined): Conditions {
  return { ifMatch: tagsIn('if-match', header('if-match')), ifNoneMatch: tagsIn('if-none-match', header('if-none-match')) };
}

function tagsIn(name: string, value: string | undefined): Tags | undefined {
  if (value === undefined) return undefined;
  let rest = value.trim();
  if (rest === '*') return '*';
  const tags: string[] = [];
  for (;;) {
    const tag = TAG.exec(rest)?.[0];
    const after = tag === undefined ? undefined : rest.slice(tag.length).trimStart();
    if (tag === undefined || after === undefined || !(after === '' || after.startsWith(','))) throw new PlatformError('invalid', { errors: [{ path: name, message: 'must be * or entity tags in quotes, with commas between them' }] });
    tags.push(tag);
    if (after === '') return tags;
    rest = after.slice(1).trimStart();
  }
}

/** Strong comparison: a weak tag is never the same (section 8.8.3.2). @param current  undefined: there is nothing */
export function matches(tags: Tags, current: string | undefined): boolean {
  return current !== undefined && (tags === '*' || tags.includes(current));
}

/** Weak comparison, as If-None-Match asks (section 13.1.2). */
export function matchesWeakly(tags: Tags, current: string | undefined): boolean {
  return current !== undefined && (tags === '*' || tags.some((tag) => tag.replace(/^W\//, '') === current));
}

/**
 * The tag of an answer, or undefined when it has none. The same state gives the same tag on every start: it is a digest, no counter.
 *
 * @param text  the body as JSON
 */
export function tagOf({ method, path, volatile }: Endpoint, { status, body }: Answer, text: string): string | undefined {
  if (method !== 'GET' || status !== 200 || volatile === true || !path.startsWith('/v1/')) return undefined;
  const shown = volatile === undefined ? text : JSON.stringify(Object.fromEntries(Object.entries(body ?? {}).filter(([key]) => !volatile.includes(key))));
  return `"${createHash('sha256').update(shown).digest('base64url').slice(0, TAG_CHARACTERS)}"`;
}

/** What each endpoint acts on, as the GET that shows it. */
export class Representations {
  readonly #byPath = new Map<string, Endpoint>();

  constructor(endpoints: readonly Endpoint[]) {
    for (const one of endpoints) if (one.method === 'GET' && one.volatile !== true && !isList(one)) this.#byPath.set(one.path, one);
  }

  /**
   * The GETs that show one thing, of the same address and of those above it, the nearest first: what `…/{name}/rollback` acts on is the
   * function, what `…/{name}/traffic` acts on is the traffic, and as a part of it the function.
   */
  of({ path }: Endpoint): readonly Endpoint[] {
    const found: Endpoint[] = [];
    for (let at = path; at.startsWith('/v1/'); at = at.slice(0, at.lastIndexOf('/'))) {
      const get = this.#byPath.get(at);
      if (get !== undefined) found.push(get);
    }
    return found;
  }

  /** The tag that GET would answer now; undefined: there is nothing. */
  async current(get: Endpoint, params: Readonly<Record<string, string>>, caller: Caller, actor: Actor): Promise<string | undefined> {
    const own = Object.fromEntries(Object.entries(params).filter(([key]) => get.path.includes(`{${key}}`)));
    const input: Input<unknown, unknown, unknown> = { params: parseWith(get.params, own), query: parseWith(get.query, {}), body: undefined, actor, caller };
    try {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parsed with the schemas that gave the handler its types
      const answer = await get.handle(input as Input<never, never, never>);
      return answer instanceof Response ? undefined : tagOf(get, answer, JSON.stringify(answer.body));
    } catch (thrown) {
      if (thrown instanceof PlatformError && thrown.code === 'not_found') return undefined;
      throw thrown;
    }
  }
}

function isList({ answers }: Endpoint): boolean {
  const answer = answers[200];
  return answer instanceof z.ZodObject && 'items' in answer.shape;
}
