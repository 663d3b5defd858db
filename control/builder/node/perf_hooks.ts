// node:perf_hooks: the standard's part of it.
import { notAvailable } from './internal/not-available.ts';

export const { performance } = globalThis;
export const constants = {};
export const createHistogram = notAvailable('perf_hooks.createHistogram');
export const monitorEventLoopDelay = notAvailable('perf_hooks.monitorEventLoopDelay', 'a function has no event loop of its own');
export class PerformanceObserver {
  static readonly supportedEntryTypes: readonly string[] = [];
  observe = notAvailable('PerformanceObserver.observe');
  disconnect(): void {}
  takeRecords(): never[] {
    return [];
  }
}
export default { performance, constants, createHistogram, monitorEventLoopDelay, PerformanceObserver };
