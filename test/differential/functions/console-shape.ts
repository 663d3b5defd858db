// console: there, callable without receiver, never throwing.
import { report, thrown } from './lib/report.ts';

const methods = ['assert', 'clear', 'debug', 'error', 'info', 'log', 'table', 'trace', 'warn', 'dir', 'dirxml', 'count', 'countReset', 'group', 'groupCollapsed', 'groupEnd', 'time', 'timeLog', 'timeEnd'] as const;

export default {
  fetch: async (): Promise<Response> =>
    report({
      'methods': () => methods.filter((name) => typeof console[name] !== 'function'),
      'names': () => methods.map((name) => console[name].name),
      'own and enumerable': () => methods.filter((name) => !Object.prototype.propertyIsEnumerable.call(console, name)),
      'class string': () => Object.prototype.toString.call(console),
      'without receiver': () => {
        const { debug } = console;
        return debug('x');
      },
      'strange values': () => {
        const circular: { self?: unknown } = {};
        circular.self = circular;
        const revoked = Proxy.revocable({}, {});
        revoked.revoke();
        return [circular, Symbol('x'), 1n, null, Object.create(null), new Map([[1, new Set([2])]]), () => 1, { get a() { throw new Error('x'); } }].map((value) => thrown(() => console.debug(value)));
      },
      'formats': () => thrown(() => console.debug('%s %d %i %f %o %O %c %% %x', 'a', 1, 2, 3, {}, {}, 'color: red')),
      'groups, counts, timers': () => thrown(() => {
        console.group('g');
        console.count('c');
        console.countReset('c');
        console.time('t');
        console.timeEnd('t');
        console.groupEnd();
        console.assert(true, 'never');
      }),
    }),
};
