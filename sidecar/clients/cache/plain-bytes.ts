// Bytes that may be kept: of their own, since those of a frame are views that keep the whole read buffer alive.

export function toPlainBytes(body: Uint8Array | string): Uint8Array {
  return typeof body === 'string' ? new TextEncoder().encode(body) : new Uint8Array(body);
}
