// What the parts that offer a `GenericTransformStream` (Streams standard, section 9.3) take from the part `streams`.
import { loadStreams } from '../../streams.guest.ts';

export interface TransformController {
  enqueue(chunk: unknown): void;
}

export interface Transformer {
  transform(chunk: unknown, controller: TransformController): void | Promise<void>;
  flush(controller: TransformController): void | Promise<void>;
}

export interface TransformPair {
  readonly readable: unknown;
  readonly writable: unknown;
}

/** Makes pairs; both sides are read once, so that what a tenant does to TransformStream.prototype later changes nothing. */
export function loadTransform(): (transformer: Transformer) => TransformPair {
  const TransformStream = loadStreams()['TransformStream'] as new (transformer: Transformer) => TransformPair;
  return (transformer) => {
    const { readable, writable } = new TransformStream(transformer);
    return { readable, writable };
  };
}
