// A form as multipart/form-data (HTML standard, section 4.10.21.8; RFC 7578). Files are not copied: their chunks become the body's.
import { OP } from '../../abi.ts';
import { encodeUtf8 } from '../../encoding.guest.ts';
import { op } from '../../host.guest.ts';
import { loadPart } from '../../parts.guest.ts';
import { NativeUint8Array, StringPrototypeReplace } from '../../primordials.guest.ts';
import type { BlobContent, BlobPart } from '../blob.guest.ts';
import type { Chunks } from '../body/chunks.guest.ts';
import type { FormEntry } from '../form.guest.ts';

export interface EncodedForm {
  readonly chunks: Chunks;
  readonly type: string;
}

const NEWLINES = /\r\n?|\n/g;
const LF = /\n/g;
const CR = /\r/g;
const QUOTE = /"/g;
const SAFE = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789AB';

function escape(text: string): string {
  return StringPrototypeReplace(StringPrototypeReplace(StringPrototypeReplace(text, LF, '%0A'), CR, '%0D'), QUOTE, '%22');
}

/** 124 random bits: no content can hold it but on purpose, and nobody can guess it. */
function boundary(): string {
  const random = new NativeUint8Array(op(OP.random, 22) as ArrayBuffer);
  let text = '----thimble-form-';
  for (let i = 0; i < random.length; i++) text += SAFE[(random[i] as number) & 63] as string;
  return text;
}

export function encodeEntries(entries: readonly FormEntry[]): EncodedForm {
  const mark = boundary();
  const chunks: Uint8Array[] = [];
  let text = '';
  for (let i = 0; i < entries.length; i++) {
    const [name, value] = entries[i] as FormEntry;
    text += `--${mark}\r\nContent-Disposition: form-data; name="${escape(StringPrototypeReplace(name, NEWLINES, '\r\n'))}"`;
    if (typeof value === 'string') {
      text += `\r\n\r\n${StringPrototypeReplace(value, NEWLINES, '\r\n')}\r\n`;
      continue;
    }
    const content = loadPart<BlobPart>('blob').contentOf(value) as BlobContent;
    text += `; filename="${escape(value.name)}"\r\nContent-Type: ${content.type === '' ? 'application/octet-stream' : content.type}\r\n\r\n`;
    chunks[chunks.length] = encodeUtf8(text);
    for (let k = 0; k < content.chunks.length; k++) chunks[chunks.length] = content.chunks[k] as Uint8Array;
    text = '\r\n';
  }
  chunks[chunks.length] = encodeUtf8(`${text}--${mark}--\r\n`);
  return { chunks, type: `multipart/form-data; boundary=${mark}` };
}
