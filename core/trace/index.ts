// W3C Trace Context (https://www.w3.org/TR/trace-context/), version 00: parse, continue, start.
import { randomFillSync } from 'node:crypto';

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZERO_TRACE = '0'.repeat(32);
const ZERO_SPAN = '0'.repeat(16);

export interface TraceContext {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string;
  /** 16 lower-case hex digits, not all zero: the span of the sender. */
  readonly spanId: string;
  /** 8 bits; bit 0 is "sampled". */
  readonly flags: number;
}

/** Reads a `traceparent`; undefined when it is malformed, of the reserved version ff, or has an all-zero id (section 3.2.2). */
export function parseTraceparent(header: string): TraceContext | undefined {
  const m = TRACEPARENT.exec(header);
  if (m === null) return undefined;
  const [, version, traceId, spanId, flags, rest] = m;
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  if (version === 'ff' || traceId === ZERO_TRACE || spanId === ZERO_SPAN) return undefined;
  // Version 00 has exactly four fields; later versions may append more.
  if (version === '00' && rest !== undefined) return undefined;
  return { traceId, spanId, flags: Number.parseInt(flags, 16) };
}

export function formatTraceparent(context: TraceContext): string {
  return `00-${context.traceId}-${context.spanId}-${(context.flags & 0xff).toString(16).padStart(2, '0')}`;
}

// Random ids are drawn from a block: one system call for hundreds of spans instead of one each.
const BLOCK_BYTES = 8 * 510;
const block = Buffer.alloc(BLOCK_BYTES);
let used = BLOCK_BYTES;

/** `bytes` (8 or 24) random bytes in hex. */
function randomHex(bytes: number): string {
  if (used + bytes > BLOCK_BYTES) {
    randomFillSync(block);
    used = 0;
  }
  used += bytes;
  return block.toString('hex', used - bytes, used);
}

export function newSpanId(): string {
  const id = randomHex(8);
  return id === ZERO_SPAN ? newSpanId() : id;
}

/** The `traceparent` of a new span: a child of `parent` when that is valid, else the root of a new sampled trace. */
export function childTraceparent(parent: string): string {
  const context = parent === '' ? undefined : parseTraceparent(parent);
  if (context !== undefined) return formatTraceparent({ traceId: context.traceId, spanId: newSpanId(), flags: context.flags });
  const ids = randomHex(24);
  // Zero ids are invalid, and so unlikely that a second try is all they need.
  if (ids.startsWith(ZERO_TRACE) || ids.endsWith(ZERO_SPAN)) return childTraceparent('');
  return `00-${ids.slice(0, 32)}-${ids.slice(32)}-01`;
}
