// What adapters tell functions about themselves and their invocation.
import { SHAPES } from '../../abi-shapes.ts';
import { epochMs } from '../../clock.guest.ts';
import { op } from '../../host.guest.ts';
import { invocationOf } from '../../invocation.guest.ts';
import type { ExecutionContext } from '../../invocation.guest.ts';
import { NativeNumber, StringPrototypeSplit } from '../../primordials.guest.ts';

const { round: MathRound } = Math;

export interface About {
  readonly name: string;
  readonly version: string;
  readonly memoryMb: number;
}

export function about(): About {
  const fields = StringPrototypeSplit(op(SHAPES.about) as string, '\n');
  return { name: fields[0] as string, version: fields[1] as string, memoryMb: NativeNumber(fields[2]) };
}

/** When the wall limit strikes, milliseconds since the epoch. */
export function deadlineOf(ctx: ExecutionContext): number {
  return MathRound(epochMs() + remainingOf(ctx));
}

/** Milliseconds until then, as of the begin of this entry. */
export function remainingOf(ctx: ExecutionContext): number {
  return op(SHAPES.remaining, invocationOf(ctx)) as number;
}
