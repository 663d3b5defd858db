// TextDecoderStream and TextEncoderStream (Encoding standard, sections 7.5 and 7.6).
import { encodeUtf8 } from '../encoding.guest.ts';
import { loadPart } from '../parts.guest.ts';
import { NativeString, NativeTypeError, StringPrototypeCharCodeAt, StringPrototypeSlice } from '../primordials.guest.ts';
import { loadTransform } from './shared/transform.guest.ts';
import type { TransformController, TransformPair } from './shared/transform.guest.ts';

/** The part `encoding`. */
interface Encoding {
  readonly TextDecoder: new (label: unknown, options: unknown) => { readonly encoding: string; readonly fatal: boolean; readonly ignoreBOM: boolean };
}

export class TextDecoderStream {
  readonly #decoder: InstanceType<Encoding['TextDecoder']>;
  readonly #pair: TransformPair;

  constructor(label: unknown = 'utf-8', options: unknown = undefined) {
    const { TextDecoder } = loadPart<Encoding>('encoding');
    const decode = (TextDecoder.prototype as { decode(this: unknown, bytes?: unknown, options?: object): string }).decode;
    const decoder = new TextDecoder(label, options);
    const more = { stream: true };
    this.#decoder = decoder;
    this.#pair = loadTransform()({
      transform(chunk: unknown, controller: TransformController): void {
        // `decode()` takes nothing at all too; a chunk must be bytes.
        if (chunk === undefined) throw new NativeTypeError('TextDecoderStream: a chunk must be an ArrayBuffer or a view of one');
        const text = decode.call(decoder, chunk, more);
        if (text !== '') controller.enqueue(text);
      },
      flush(controller: TransformController): void {
        const text = decode.call(decoder);
        if (text !== '') controller.enqueue(text);
      },
    });
  }

  get encoding(): string { return this.#decoder.encoding; }
  get fatal(): boolean { return this.#decoder.fatal; }
  get ignoreBOM(): boolean { return this.#decoder.ignoreBOM; }
  get readable(): unknown { return this.#pair.readable; }
  get writable(): unknown { return this.#pair.writable; }
}

export class TextEncoderStream {
  readonly #pair: TransformPair;

  constructor() {
    /** A high surrogate that ended the last chunk. */
    let held = '';
    this.#pair = loadTransform()({
      transform(chunk: unknown, controller: TransformController): void {
        if (typeof chunk === 'symbol') throw new NativeTypeError('a symbol is no string');
        let text = held + NativeString(chunk);
        held = '';
        const last = text === '' ? 0 : StringPrototypeCharCodeAt(text, text.length - 1);
        if (last >= 0xd800 && last <= 0xdbff) {
          held = StringPrototypeSlice(text, text.length - 1);
          text = StringPrototypeSlice(text, 0, -1);
        }
        if (text !== '') controller.enqueue(encodeUtf8(text));
      },
      flush(controller: TransformController): void {
        if (held !== '') controller.enqueue(encodeUtf8(held));
      },
    });
  }

  get encoding(): string {
    void this.#pair;
    return 'utf-8';
  }
  get readable(): unknown { return this.#pair.readable; }
  get writable(): unknown { return this.#pair.writable; }
}
