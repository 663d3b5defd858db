// Hand-written checks of incoming frames, in place of a schema on the hot path; test/unit/core/check.test.ts holds both equal.
import { BODY, FRAME } from './frames.ts';
import type { Frame } from './frames.ts';

type Row = readonly unknown[];

const text = (v: unknown): boolean => typeof v === 'string';
const flag = (v: unknown): boolean => typeof v === 'boolean';
const bytes = (v: unknown): boolean => v instanceof Uint8Array;
/** A count, an id or a size: a whole number from 0 that JavaScript holds exactly. */
const count = (v: unknown): boolean => typeof v === 'number' && v >= 0 && Number.isSafeInteger(v);
const id = (v: unknown): boolean => count(v) && v !== 0;
const number = (v: unknown): boolean => typeof v === 'number' && v >= 0 && v < Number.POSITIVE_INFINITY;
const plainObject = (v: unknown): boolean => typeof v === 'object' && v !== null && !Array.isArray(v) && !(v instanceof Uint8Array);

function cold(v: unknown): boolean {
  return v === null || (Array.isArray(v) && v.length === 4 && v.every(number));
}

function body(mode: unknown, value: unknown): boolean {
  return mode === BODY.inline ? typeof value === 'string' || bytes(value) : (mode === BODY.none || mode === BODY.stream) && value === null;
}

function target(v: unknown): boolean {
  if (!plainObject(v)) return false;
  const t = v as Record<string, unknown>;
  return (
    text(t['function']) && id(t['version']) && text(t['digest']) && text(t['tenant']) && text(t['tier']) && flag(t['debug']) && text(t['shape']) &&
    id(t['cpuMs']) && id(t['memoryMb']) && count(t['subrequests']) && flag(t['wasm']) && text(t['secrets']) && flag(t['shadow'])
  );
}

function logRow(v: unknown): boolean {
  return (
    Array.isArray(v) && v.length === 7 && number(v[0]) && text(v[1]) && text(v[2]) && count(v[3]) && text(v[4]) && text(v[5]) && (v[6] === null || text(v[6]))
  );
}

function entriesRow(v: unknown): boolean {
  return Array.isArray(v) && v.length === 4 && id(v[0]) && v.slice(1).every(count);
}

const ROLES = new Set<unknown>(['gateway', 'host', 'sidecar', 'control']);

/** The frame when `value` is one of this protocol version, field by field; else undefined. Never throws. */
export function checkFrame(value: unknown): Frame | undefined {
  if (!Array.isArray(value)) return undefined;
  const f: Row = value;
  return fits(f) ? (f as unknown as Frame) : undefined;
}

function fits(f: Row): boolean {
  const n = f.length;
  switch (f[0]) {
    case FRAME.hello:
      return n === 7 && f[1] === 0 && count(f[2]) && ROLES.has(f[3]) && text(f[4]) && id(f[5]) && id(f[6]);
    case FRAME.goaway:
      return n === 3 && f[1] === 0 && text(f[2]);
    case FRAME.ping:
    case FRAME.pong:
    case FRAME.applied:
      return n === 3 && f[1] === 0 && count(f[2]);
    case FRAME.data:
      return n === 3 && id(f[1]) && bytes(f[2]);
    case FRAME.end:
    case FRAME.forget:
      return n === 2 && id(f[1]);
    case FRAME.credit:
      return n === 3 && id(f[1]) && id(f[2]);
    case FRAME.cancel:
      return n === 3 && id(f[1]) && text(f[2]);
    case FRAME.fail:
      return n === 7 && id(f[1]) && text(f[2]) && (f[3] === null || plainObject(f[3])) && number(f[4]) && cold(f[5]) && (f[6] === null || text(f[6]));
    case FRAME.target:
      return n === 3 && id(f[1]) && target(f[2]);
    case FRAME.invoke:
      return n === 7 && id(f[1]) && id(f[2]) && text(f[3]) && body(f[4], f[5]) && number(f[6]);
    case FRAME.respond:
      return n === 9 && id(f[1]) && count(f[2]) && text(f[3]) && body(f[4], f[5]) && flag(f[6]) && number(f[7]) && cold(f[8]);
    case FRAME.done:
      return n === 3 && id(f[1]) && number(f[2]);
    case FRAME.load:
      return n === 6 && f[1] === 0 && count(f[2]) && count(f[3]) && count(f[4]) && count(f[5]);
    case FRAME.event:
      return n === 7 && id(f[1]) && text(f[2]) && count(f[3]) && text(f[4]) && text(f[5]) && text(f[6]);
    case FRAME.outcome:
      return n === 9 && id(f[1]) && count(f[2]) && count(f[3]) && text(f[4]) && number(f[5]) && number(f[6]) && text(f[7]) && text(f[8]);
    case FRAME.warm:
      return n === 3 && id(f[1]) && count(f[2]);
    case FRAME.entries:
      return n === 3 && f[1] === 0 && Array.isArray(f[2]) && f[2].every(entriesRow);
    case FRAME.tenants:
      return n === 3 && f[1] === 0 && Array.isArray(f[2]) && f[2].every((row) => Array.isArray(row) && row.length === 3 && text(row[0]) && count(row[1]) && count(row[2]));
    case FRAME.pardon:
      return n === 3 && id(f[1]) && text(f[2]);
    case FRAME.call:
      return (
        n === 13 && id(f[1]) && text(f[2]) && text(f[3]) && text(f[4]) && body(f[5], f[6]) && number(f[7]) && text(f[8]) && text(f[9]) && text(f[10]) && text(f[11]) &&
        flag(f[12])
      );
    case FRAME.reply:
      return n === 5 && id(f[1]) && text(f[2]) && body(f[3], f[4]);
    case FRAME.logs:
      return n === 4 && f[1] === 0 && Array.isArray(f[2]) && f[2].every(logRow) && plainObject(f[3]) && Object.values(f[3] as object).every(count);
    case FRAME.figures:
    case FRAME.shadow:
    case FRAME.table:
    case FRAME.delta:
      return n === 3 && f[1] === 0 && plainObject(f[2]);
    case FRAME.quotas:
      return n === 3 && f[1] === 0 && Array.isArray(f[2]) && f[2].every((row) => Array.isArray(row) && row.length === 2 && text(row[0]) && count(row[1]));
    case FRAME.subscribe:
      return n === 4 && f[1] === 0 && count(f[2]) && count(f[3]);
    default:
      return false;
  }
}
