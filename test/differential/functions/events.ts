// EventTarget and Event.
import { report, thrown } from './lib/report.ts';

export default {
  fetch: async (): Promise<Response> =>
    report({
      'order and once': () => {
        const target = new EventTarget();
        const seen: string[] = [];
        target.addEventListener('x', () => seen.push('a'));
        target.addEventListener('x', () => seen.push('b'), { once: true });
        target.addEventListener('x', { handleEvent: () => seen.push('c') });
        target.dispatchEvent(new Event('x'));
        target.dispatchEvent(new Event('x'));
        return seen;
      },
      'the same listener once': () => {
        const target = new EventTarget();
        let calls = 0;
        const listener = (): void => void (calls += 1);
        target.addEventListener('x', listener);
        target.addEventListener('x', listener);
        target.addEventListener('x', listener, true);
        target.dispatchEvent(new Event('x'));
        target.removeEventListener('x', listener);
        target.dispatchEvent(new Event('x'));
        return calls;
      },
      'signal removes': () => {
        const target = new EventTarget();
        const controller = new AbortController();
        let calls = 0;
        target.addEventListener('x', () => void (calls += 1), { signal: controller.signal });
        target.dispatchEvent(new Event('x'));
        controller.abort();
        target.dispatchEvent(new Event('x'));
        target.addEventListener('x', () => void (calls += 1), { signal: controller.signal });
        target.dispatchEvent(new Event('x'));
        return calls;
      },
      'cancelable': () => {
        const target = new EventTarget();
        target.addEventListener('x', (event) => event.preventDefault());
        const cancelable = new Event('x', { cancelable: true });
        const fixed = new Event('x');
        return [target.dispatchEvent(cancelable), cancelable.defaultPrevented, target.dispatchEvent(fixed), fixed.defaultPrevented];
      },
      'passive': () => {
        const target = new EventTarget();
        target.addEventListener('x', (event) => event.preventDefault(), { passive: true });
        return target.dispatchEvent(new Event('x', { cancelable: true }));
      },
      'stopImmediatePropagation': () => {
        const target = new EventTarget();
        const seen: string[] = [];
        target.addEventListener('x', (event) => { seen.push('a'); event.stopImmediatePropagation(); });
        target.addEventListener('x', () => seen.push('b'));
        target.dispatchEvent(new Event('x'));
        return seen;
      },
      'members while dispatched': () => {
        const target = new EventTarget();
        const seen: unknown[] = [];
        const event = new Event('x', { bubbles: true, composed: true });
        target.addEventListener('x', function (this: unknown, current) {
          seen.push(this === target, current.target === target, current.currentTarget === target, current.eventPhase, current.composedPath().length, current.srcElement === target);
        });
        target.dispatchEvent(event);
        return [...seen, event.currentTarget, event.target === target, event.eventPhase, event.composedPath().length];
      },
      'fresh event': () => {
        const { type, bubbles, cancelable, composed, defaultPrevented, returnValue, cancelBubble, isTrusted, target, eventPhase } = new Event('x');
        return [type, bubbles, cancelable, composed, defaultPrevented, returnValue, cancelBubble, isTrusted, target, eventPhase];
      },
      'constants': () => [Event.NONE, Event.CAPTURING_PHASE, Event.AT_TARGET, Event.BUBBLING_PHASE, new Event('x').AT_TARGET],
      'dispatch twice at once': () => {
        const target = new EventTarget();
        const event = new Event('x');
        let error = '';
        target.addEventListener('x', () => { error = thrown(() => target.dispatchEvent(event)); });
        target.dispatchEvent(event);
        return error;
      },
      'removed while dispatched': () => {
        const target = new EventTarget();
        const seen: string[] = [];
        const second = (): void => void seen.push('second');
        target.addEventListener('x', () => target.removeEventListener('x', second));
        target.addEventListener('x', second);
        target.dispatchEvent(new Event('x'));
        return seen;
      },
      'added while dispatched': () => {
        const target = new EventTarget();
        const seen: string[] = [];
        target.addEventListener('x', () => target.addEventListener('x', () => seen.push('late')), { once: true });
        target.dispatchEvent(new Event('x'));
        const first = seen.length;
        target.dispatchEvent(new Event('x'));
        return [first, seen.length];
      },
      'null listener': () => thrown(() => new EventTarget().addEventListener('x', null)),
      'refused': () => [thrown(() => new EventTarget().addEventListener('x', 1 as never)), thrown(() => new EventTarget().dispatchEvent({} as Event)), thrown(() => new (Event as unknown as new () => Event)()), thrown(() => (EventTarget as unknown as () => void)())],
      'subclass': () => {
        class Bus extends EventTarget { readonly name = 'bus'; }
        let name = '';
        const bus = new Bus();
        bus.addEventListener('x', function (this: Bus) { name = this.name; });
        bus.dispatchEvent(new Event('x'));
        return name;
      },
      'CustomEvent': () => [new CustomEvent('x', { detail: { a: 1 } }).detail, new CustomEvent('x').detail, new CustomEvent('x') instanceof Event],
      'ErrorEvent': () => {
        const { message, filename, lineno, colno, error } = new ErrorEvent('error', { message: 'm', filename: 'f', lineno: 1, colno: 2, error: 'e' });
        return [message, filename, lineno, colno, error];
      },
      'MessageEvent': () => {
        const { data, origin, lastEventId, source, ports } = new MessageEvent('message', { data: { a: 1 }, origin: 'o', lastEventId: '7' });
        return [data, origin, lastEventId, source, ports];
      },
      'PromiseRejectionEvent': () => {
        const promise = Promise.resolve();
        const event = new PromiseRejectionEvent('unhandledrejection', { promise, reason: 'why' });
        return [event.promise === promise, event.reason, thrown(() => new PromiseRejectionEvent('x', {} as never))];
      },
    }),
};
