// The little that the packages behind these modules want of `process`; functions get the runtime's own (process.ts).

function nextTick(callback: (...args: unknown[]) => void, ...args: unknown[]): void {
  queueMicrotask(args.length === 0 ? callback : () => callback(...args));
}

export const process = {
  nextTick,
  cwd: (): string => '/',
  emitWarning: (warning: unknown): void => console.warn(String(warning)),
  env: {},
  platform: 'linux',
  stderr: undefined,
} as const;
export default process;
