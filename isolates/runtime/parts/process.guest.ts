// What `process` is in a bundle: the environment, the clock and the few constants that packages look at. No streams, no signals, no exit.
import { elapsedMs } from '../clock.guest.ts';
import { console } from '../console.guest.ts';
import { loaded } from '../module.guest.ts';
import { NativeNumber, NativeTypeError, reflectApply } from '../primordials.guest.ts';
import { queueMicrotask } from '../timers.guest.ts';

const NODE = '22.0.0';

export const env = loaded.environment;
export const argv: string[] = [];
export const execArgv: string[] = [];
export const argv0 = '';
export const execPath = '';
export const title = 'thimble';
export const platform = 'linux';
export const arch = 'x64';
export const pid = 1;
export const ppid = 0;
export const version = `v${NODE}`;
export const versions = { node: NODE };
export const release = { name: 'node' };
export const features = {};
export const config = {};
export const exitCode = undefined;

export function cwd(): string {
  return '/';
}

export function nextTick(callback: (...args: unknown[]) => void, ...args: unknown[]): void {
  if (typeof callback !== 'function') throw new NativeTypeError('the callback must be a function');
  queueMicrotask(() => reflectApply(callback, undefined, args));
}

/** Seconds and nanoseconds of a clock that stands still during an entry. */
export const hrtime = Object.assign(
  (since?: readonly [number, number]): [number, number] => {
    const ms = elapsedMs();
    let seconds = Math.floor(ms / 1_000);
    let nanoseconds = Math.floor((ms % 1_000) * 1_000_000);
    if (since !== undefined) {
      seconds -= NativeNumber(since[0]);
      nanoseconds -= NativeNumber(since[1]);
      if (nanoseconds < 0) {
        seconds -= 1;
        nanoseconds += 1_000_000_000;
      }
    }
    return [seconds, nanoseconds];
  },
  { bigint: (): bigint => BigInt(Math.round(elapsedMs() * 1_000)) * 1_000n },
);

export function uptime(): number {
  return elapsedMs() / 1_000;
}

export function emitWarning(warning: unknown): void {
  console.warn(warning instanceof Error ? `${warning.name}: ${warning.message}` : warning);
}

export function exit(): never {
  throw new NativeTypeError('a function can not end its process');
}

/** Nothing is ever emitted: packages that watch for signals or rejections may ask all the same. */
export const { on, once, off, addListener, removeListener, removeAllListeners, prependListener } = {
  on: ignored, once: ignored, off: ignored, addListener: ignored, removeListener: ignored, removeAllListeners: ignored, prependListener: ignored,
};

function ignored(this: unknown): unknown {
  return this;
}

export function emit(): boolean {
  return false;
}

export function listeners(): never[] {
  return [];
}

export function listenerCount(): number {
  return 0;
}
