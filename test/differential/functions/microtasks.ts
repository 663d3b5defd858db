// The order of promises, microtasks and timers.
import { report } from './lib/report.ts';

async function order(run: (say: (word: string) => void) => void): Promise<string[]> {
  const said: string[] = [];
  run((word) => void said.push(word));
  await new Promise((resolve) => setTimeout(resolve, 25));
  return said;
}

export default {
  fetch: async (): Promise<Response> =>
    report({
      'before timers': async () =>
        order((say) => {
          setTimeout(() => say('timer'), 0);
          queueMicrotask(() => say('microtask'));
          void Promise.resolve().then(() => say('then'));
          say('now');
        }),
      'nested': async () =>
        order((say) => {
          queueMicrotask(() => {
            say('1');
            queueMicrotask(() => say('3'));
          });
          queueMicrotask(() => say('2'));
        }),
      'await takes a turn': async () =>
        order((say) => {
          void (async () => {
            say('a1');
            await null;
            say('a2');
            await null;
            say('a3');
          })();
          void (async () => {
            say('b1');
            await null;
            say('b2');
          })();
          say('end');
        }),
      'thenables take two more': async () =>
        order((say) => {
          // oxlint-disable-next-line unicorn/no-thenable -- thenables are what is compared
          void (async () => { await { then: (done: () => void) => done() }; say('thenable'); })();
          void Promise.resolve().then(() => say('1')).then(() => say('2')).then(() => say('3'));
        }),
      'returned promises take three': async () =>
        order((say) => {
          void Promise.resolve().then(async () => Promise.resolve()).then(() => say('returned'));
          void Promise.resolve().then(() => say('1')).then(() => say('2')).then(() => say('3')).then(() => say('4'));
        }),
      'between timers': async () =>
        order((say) => {
          setTimeout(() => {
            say('timer 1');
            queueMicrotask(() => say('microtask of 1'));
          }, 2);
          setTimeout(() => say('timer 2'), 4);
        }),
      'finally, all, race': async () =>
        order((say) => {
          void Promise.resolve().finally(() => say('finally'));
          void Promise.all([1, Promise.resolve(2)]).then(() => say('all'));
          void Promise.race([Promise.resolve(1)]).then(() => say('race'));
          void Promise.allSettled([Promise.reject(new Error('x'))]).then(() => say('settled'));
        }),
      'Promise.try and withResolvers': async () => {
        const { promise, resolve } = Promise.withResolvers<string>();
        resolve('x');
        return promise;
      },
    }),
};
