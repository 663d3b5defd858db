// Makes the snapshot itself: the runtime, the parts that the module touches, the module evaluated, and nothing that could ask a host.
import { randomBytes } from 'node:crypto';
import { isSnapshotReason } from '../../core/versions/index.ts';
import type { SnapshotReason } from '../../core/versions/index.ts';
import { PLATFORM_FILES, partFiles } from '../platform/load.ts';
import { FREEZE, FREEZE_FAILED, FREEZE_GLOBAL } from '../runtime/abi-snapshots.ts';
import type { RecordedAnswer } from '../runtime/abi-snapshots.ts';
import { RUNTIME_FILE, makeSnapshot } from '../vm.ts';
import type { SnapshotScript } from '../vm.ts';

export interface FreezeInput {
  /** Files of the platform. */
  readonly files: ReadonlyMap<string, Buffer>;
  readonly bundle: string;
  readonly filename: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly parts: readonly string[];
  readonly answers: readonly RecordedAnswer[];
}

export type Frozen = { readonly blob: Uint8Array } | { readonly reason: SnapshotReason; readonly detail: string };

/** Runs tenant code in this process, without a limit of its own; V8 aborts the process where the heap holds what it can't write. */
export function freeze(input: FreezeInput): Frozen {
  try {
    return { blob: makeSnapshot(scriptsOf(input)) };
  } catch (thrown) {
    return reasonOf(thrown);
  }
}

function scriptsOf({ files, bundle, filename, environment, parts, answers }: FreezeInput): SnapshotScript[] {
  // A constant of the scripts' own scope is no property of globalThis: tenant code can't list it, replace it, or guess its name.
  const name = `__thimble_${randomBytes(16).toString('hex')}`;
  const ours = (code: string): SnapshotScript => ({ code, filename: RUNTIME_FILE });
  const step = (...args: readonly string[]): SnapshotScript => ours(`${name}(${args.map((arg) => JSON.stringify(arg)).join(',')});`);
  const text = (file: string): string => files.get(file)?.toString('utf8') ?? '';
  return [
    ours(text(PLATFORM_FILES.freezing)),
    ours(`const ${name} = globalThis.${FREEZE_GLOBAL}; delete globalThis.${FREEZE_GLOBAL};`),
    step(FREEZE.begin, JSON.stringify(environment), JSON.stringify(parts), JSON.stringify(answers)),
    ...parts.map((part) => ({ code: text(partFiles(part).code), filename: `thimble:${part}` })),
    step(FREEZE.parts),
    { code: bundle, filename },
    step(FREEZE.evaluate),
    step(FREEZE.hook),
    step(FREEZE.seal),
  ];
}

function reasonOf(thrown: unknown): { readonly reason: SnapshotReason; readonly detail: string } {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const at = message.indexOf(FREEZE_FAILED);
  if (at < 0) return { reason: 'threw', detail: message };
  const [reason = '', ...detail] = message.slice(at + FREEZE_FAILED.length).split('\n');
  return { reason: isSnapshotReason(reason) ? reason : 'threw', detail: detail.join('\n') };
}
