// Decoders of the legacy encodings (Encoding standard, sections 9 to 14), made when a TextDecoder asks for the first one. They run in the
// isolate: their state is a few numbers there, their time is the function's, and only indexes come from the host, once each.
import { ENCODING_OP } from '../abi-encoding.ts';
import { op } from '../host.guest.ts';
import { MapPrototypeGet, MapPrototypeSet, NativeMap, NativeTypeError, NativeUint32Array } from '../primordials.guest.ts';
import { CONTINUE, END, ERROR, FINISHED, big5, eucJp, eucKr, gb18030, iso2022Jp, shiftJis } from './encodings/multi-byte.guest.ts';
import type { Handler, Index } from './encodings/multi-byte.guest.ts';
import { Output } from './encodings/output.guest.ts';

interface Decoder {
  decode(bytes: Uint8Array, end: boolean): string;
}

const MULTI_BYTE: Readonly<Record<string, (index: Index) => Handler>> = {
  __proto__: null as never,
  gbk: gb18030, gb18030, big5, 'euc-jp': eucJp, 'iso-2022-jp': iso2022Jp, shift_jis: shiftJis, 'euc-kr': eucKr,
};

const indexes = new NativeMap<string, Uint32Array>();

function index(name: string): Uint32Array {
  let table = MapPrototypeGet(indexes, name) as Uint32Array | undefined;
  if (table === undefined) {
    table = new NativeUint32Array(op(ENCODING_OP.table, name) as ArrayBuffer);
    MapPrototypeSet(indexes, name, table);
  }
  return table;
}

/** @param encoding  a name of the standard, in lower case, that is neither UTF-8 nor UTF-16 */
export function makeDecoder(encoding: string, fatal: boolean): Decoder {
  if (encoding === 'x-user-defined') return new SingleByteDecoder(encoding, fatal, userDefined());
  const make = MULTI_BYTE[encoding];
  return make === undefined ? new SingleByteDecoder(encoding, fatal, index(encoding)) : new MultiByteDecoder(encoding, fatal, () => make(index));
}

/** Section 14.5.1. */
function userDefined(): Uint32Array {
  const upper = new NativeUint32Array(128);
  for (let i = 0; i < 128; i++) upper[i] = 0xf780 + i;
  return upper;
}

function malformed(encoding: string): TypeError {
  return new NativeTypeError(`The encoded data was not valid for encoding ${encoding}`);
}

class SingleByteDecoder implements Decoder {
  readonly #encoding: string;
  readonly #fatal: boolean;
  readonly #upper: Uint32Array;

  constructor(encoding: string, fatal: boolean, upper: Uint32Array) {
    this.#encoding = encoding;
    this.#fatal = fatal;
    this.#upper = upper;
  }

  decode(bytes: Uint8Array): string {
    const out = new Output(bytes.length);
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] as number;
      const code = byte < 0x80 ? byte : (this.#upper[byte - 0x80] as number);
      if (code === 0 && byte !== 0 && this.#fatal) throw malformed(this.#encoding);
      out.push(code === 0 && byte !== 0 ? 0xfffd : code);
    }
    return out.text();
  }
}

class MultiByteDecoder implements Decoder {
  readonly #encoding: string;
  readonly #fatal: boolean;
  readonly #make: () => Handler;
  #handler: Handler;

  constructor(encoding: string, fatal: boolean, make: () => Handler) {
    this.#encoding = encoding;
    this.#fatal = fatal;
    this.#make = make;
    this.#handler = make();
  }

  decode(bytes: Uint8Array, end: boolean): string {
    const out = new Output(bytes.length);
    const back: number[] = [];
    const also = (code: number): void => out.push(code);
    const handler = this.#handler;
    if (end) this.#handler = this.#make();
    let at = 0;
    for (;;) {
      let byte: number;
      if (back.length > 0) {
        byte = back[back.length - 1] as number;
        back.length -= 1;
      } else if (at < bytes.length) {
        byte = bytes[at++] as number;
      } else if (end) {
        byte = END;
      } else {
        break;
      }
      const code = handler(byte, back, also);
      if (code >= 0) out.push(code);
      else if (code === ERROR) {
        if (this.#fatal) throw malformed(this.#encoding);
        out.push(0xfffd);
      } else if (code === FINISHED) break;
      else if (code !== CONTINUE) break;
    }
    return out.text();
  }
}
