// Timers: order, arguments, clearing.
import { report, thrown } from './lib/report.ts';

const soon = async (ms = 0): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export default {
  fetch: async (): Promise<Response> =>
    report({
      'order by delay': async () => {
        const seen: number[] = [];
        for (const delay of [30, 10, 20]) setTimeout(() => seen.push(delay), delay);
        await soon(60);
        return seen;
      },
      'same delay in order': async () => {
        const seen: number[] = [];
        for (let i = 0; i < 5; i++) setTimeout(() => seen.push(i), 5);
        await soon(20);
        return seen;
      },
      'arguments': async () => new Promise((resolve) => setTimeout((...given: unknown[]) => resolve(given), 1, 'a', { b: 1 })),
      'clearTimeout': async () => {
        let fired = false;
        clearTimeout(setTimeout(() => { fired = true; }, 1));
        await soon(10);
        return fired;
      },
      'clear from another': async () => {
        const seen: string[] = [];
        const second = setTimeout(() => seen.push('second'), 10);
        setTimeout(() => { seen.push('first'); clearTimeout(second); }, 5);
        await soon(30);
        return seen;
      },
      'clear nonsense': () => [undefined, null, 0, -1, 1e9, {}, 'x'].map((id) => thrown(() => clearTimeout(id as never))),
      'clearInterval clears timeouts': async () => {
        let fired = false;
        clearInterval(setTimeout(() => { fired = true; }, 1));
        await soon(10);
        return fired;
      },
      'interval': async () => {
        let count = 0;
        await new Promise<void>((resolve) => {
          const interval = setInterval(() => {
            count += 1;
            if (count === 3) {
              clearInterval(interval);
              resolve();
            }
          }, 2);
        });
        await soon(15);
        return count;
      },
      'nested': async () => {
        const seen: string[] = [];
        setTimeout(() => { seen.push('outer'); setTimeout(() => seen.push('inner'), 0); }, 0);
        await soon(30);
        return seen;
      },
      'delays that are no numbers': async () => Promise.all([undefined, 'x', null, -5, Number.NaN].map(async (delay) => new Promise((resolve) => setTimeout(resolve, delay as number, 'fired')))),
      'refuses no callback': () => [thrown(() => (setTimeout as unknown as () => void)()), thrown(() => (queueMicrotask as () => void)()), thrown(() => queueMicrotask({} as () => void))],
      'setImmediate': async () => new Promise((resolve) => setImmediate((...given: unknown[]) => resolve(given), 'a', 1)),
      'clearImmediate': async () => {
        let fired = false;
        clearImmediate(setImmediate(() => { fired = true; }));
        await soon(10);
        return fired;
      },
    }),
};
