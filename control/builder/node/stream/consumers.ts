// node:stream/consumers: a whole stream as one value. Takes Node's streams, the web's, and every iterable.
import { Buffer } from '../buffer.ts';

type Source = AsyncIterable<unknown> | Iterable<unknown>;

export async function buffer(source: Source): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

export async function arrayBuffer(source: Source): Promise<ArrayBuffer> {
  const whole = await buffer(source);
  return whole.buffer.slice(whole.byteOffset, whole.byteOffset + whole.byteLength) as ArrayBuffer;
}

export async function text(source: Source): Promise<string> {
  return new TextDecoder().decode(await buffer(source));
}

export async function json(source: Source): Promise<unknown> {
  return JSON.parse(await text(source)) as unknown;
}

export async function blob(source: Source): Promise<Blob> {
  return new Blob([await arrayBuffer(source)]);
}

export default { arrayBuffer, blob, buffer, json, text };
