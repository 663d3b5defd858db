// AbortController and AbortSignal.
import { describe, rejected, report, thrown } from './lib/report.ts';

export default {
  fetch: async (): Promise<Response> =>
    report({
      'abort': () => {
        const controller = new AbortController();
        const before = [controller.signal.aborted, controller.signal.reason];
        controller.abort();
        return [before, controller.signal.aborted, describe(controller.signal.reason)];
      },
      'reason': () => {
        const controller = new AbortController();
        controller.abort('first');
        controller.abort('second');
        return controller.signal.reason;
      },
      'event once': () => {
        const controller = new AbortController();
        const seen: unknown[] = [];
        controller.signal.onabort = (event) => void seen.push(['on', event.type, event.target === controller.signal]);
        controller.signal.addEventListener('abort', () => seen.push('listener'));
        controller.abort();
        controller.abort();
        return seen;
      },
      'aborted inside the event': () => {
        const controller = new AbortController();
        let inside = false;
        controller.signal.addEventListener('abort', () => { inside = controller.signal.aborted; });
        controller.abort();
        return inside;
      },
      'throwIfAborted': () => [thrown(() => new AbortController().signal.throwIfAborted()), thrown(() => AbortSignal.abort(new RangeError('x')).throwIfAborted()), thrown(() => AbortSignal.abort().throwIfAborted())],
      'AbortSignal.abort': () => [AbortSignal.abort().aborted, AbortSignal.abort('x').reason],
      'any of none': () => AbortSignal.any([]).aborted,
      'any': () => {
        const [a, b] = [new AbortController(), new AbortController()];
        const any = AbortSignal.any([a.signal, b.signal]);
        const before = any.aborted;
        b.abort('b');
        a.abort('a');
        return [before, any.aborted, any.reason];
      },
      'any of aborted ones': () => AbortSignal.any([AbortSignal.abort('1'), AbortSignal.abort('2')]).reason,
      'any of any': () => {
        const controller = new AbortController();
        const any = AbortSignal.any([AbortSignal.any([controller.signal])]);
        const seen: string[] = [];
        any.addEventListener('abort', () => seen.push('any'));
        controller.signal.addEventListener('abort', () => seen.push('source'));
        controller.abort();
        return [any.aborted, seen];
      },
      'timeout': async () => {
        const signal = AbortSignal.timeout(5);
        const before = signal.aborted;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return [before, signal.aborted, describe(signal.reason)];
      },
      'timeout refuses': () => [thrown(() => AbortSignal.timeout(-1)), thrown(() => AbortSignal.timeout(Number.NaN)), thrown(() => (AbortSignal.timeout as unknown as () => void)())],
      'illegal constructor': () => thrown(() => new (AbortSignal as unknown as new () => AbortSignal)()),
      'fetch with an aborted signal': async () => rejected(async () => fetch('http://a.test/', { signal: AbortSignal.abort() })),
      'fetch with a reason': async () => rejected(async () => fetch('http://a.test/', { signal: AbortSignal.abort(new RangeError('x')) })),
      'signal is one object': () => {
        const controller = new AbortController();
        return controller.signal === controller.signal;
      },
      'class strings': () => [Object.prototype.toString.call(new AbortController()), Object.prototype.toString.call(AbortSignal.abort()), AbortSignal.abort() instanceof EventTarget],
    }),
};
