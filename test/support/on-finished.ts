// When something that a test has started is to be stopped again.
import { afterAll } from 'vitest';

/** `onTestFinished`, that of a test which runs beside others, or one that waits for the end of a file. */
export type OnFinished = (stop: () => Promise<void> | void) => void;

/** For what all tests of a file share; called where the file is collected. Stops in reverse order. */
export function onFileFinished(): OnFinished {
  const stops: (() => Promise<void> | void)[] = [];
  afterAll(async () => {
    for (const stop of stops.toReversed()) await stop();
  });
  return (stop) => void stops.push(stop);
}
