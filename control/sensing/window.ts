// What one version of a function did within a span of time: what rollouts, alerts and readers of figures look at.
import { LogHistogram } from '../../core/metrics/index.ts';

/** Sums over whole seconds. */
export interface Window {
  /** Begin and end, milliseconds since 1970; the end is not part of it. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly requests: number;
  /** Of these, failures of the tenant or the platform (core/errors: `fault`), and answers of 500 and above. */
  readonly failed: number;
  /** By error code; answers without one are not in here. */
  readonly codes: ReadonlyMap<string, number>;
  /** From accept to the end of the response, microseconds. */
  readonly wallUs: LogHistogram;
  /** Of whole invocations, microseconds. */
  readonly cpuUs: LogHistogram;
  readonly coldStarts: number;
  /** Mean over the span of what all its isolates take, bytes, and of their number. */
  readonly memoryBytes: number;
  readonly isolates: number;
}

/** Figures by the second, of the last 15 minutes. */
export interface Series {
  /** The newest whole second that figures have come for ends here, milliseconds since 1970; 0: none yet. */
  readonly upToMs: number;
  /** Sums of a version over [fromMs, toMs), as far as they are kept. */
  window(fn: string, version: number, fromMs: number, toMs: number): Window;
}

/** Of a control plane that gathers no figures. */
export const NO_SERIES: Series = {
  upToMs: 0,
  window: (_fn, _version, fromMs, toMs) => ({
    fromMs, toMs, requests: 0, failed: 0, codes: new Map(), wallUs: new LogHistogram(), cpuUs: new LogHistogram(), coldStarts: 0, memoryBytes: 0, isolates: 0,
  }),
};
