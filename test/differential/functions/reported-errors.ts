// reportError and the global error event.
import { report, thrown } from './lib/report.ts';

async function reported(value: unknown): Promise<unknown> {
  return new Promise((resolve) => {
    const listener = (event: Event): void => {
      event.preventDefault();
      globalThis.removeEventListener('error', listener);
      const { error, type, cancelable } = event as ErrorEvent;
      resolve([type, cancelable, error === value, event instanceof ErrorEvent]);
    };
    globalThis.addEventListener('error', listener);
    reportError(value);
  });
}

export default {
  fetch: async (): Promise<Response> =>
    report({
      'reportError': async () => reported(new RangeError('x')),
      'reportError with any value': async () => reported('text'),
      'reportError refuses nothing': () => thrown(() => (reportError as () => void)()),
      'globalThis is an event target': () => {
        let seen = false;
        const listener = (): void => { seen = true; };
        globalThis.addEventListener('own', listener);
        globalThis.dispatchEvent(new Event('own'));
        globalThis.removeEventListener('own', listener);
        return seen;
      },
      'self': () => self === globalThis,
    }),
};
