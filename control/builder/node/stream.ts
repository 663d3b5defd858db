// node:stream, by `readable-stream`: Node's own code, cut from Node 18.
import stream from 'readable-stream/lib/stream.js';

export const {
  Duplex, PassThrough, Readable, Stream, Transform, Writable, addAbortSignal, compose, destroy, finished, getDefaultHighWaterMark, isDestroyed, isDisturbed, isErrored, isReadable, isWritable, pipeline,
  promises, setDefaultHighWaterMark,
} = stream as typeof stream & Record<'compose' | 'destroy' | 'isDestroyed' | 'isDisturbed' | 'isErrored' | 'isReadable' | 'isWritable', unknown>;
export default stream;
