// What a Host field says: the name for triggers, and the function and version that its first label may name.
import { isIP } from 'node:net';
import { isFunctionName } from '../core/ids/index.ts';

export interface Authority {
  /** As it was sent, lower case, with the port: what stands in the URL. */
  readonly text: string;
  /** Lower case, without port and final dot. */
  readonly hostname: string;
  /** The function that the first of at least two labels names, or ''. */
  readonly functionName: string;
  /** The version of a `v7--card` label; 0: none asked for. */
  readonly version: number;
  /** The alias of a `next--card` label, or ''. */
  readonly alias: string;
}

const FORM = /^([a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::[0-9]{0,5})?$/;
/** A version's number, or an alias (which is never `v` and digits), before the function. */
const PREVIEW = /^(?:v([1-9][0-9]{0,14})|(?!v[0-9]+--)([a-z](?:[a-z0-9]|-(?!-)){0,30}))--(.+)$/;

/** @returns undefined when it is no host of a URL (RFC 9112 section 3.2: answer 400) */
export function parseAuthority(field: string): Authority | undefined {
  const text = field.toLowerCase();
  const bare = FORM.exec(text)?.[1];
  if (bare === undefined || !URL.canParse(`http://${text}/`)) return undefined;
  const hostname = bare.endsWith('.') ? bare.slice(0, -1) : bare;
  const dot = hostname.indexOf('.');
  // Numbers such as 127.1 are IP addresses to URL parsers too: their last label is numeric.
  if (dot <= 0 || isIP(hostname) !== 0 || bare.startsWith('[') || /(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)$/.test(hostname)) {
    return { text, hostname, functionName: '', version: 0, alias: '' };
  }
  const label = hostname.slice(0, dot);
  const [, version = 0, alias = '', name = label] = PREVIEW.exec(label) ?? [];
  return isFunctionName(name) ? { text, hostname, functionName: name, version: Number(version), alias } : { text, hostname, functionName: '', version: 0, alias: '' };
}

const MAX_CACHED = 4_096;

/** Parses each distinct Host once. */
export class AuthorityCache {
  readonly #known = new Map<string, Authority | undefined>();
  #lastField = '';
  #last: Authority | undefined;

  get(field: string): Authority | undefined {
    if (field === this.#lastField && this.#last !== undefined) return this.#last;
    let authority = this.#known.get(field);
    if (authority === undefined && !this.#known.has(field)) {
      authority = parseAuthority(field);
      // Hostile clients make up names: the whole cache goes rather than grows.
      if (this.#known.size >= MAX_CACHED) this.#known.clear();
      this.#known.set(field, authority);
    }
    this.#lastField = field;
    this.#last = authority;
    return authority;
  }
}
