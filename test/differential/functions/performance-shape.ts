// performance: never the figures, only how they behave.
import { report } from './lib/report.ts';

export default {
  fetch: async (): Promise<Response> =>
    report({
      'now': () => [typeof performance.now(), performance.now() >= 0],
      'never back': async () => {
        const first = performance.now();
        await new Promise((resolve) => setTimeout(resolve, 5));
        return performance.now() >= first;
      },
      'toJSON': () => typeof performance.toJSON(),
      'class': () => [performance instanceof Performance, performance instanceof EventTarget],
      'Date.now advances over timers': async () => {
        const first = Date.now();
        await new Promise((resolve) => setTimeout(resolve, 10));
        return Date.now() - first >= 5;
      },
      'mark and measure': () => {
        const mark = performance.mark('a', { detail: { b: 1 } });
        const measure = performance.measure('m', 'a');
        return [mark.name, mark.entryType, mark.duration, mark.detail, measure.name, measure.entryType, measure.duration >= 0];
      },
    }),
};
