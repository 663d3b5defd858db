// Operations that bodies need of the host besides those of abi.ts: area 5.

export const BODY_OP = {
  /** (algorithm: sha256, sha384 or sha512): the digest's number. */
  digestStart: 160,
  /** (number, Uint8Array): more bytes, at most MAX_CROSSING. */
  digestUpdate: 161,
  /** (number): ArrayBuffer of the digest, which is over then. */
  digestEnd: 162,
} as const;
