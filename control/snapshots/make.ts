// One build: the child that makes a snapshot, the child that tries it, and what comes of the two.
import type { SnapshotPrograms } from '../../core/config/index.ts';
import { sha256Hex } from '../../core/crypto/index.ts';
import { MAX_SNAPSHOT_BYTES, buildMessageSchema, encodeMessage, isSnapshotReason, verifyMessageSchema } from '../../core/versions/index.ts';
import type { BuildJob, BuildMessage, Engine, SnapshotReason } from '../../core/versions/index.ts';
import { runProgram } from './program.ts';
import type { ProgramOutput } from './program.ts';

type BuiltMessage = Extract<BuildMessage, { kind: 'built' }>;

export interface Made {
  /** null: `blob` is a snapshot that has been tried. */
  readonly reason: SnapshotReason | null;
  readonly detail: string;
  readonly evaluateMs: number;
  /** Names of variables that the module used. */
  readonly environment: readonly string[];
  readonly engine: Engine | null;
  readonly blob: Buffer;
  readonly sha256: string;
  readonly heapBytes: number;
  readonly codeCache: Buffer;
  /** Another try may end otherwise: the machine was busy. */
  readonly again: boolean;
}

const NOTHING = Buffer.alloc(0);

/** Never rejects. */
export async function makeSnapshot(programs: SnapshotPrograms, job: BuildJob, bundle: string, signal: AbortSignal, confined: readonly string[] = []): Promise<Made> {
  const output = await runProgram(programs, programs.build, encodeMessage(job, [Buffer.from(bundle)]), signal, confined);
  const built = builtOf(output);
  if (built === undefined) return lost(output);
  const [codeCache = NOTHING, blob = NOTHING] = output.messages.at(-1)?.bytes ?? [];
  const { reason, detail, evaluateMs, environment, engine } = built;
  const none = (why: SnapshotReason, text: string): Made => ({ reason: why, detail: text, evaluateMs, environment, engine, blob: NOTHING, sha256: '', heapBytes: 0, codeCache, again: false });
  if (reason !== null) return none(isSnapshotReason(reason) ? reason : 'build_aborted', detail);
  if (blob.length > MAX_SNAPSHOT_BYTES) return none('too_large', `${blob.length} bytes`);
  const sha256 = sha256Hex(blob);
  const { platformFolder, shape, memoryMb } = job;
  const tried = await runProgram(programs, programs.verify, encodeMessage({ platformFolder, shape, memoryMb, engine, sha256 }, [blob]), signal, confined);
  const verified = verifyMessageSchema.safeParse(tried.messages.at(-1)?.json);
  if (!verified.success) return { ...none('not_verified', tried.errors), again: tried.how === 'late' };
  if (!verified.data.ok) return none('not_verified', verified.data.detail);
  return { reason: null, detail: '', evaluateMs, environment, engine, blob, sha256, heapBytes: verified.data.heapBytes, codeCache, again: false };
}

function builtOf({ how, messages }: ProgramOutput): BuiltMessage | undefined {
  const parsed = how === 'ended' ? buildMessageSchema.safeParse(messages.at(-1)?.json) : undefined;
  return parsed?.success === true && parsed.data.kind === 'built' ? parsed.data : undefined;
}

/** The program died: of the module, mostly, since nothing bounds it but the limits of the process. */
function lost({ how, messages, errors }: ProgramOutput): Made {
  const stage = buildMessageSchema.safeParse(messages.at(-1)?.json);
  const at = stage.success && stage.data.kind === 'stage' ? stage.data.stage : 'start';
  return {
    reason: how === 'timeout' || how === 'late' ? 'build_timeout' : 'build_aborted', detail: `${at}: ${errors}`.slice(0, 2_048), evaluateMs: 0, environment: [], engine: null, blob: NOTHING, sha256: '', heapBytes: 0, codeCache: NOTHING,
    // Before the first stage nothing of the module has run.
    again: at === 'start' || how === 'late',
  };
}
