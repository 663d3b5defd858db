// What an encoded key says that it is, read before OpenSSL parses it: for some kinds parsing alone takes seconds (DSA computes the public key from numbers of any size).

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const OBJECT_IDENTIFIER = 0x06;

/** rsaEncryption, id-ecPublicKey, id-Ed25519, id-X25519: contents of their object identifiers. */
const EC = '2a8648ce3d0201';
const ALGORITHMS: ReadonlySet<string> = new Set(['2a864886f70d010101', EC, '2b6570', '2b656e']);

interface Value {
  readonly tag: number;
  /** Of the contents. */
  readonly from: number;
  readonly to: number;
}

/** The DER value at `at`; undefined when it is cut off. Up to 65,535 bytes. */
function valueAt(bytes: Buffer, at: number): Value | undefined {
  const first = bytes[at + 1] ?? 0x80;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthBytes > 2 || at + 2 + lengthBytes > bytes.length) return undefined;
  const from = at + 2 + lengthBytes;
  const to = from + (lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes));
  return to > bytes.length ? undefined : { tag: bytes[at] ?? 0, from, to };
}

export type Structure = 'spki' | 'pkcs8' | 'pkcs1' | 'sec1';

/** Whether it is one DER sequence with nothing behind it and, where the structure says its algorithm, a supported one on a named curve. */
export function isSupported(bytes: Buffer, structure: Structure): boolean {
  const whole = valueAt(bytes, 0);
  if (whole?.tag !== SEQUENCE || whole.to !== bytes.length) return false;
  if (structure === 'pkcs1' || structure === 'sec1') return true;
  let at = whole.from;
  if (structure === 'pkcs8') {
    const version = valueAt(bytes, at);
    if (version?.tag !== INTEGER) return false;
    at = version.to;
  }
  const algorithm = valueAt(bytes, at);
  const name = algorithm?.tag === SEQUENCE ? valueAt(bytes, algorithm.from) : undefined;
  if (name?.tag !== OBJECT_IDENTIFIER) return false;
  const identifier = bytes.toString('hex', name.from, name.to);
  return ALGORITHMS.has(identifier) && (identifier !== EC || bytes[name.to] === OBJECT_IDENTIFIER);
}

const PEM = /-----BEGIN ([A-Z ]+)-----([A-Za-z0-9+/=\s]+)-----END \1-----/;

/** By label; encrypted keys and certificates are not among them. */
const STRUCTURES: Readonly<Record<string, Structure>> = { 'PUBLIC KEY': 'spki', 'PRIVATE KEY': 'pkcs8', 'RSA PRIVATE KEY': 'pkcs1', 'RSA PUBLIC KEY': 'pkcs1', 'EC PRIVATE KEY': 'sec1' };

export interface EncodedKey {
  readonly bytes: Buffer;
  readonly structure: Structure;
  readonly isPrivate: boolean;
}

/** The first key of a PEM text. Headers within (old encrypted keys have them) are no base64, so they match nothing. */
export function fromPem(text: string): EncodedKey | undefined {
  const [, label = '', body = ''] = PEM.exec(text) ?? [];
  const structure = STRUCTURES[label];
  return structure === undefined ? undefined : { bytes: Buffer.from(body, 'base64'), structure, isPrivate: label.includes('PRIVATE') };
}
