// Reads a JSON body: bounded while it comes, strict about its form, and checked for what schemas cannot see.
import type { IncomingMessage } from 'node:http';
import { PlatformError } from '../../core/errors/index.ts';
import { fieldPath } from '../../core/schemas/index.ts';
import { duplicateKey } from './duplicate-keys.ts';

const MAX_DEPTH = 64;
/** With the u flag a pair is one character, so that only lone ones match. */
const LONE_SURROGATE = /\p{Surrogate}/u;

const invalid = (path: string, message: string): PlatformError => new PlatformError('invalid', { errors: [{ path, message }] });

/**
 * The parsed body, or undefined when there is none.
 *
 * @throws body_too_large  it is longer than `limitBytes`; nothing more of it is kept
 * @throws invalid  it is no JSON, or holds what cannot be stored as it is
 */
export async function readJsonBody(incoming: IncomingMessage, limitBytes: number): Promise<unknown> {
  const bytes = await readBytes(incoming, limitBytes);
  if (bytes.length === 0) return undefined;
  const type = incoming.headers['content-type'] ?? '';
  if (!/^application\/json\s*(?:;|$)/i.test(type)) throw invalid('content-type', 'must be application/json');
  const encoding = incoming.headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw invalid('content-encoding', 'is not supported');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw invalid('(body)', 'must be UTF-8');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the body, which may hold secrets.
    throw invalid('(body)', 'must be JSON');
  }
  checkPlain(value);
  const twice = duplicateKey(text);
  if (twice !== undefined) throw invalid(fieldPath(twice), 'is given twice');
  return value;
}

function readBytes(incoming: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const tooLarge = (): PlatformError => new PlatformError('body_too_large', { limitBytes });
  if (Number(incoming.headers['content-length'] ?? 0) > limitBytes) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limitBytes) {
        // The listener of node-server reads a bounded rest away, so that the client gets its answer instead of a reset.
        incoming.off('data', onData);
        reject(tooLarge());
      } else {
        chunks.push(chunk);
      }
    };
    incoming.on('data', onData);
    incoming.once('end', () => resolve(Buffer.concat(chunks, size)));
    // The client went away: nobody reads the answer, but the handler must end.
    incoming.once('error', () => reject(invalid('(body)', 'ended early')));
    incoming.once('close', () => reject(invalid('(body)', 'ended early')));
  });
}

/**
 * Refuses what would not come back as it went in: the key `__proto__` (schemas and codecs skip it), text with lone surrogates (UTF-8
 * has none), and nesting so deep that recursive checks would overflow. Walks without recursion.
 */
function checkPlain(body: unknown): void {
  const open: { readonly value: object; readonly path: readonly PropertyKey[] }[] = [];
  const visit = (value: unknown, path: readonly PropertyKey[], key: PropertyKey | undefined): void => {
    if (typeof value === 'object' && value !== null) open.push({ value, path: key === undefined ? path : [...path, key] });
    else if (typeof value === 'string' && LONE_SURROGATE.test(value)) {
      throw invalid(fieldPath(key === undefined ? path : [...path, key]), 'must be well-formed Unicode, without lone surrogates');
    }
  };
  visit(body, [], undefined);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, path } = next;
    if (path.length >= MAX_DEPTH) throw invalid(fieldPath(path.slice(0, 3)), `must not be nested deeper than ${MAX_DEPTH} levels`);
    for (const [key, member] of Array.isArray(value) ? value.entries() : Object.entries(value)) {
      if (key === '__proto__') throw invalid(fieldPath([...path, key]), 'is not a possible name');
      if (typeof key === 'string' && LONE_SURROGATE.test(key)) throw invalid(fieldPath(path), 'has a name with lone surrogates');
      visit(member, path, key);
    }
  }
}
