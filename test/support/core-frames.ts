// fast-check arbitraries of frames: valid ones of every type, and ones that are a little or completely wrong.
import * as fc from 'fast-check';
import { BODY, FRAME } from '../../core/protocol/index.ts';
import type { Frame } from '../../core/protocol/index.ts';

const id = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }));
const count = fc.oneof(fc.constant(0), id);
const number = fc.oneof(count, fc.double({ min: 0, max: 1e12, noNaN: true }).map((n) => (n === 0 ? 0 : n)));
const text = fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'binary', maxLength: 20 }).map((s) => s.toWellFormed()), fc.constant('x'.repeat(300)));
const bytes = fc.uint8Array({ maxLength: 400 }).map((b) => Buffer.from(b));
const plainJson = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.oneof(text, number, fc.boolean(), fc.constant(null), fc.array(text, { maxLength: 3 })), { maxKeys: 4 });
const cold = fc.oneof(fc.constant(null), fc.tuple(number, number, number, number));
const maybeText = fc.oneof(fc.constant(null), text);
const body = fc.oneof(
  fc.constant([BODY.none, null] as const), fc.constant([BODY.stream, null] as const), fc.tuple(fc.constant(BODY.inline), fc.oneof(text, bytes)),
);
const target = fc.record({
  function: text, version: id, digest: text, tenant: text, tier: text, debug: fc.boolean(), shape: text, cpuMs: id, memoryMb: id, subrequests: count, wasm: fc.boolean(), secrets: text, shadow: fc.boolean(),
});
const logRow = fc.tuple(number, text, text, count, text, text, maybeText);

export const frameArbitraries = {
  hello: fc.tuple(fc.constant(FRAME.hello), fc.constant(0), count, fc.constantFrom('gateway', 'host', 'sidecar', 'control'), text, id, id),
  goaway: fc.tuple(fc.constant(FRAME.goaway), fc.constant(0), text),
  ping: fc.tuple(fc.constant(FRAME.ping), fc.constant(0), count),
  pong: fc.tuple(fc.constant(FRAME.pong), fc.constant(0), count),
  data: fc.tuple(fc.constant(FRAME.data), id, bytes),
  end: fc.tuple(fc.constant(FRAME.end), id),
  credit: fc.tuple(fc.constant(FRAME.credit), id, id),
  cancel: fc.tuple(fc.constant(FRAME.cancel), id, text),
  fail: fc.tuple(fc.constant(FRAME.fail), id, text, fc.oneof(fc.constant(null), plainJson), number, cold, maybeText),
  target: fc.tuple(fc.constant(FRAME.target), id, target),
  forget: fc.tuple(fc.constant(FRAME.forget), id),
  invoke: fc.tuple(id, id, text, body, number).map(([i, t, head, [mode, value], wallMs]) => [FRAME.invoke, i, t, head, mode, value, wallMs]),
  respond: fc.tuple(id, count, text, body, fc.boolean(), number, cold).map(([i, status, head, [mode, value], ...rest]) => [FRAME.respond, i, status, head, mode, value, ...rest]),
  done: fc.tuple(fc.constant(FRAME.done), id, number),
  load: fc.tuple(fc.constant(FRAME.load), fc.constant(0), count, count, count, count),
  event: fc.tuple(fc.constant(FRAME.event), id, text, count, text, text, text),
  outcome: fc.tuple(fc.constant(FRAME.outcome), id, count, count, text, number, number, text, text),
  warm: fc.tuple(fc.constant(FRAME.warm), id, count),
  entries: fc.tuple(fc.constant(FRAME.entries), fc.constant(0), fc.array(fc.tuple(id, count, count, count), { maxLength: 4 })),
  tenants: fc.tuple(fc.constant(FRAME.tenants), fc.constant(0), fc.array(fc.tuple(text, count, count), { maxLength: 4 })),
  pardon: fc.tuple(fc.constant(FRAME.pardon), id, text),
  call: fc.tuple(id, text, text, text, body, number, text, text, text, text, fc.boolean()).map(([i, client, operation, head, [mode, value], ...rest]) => [FRAME.call, i, client, operation, head, mode, value, ...rest]),
  reply: fc.tuple(id, text, body).map(([i, head, [mode, value]]) => [FRAME.reply, i, head, mode, value]),
  logs: fc.tuple(fc.constant(FRAME.logs), fc.constant(0), fc.array(logRow, { maxLength: 4 }), fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), count, { maxKeys: 3 })),
  figures: fc.tuple(fc.constant(FRAME.figures), fc.constant(0), plainJson),
  subscribe: fc.tuple(fc.constant(FRAME.subscribe), fc.constant(0), count, count),
  table: fc.tuple(fc.constant(FRAME.table), fc.constant(0), plainJson),
  delta: fc.tuple(fc.constant(FRAME.delta), fc.constant(0), plainJson),
  shadow: fc.tuple(fc.constant(FRAME.shadow), fc.constant(0), plainJson),
  applied: fc.tuple(fc.constant(FRAME.applied), fc.constant(0), count),
  quotas: fc.tuple(fc.constant(FRAME.quotas), fc.constant(0), fc.array(fc.tuple(text, count), { maxLength: 4 })),
} as const satisfies Record<keyof typeof FRAME, fc.Arbitrary<readonly unknown[]>>;

export const validFrame = fc.oneof(...Object.values(frameArbitraries)) as unknown as fc.Arbitrary<Frame>;

/** Values that are right in one field and wrong in the next. */
const odd = fc.oneof(
  fc.constantFrom<unknown>(
    0, -0, 1, -1, 2, 3, 0.5, -0.5, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 1e300, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, '', 'gateway', 'x', null, undefined, true, false,
  ),
  fc.constant(Buffer.from('x')).map((b) => b as unknown), fc.constant([]).map((a) => a as unknown), fc.constant({}).map((o) => o as unknown),
  fc.constant([1, 2, 3, 4]).map((a) => a as unknown), fc.constant([[1, 1, 0, 9]]).map((a) => a as unknown), fc.constant([[0, 1, 0, 9]]).map((a) => a as unknown), fc.constant([[1, 'info', 'f', 0, '', 'm', null]]).map((a) => a as unknown), fc.constant({ a: -1 }).map((o) => o as unknown),
  plainJson.map((o) => o as unknown), target.map((t) => ({ ...t, version: 0 }) as unknown), target.map((t) => ({ ...t, more: 1 }) as unknown),
);

/** A valid frame with one to three fields replaced, removed or added; or no frame at all. */
export const nearlyFrame: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(validFrame, fc.array(fc.tuple(fc.nat(15), odd, fc.constantFrom('set', 'set', 'set', 'cut', 'add')), { minLength: 1, maxLength: 3 })).map(([frame, changes]) => {
    const changed: unknown[] = [...frame];
    for (const [at, value, how] of changes) {
      const index = at % Math.max(1, changed.length);
      if (how === 'set') changed[index] = value;
      else if (how === 'cut') changed.splice(index, 1);
      else changed.splice(index, 0, value);
    }
    return changed as unknown;
  }) },
  { weight: 1, arbitrary: odd },
  { weight: 1, arbitrary: fc.array(odd, { maxLength: 8 }).map((a) => a as unknown) },
);
