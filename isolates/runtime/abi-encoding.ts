// Operations of the encoding area (codes 32 to 63): what TextDecoder, atob and btoa ask of the host. Imported by both sides.

export const ENCODING_OP = {
  /** (label, trimmed and in lower case): the encoding's name in lower case, or '' when there is none. */
  label: 32,
  /** (TABLE name): an ArrayBuffer of code points as Uint32, 0 where a pointer has none. */
  table: 33,
  /** (Uint8Array): text, or undefined when it is not UTF-8. */
  utf8Fatal: 34,
  /** (text of characters up to U+00FF): base64, or undefined when a character is above. */
  base64Encode: 35,
  /** (base64 without white space): text of one character a byte, or undefined when malformed. */
  base64Decode: 36,
} as const;

/** Indexes that are not those of single-byte encodings, which go by the encoding's name (Encoding standard, section 5). */
export const TABLE = { big5: 'index-big5', eucKr: 'index-euc-kr', gb18030: 'index-gb18030', gb18030Ranges: 'ranges-gb18030', jis0208: 'index-jis0208', jis0212: 'index-jis0212' } as const;
