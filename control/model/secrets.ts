// Secrets of a function: opened only to merge a change, sealed again at once; what leaves is their names.
import { z } from 'zod';
import { seal, unseal } from '../../core/crypto/index.ts';
import { PlatformError } from '../../core/errors/index.ts';
import type { FunctionRecord } from './records.ts';

/** Characters of all secrets of one function: they travel with its route to every gateway and host. */
const MAX_CHARACTERS = 262_144;
const MAX_SECRETS = 256;

export interface SealedSecrets {
  readonly secrets: string;
  readonly secretNames: string[];
  /** Names whose value is new or gone. */
  readonly changed: readonly string[];
}

const purpose = (name: string): string => `secrets/${name}`;

/** Keys of the tier that the secrets are sealed for, and of the one that they shall be sealed for. */
export interface SecretKeys {
  /** undefined: the node has that tier no more. */
  readonly from: Buffer | undefined;
  readonly to: Buffer;
}

/**
 * Merges `change` by key into what `record` has; null removes a secret.
 *
 * @throws invalid  more or longer secrets than one function may have
 * @throws conflict  there are secrets, sealed for a tier that the node has no more
 * @throws internal  the sealed secrets cannot be opened: THIMBLE_SECRET_KEY is not the one that sealed them
 */
export function mergeSecrets({ from, to }: SecretKeys, record: FunctionRecord, change: Readonly<Record<string, string | null>>): SealedSecrets {
  const secrets = open(from, record);
  const changed: string[] = [];
  for (const [name, value] of Object.entries(change)) {
    if ((secrets.get(name) ?? null) === value) continue;
    changed.push(name);
    if (value === null) secrets.delete(name);
    else secrets.set(name, value);
  }
  // Sealing draws a new nonce: untouched secrets keep their box, so that nothing downstream takes it for a change.
  if (changed.length === 0 && from === to) return { secrets: record.secrets, secretNames: record.secretNames, changed };
  if (secrets.size > MAX_SECRETS) throw new PlatformError('invalid', { errors: [{ path: 'secrets', message: `at most ${MAX_SECRETS} secrets` }] });
  let characters = 0;
  for (const [name, value] of secrets) characters += name.length + value.length;
  if (characters > MAX_CHARACTERS) throw new PlatformError('invalid', { errors: [{ path: 'secrets', message: `at most ${MAX_CHARACTERS} characters in all` }] });
  const secretNames = [...secrets.keys()].toSorted();
  const plain = JSON.stringify(Object.fromEntries(secretNames.map((name) => [name, secrets.get(name)])));
  return { secrets: secrets.size === 0 ? '' : seal(to, purpose(record.name), plain), secretNames, changed };
}

function open(key: Buffer | undefined, record: FunctionRecord): Map<string, string> {
  if (record.secrets === '') return new Map();
  if (key === undefined) throw new PlatformError('conflict', { with: `tier ${record.tier}, which this node has no more: its secrets cannot be opened` });
  let plain: string;
  try {
    plain = unseal(key, purpose(record.name), record.secrets);
  } catch {
    throw new PlatformError('internal', undefined, { cause: new Error(`the secrets of function ${record.name} do not open with this node's key`) });
  }
  return new Map(Object.entries(z.record(z.string(), z.string()).parse(JSON.parse(plain))));
}
