// node:stream/web: the standard's classes. Each is touched only where it is used, since the runtime makes them on first touch.
export const ByteLengthQueuingStrategy = /* @__PURE__ */ (() => globalThis.ByteLengthQueuingStrategy)();
export const CompressionStream = /* @__PURE__ */ (() => globalThis.CompressionStream)();
export const CountQueuingStrategy = /* @__PURE__ */ (() => globalThis.CountQueuingStrategy)();
export const DecompressionStream = /* @__PURE__ */ (() => globalThis.DecompressionStream)();
export const ReadableByteStreamController = /* @__PURE__ */ (() => globalThis.ReadableByteStreamController)();
export const ReadableStream = /* @__PURE__ */ (() => globalThis.ReadableStream)();
export const ReadableStreamBYOBReader = /* @__PURE__ */ (() => globalThis.ReadableStreamBYOBReader)();
export const ReadableStreamBYOBRequest = /* @__PURE__ */ (() => globalThis.ReadableStreamBYOBRequest)();
export const ReadableStreamDefaultController = /* @__PURE__ */ (() => globalThis.ReadableStreamDefaultController)();
export const ReadableStreamDefaultReader = /* @__PURE__ */ (() => globalThis.ReadableStreamDefaultReader)();
export const TextDecoderStream = /* @__PURE__ */ (() => globalThis.TextDecoderStream)();
export const TextEncoderStream = /* @__PURE__ */ (() => globalThis.TextEncoderStream)();
export const TransformStream = /* @__PURE__ */ (() => globalThis.TransformStream)();
export const TransformStreamDefaultController = /* @__PURE__ */ (() => globalThis.TransformStreamDefaultController)();
export const WritableStream = /* @__PURE__ */ (() => globalThis.WritableStream)();
export const WritableStreamDefaultController = /* @__PURE__ */ (() => globalThis.WritableStreamDefaultController)();
export const WritableStreamDefaultWriter = /* @__PURE__ */ (() => globalThis.WritableStreamDefaultWriter)();
export default {
  get ByteLengthQueuingStrategy() {
    return globalThis.ByteLengthQueuingStrategy;
  },
  get CompressionStream() {
    return globalThis.CompressionStream;
  },
  get CountQueuingStrategy() {
    return globalThis.CountQueuingStrategy;
  },
  get DecompressionStream() {
    return globalThis.DecompressionStream;
  },
  get ReadableByteStreamController() {
    return globalThis.ReadableByteStreamController;
  },
  get ReadableStream() {
    return globalThis.ReadableStream;
  },
  get ReadableStreamBYOBReader() {
    return globalThis.ReadableStreamBYOBReader;
  },
  get ReadableStreamBYOBRequest() {
    return globalThis.ReadableStreamBYOBRequest;
  },
  get ReadableStreamDefaultController() {
    return globalThis.ReadableStreamDefaultController;
  },
  get ReadableStreamDefaultReader() {
    return globalThis.ReadableStreamDefaultReader;
  },
  get TextDecoderStream() {
    return globalThis.TextDecoderStream;
  },
  get TextEncoderStream() {
    return globalThis.TextEncoderStream;
  },
  get TransformStream() {
    return globalThis.TransformStream;
  },
  get TransformStreamDefaultController() {
    return globalThis.TransformStreamDefaultController;
  },
  get WritableStream() {
    return globalThis.WritableStream;
  },
  get WritableStreamDefaultController() {
    return globalThis.WritableStreamDefaultController;
  },
  get WritableStreamDefaultWriter() {
    return globalThis.WritableStreamDefaultWriter;
  },
};
