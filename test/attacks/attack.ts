// What an attack is: a function that breaks its bounds, how it is called, and everything that may come of it.
import type { Stand } from './stand.ts';

/** What one call came to: `ok` (2xx), a code of the error table, `broken` (the answer broke off after its head), or a transport error, which no attack may cause. */
export type Outcome = string;

export interface AttackCall {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** So many of this call, all at once. Default 1. */
  readonly atOnce?: number;
}

export interface Attack {
  /** Unique, and good as part of a function's name. */
  readonly name: string;
  /** Where it comes from: `2` and `3` are sections of ISOLATION.md, `R1` to `R28` rows of its reliability table, `own` is ours. */
  readonly row: string;
  /** Text of index.js, or files by path with the main one first. */
  readonly source: string | Readonly<Record<string, string>>;
  /** Of the function, beside `env.UPSTREAM`. Limits not given are those of `LIMITS`. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** In order, each when the one before is answered. Default: one GET of /. */
  readonly calls?: readonly AttackCall[];
  /** In place of `calls`: what a plain request cannot do. */
  readonly act?: (stand: Stand, fn: string) => Promise<readonly Outcome[]>;
  /** Every outcome must be one of these. */
  readonly may: readonly Outcome[];
  /** More that must hold of what was answered, in the order of the calls; throws. */
  readonly check?: (answers: readonly string[]) => void;
  /** It may cost the host it runs on: no other process, and not one more host for the same call. */
  readonly kills?: true;
  /** Takes long (a host's death, a memory limit): the short form runs a sample of these. */
  readonly costly?: true;
}

/** Small, so that an attack is over soon. */
export const LIMITS = { cpuMs: 20, wallMs: 2_000, idleMs: 1_000, streamMs: 2_000, memoryMb: 32 } as const;
/** For attacks on memory: processor time enough to reach the limit. Not more, since neighbours may have to wait behind one such entry. */
export const ROOMY = { limits: { ...LIMITS, cpuMs: 800, wallMs: 25_000 } } as const;

/** A module whose fetch handler has this body. */
export function handler(body: string, before = ''): string {
  return `${before}\nexport default { async fetch(request, env, ctx) { ${body} } };`;
}

/** One attack for each row of a table: name and the handler's body. */
export function each(rows: readonly (readonly [name: string, body: string])[], rest: Omit<Attack, 'name' | 'source'>): Attack[] {
  return rows.map(([name, body]) => ({ name, source: handler(body), ...rest }));
}

/** Answers with which a function that overran its time may end. */
export const CPU = ['cpu_limit_exceeded'] as const;
/** The heap's limit, or a RangeError of the allocation inside. */
export const MEMORY = ['memory_limit_exceeded', 'function_threw', 'cpu_limit_exceeded'] as const;
