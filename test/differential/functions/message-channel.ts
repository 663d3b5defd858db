// MessageChannel: messages, order, transfer, close.
import { report, thrown } from './lib/report.ts';

async function next(port: MessagePort): Promise<unknown> {
  return new Promise((resolve) => {
    port.onmessage = (event) => resolve(event.data);
  });
}

export default {
  fetch: async (): Promise<Response> =>
    report({
      'message': async () => {
        const { port1, port2 } = new MessageChannel();
        port1.postMessage({ a: [1, 'ü'] });
        const data = await next(port2);
        port1.close();
        return data;
      },
      'order': async () => {
        const { port1, port2 } = new MessageChannel();
        for (const one of [1, 2, 3]) port1.postMessage(one);
        const seen: unknown[] = [];
        await new Promise<void>((resolve) => {
          port2.onmessage = ({ data }) => {
            seen.push(data);
            if (seen.length === 3) resolve();
          };
        });
        port1.close();
        return seen;
      },
      'both ways': async () => {
        const { port1, port2 } = new MessageChannel();
        port2.onmessage = ({ data }) => port2.postMessage(`${data}!`);
        port1.postMessage('hello');
        const data = await next(port1);
        port1.close();
        return data;
      },
      'not at once': () => {
        const { port1, port2 } = new MessageChannel();
        let seen = false;
        port2.onmessage = () => { seen = true; };
        port1.postMessage(1);
        const at = seen;
        port1.close();
        return at;
      },
      'addEventListener needs start': async () => {
        const { port1, port2 } = new MessageChannel();
        port1.postMessage('x');
        const data = await new Promise((resolve) => {
          port2.addEventListener('message', (event) => resolve((event as MessageEvent).data));
          port2.start();
        });
        port1.close();
        return data;
      },
      'transfer': async () => {
        const { port1, port2 } = new MessageChannel();
        const buffer = new ArrayBuffer(3);
        port1.postMessage(buffer, [buffer]);
        const data = (await next(port2)) as ArrayBuffer;
        port1.close();
        return [buffer.byteLength, data.byteLength];
      },
      'refused': () => {
        const { port1 } = new MessageChannel();
        const errors = [thrown(() => port1.postMessage(() => 1)), thrown(() => (port1.postMessage as () => void)())];
        port1.close();
        return errors;
      },
      'after close': () => {
        const { port1, port2 } = new MessageChannel();
        port2.close();
        return thrown(() => port1.postMessage(1));
      },
      'class strings': () => {
        const channel = new MessageChannel();
        const strings = [Object.prototype.toString.call(channel), Object.prototype.toString.call(channel.port1), channel.port1 instanceof EventTarget];
        channel.port1.close();
        return strings;
      },
      'illegal constructor': () => thrown(() => new (MessagePort as unknown as new () => MessagePort)()),
    }),
};
