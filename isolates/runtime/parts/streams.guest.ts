// Streams standard: the web-streams-polyfill classes, which follow the standard's own algorithms.
export * from 'web-streams-polyfill';
