// What the control plane and the short-lived programs that make snapshots say to each other: messages of JSON and bytes over the standard streams.
import { z } from 'zod';
import { engineSchema } from './snapshots.ts';

/** Standard input of the build program, followed by the bundle. */
export const buildJobSchema = z.strictObject({
  platformFolder: z.string(),
  function: z.string(),
  version: z.number(),
  shape: z.string(),
  environment: z.record(z.string(), z.string()),
  /** Their values stay away from this program. */
  secretNames: z.array(z.string()),
  memoryMb: z.number(),
  /** Evaluation that takes longer earns a snapshot, milliseconds of CPU time. */
  earnedMs: z.number(),
  /** Why no snapshot is to be made, only a code cache; null: make one. */
  withheld: z.string().nullable(),
});
export type BuildJob = z.infer<typeof buildJobSchema>;

/** Standard output of the build program: any number of stages, then one `built`, with the code cache and the snapshot as its bytes. */
export const buildMessageSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('stage'), stage: z.enum(['observe', 'measure', 'freeze']) }),
  z.strictObject({
    kind: z.literal('built'),
    /** null: a snapshot was made. */
    reason: z.string().nullable(),
    detail: z.string(),
    /** CPU time of evaluating it with the code cache, milliseconds. */
    evaluateMs: z.number(),
    /** Names of variables that the module used. */
    environment: z.array(z.string()),
    engine: engineSchema,
  }),
]);
export type BuildMessage = z.infer<typeof buildMessageSchema>;

/** Standard input of the verify program, followed by the blob. */
export const verifyJobSchema = z.strictObject({ platformFolder: z.string(), shape: z.string(), memoryMb: z.number(), engine: engineSchema, sha256: z.string() });
export type VerifyJob = z.infer<typeof verifyJobSchema>;

export const verifyMessageSchema = z.strictObject({ kind: z.literal('verified'), ok: z.boolean(), detail: z.string(), heapBytes: z.number() });
export type VerifyMessage = z.infer<typeof verifyMessageSchema>;

const HEAD_BYTES = 8;
/** Messages are bounded: a program that runs a tenant's code may write anything. */
const MAX_JSON_BYTES = 48 * 1_048_576;

/** One message: length of the JSON, number of byte strings, the JSON, then each string after its length. */
export function encodeMessage(json: unknown, bytes: readonly Uint8Array[] = []): Buffer {
  const text = Buffer.from(JSON.stringify(json));
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32LE(text.length, 0);
  head.writeUInt32LE(bytes.length, 4);
  const parts: Uint8Array[] = [head, text];
  for (const each of bytes) {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(each.length, 0);
    parts.push(length, each);
  }
  return Buffer.concat(parts);
}

export interface DecodedMessage {
  readonly json: unknown;
  readonly bytes: readonly Buffer[];
}

/**
 * Every whole message of a stream that has ended. A part of one at the end is left out: its writer died.
 *
 * @throws TypeError, SyntaxError  it is no such stream
 */
export function decodeMessages(stream: Buffer): DecodedMessage[] {
  const messages: DecodedMessage[] = [];
  let at = 0;
  while (stream.length - at >= HEAD_BYTES) {
    const length = stream.readUInt32LE(at);
    const count = stream.readUInt32LE(at + 4);
    if (length > MAX_JSON_BYTES || count > 8) throw new TypeError('not a message');
    let next = at + HEAD_BYTES + length;
    const bytes: Buffer[] = [];
    for (let i = 0; i < count && next + 4 <= stream.length; i++) {
      const size = stream.readUInt32LE(next);
      if (next + 4 + size > stream.length) break;
      bytes.push(stream.subarray(next + 4, next + 4 + size));
      next += 4 + size;
    }
    if (next > stream.length || bytes.length < count) return messages;
    messages.push({ json: JSON.parse(stream.toString('utf8', at + HEAD_BYTES, at + HEAD_BYTES + length)) as unknown, bytes });
    at = next;
  }
  return messages;
}
