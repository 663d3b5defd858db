// Streams standard: the web-streams-polyfill classes, which follow the standard's own algorithms, and the few places where their form does not.
import { ReadableStream, WritableStreamDefaultController } from 'web-streams-polyfill';

export * from 'web-streams-polyfill';

// It was taken out of the standard in favour of `signal.reason`.
delete (WritableStreamDefaultController.prototype as { abortReason?: unknown }).abortReason;

// Web IDL, section 3.7.10.2: an asynchronous iterator of an interface inherits %AsyncIteratorPrototype%, and has no method of that by itself.
const made = Object.getPrototypeOf(new ReadableStream().values()) as { [Symbol.asyncIterator]?: unknown };
delete made[Symbol.asyncIterator];
Object.setPrototypeOf(made, Object.getPrototypeOf(Object.getPrototypeOf(async function* () {}.prototype) as object) as object);
