// zod schemas of every frame: what core/protocol/check.ts must accept and reject, written a second time in another way.
import { z } from 'zod';
import { BODY, FRAME } from '../../core/protocol/index.ts';

const text = z.string();
const bytes = z.instanceof(Uint8Array);
const count = z.int().min(0);
const id = z.int().min(1);
const number = z.number().min(0);
/** Decoded frames hold plain objects only. */
const object = z.custom<object>((v) => typeof v === 'object' && v !== null && !Array.isArray(v) && !(v instanceof Uint8Array));
const cold = z.union([z.null(), z.tuple([number, number, number, number])]);
const lit = z.literal;

/** A frame whose body mode and body are at `at` and `at + 1`. */
const withBody = <T extends z.ZodType>(schema: T, at: number): T =>
  schema.refine((frame) => {
    const [mode, body] = (frame as unknown[]).slice(at, at + 2);
    if (mode === BODY.inline) return typeof body === 'string' || body instanceof Uint8Array;
    return body === null;
  });
const mode = z.union([lit(BODY.none), lit(BODY.inline), lit(BODY.stream)]);
const body = z.union([z.null(), text, bytes]);

const target = z.object({
  function: text, version: id, digest: text, tenant: text, tier: text, debug: z.boolean(), shape: text, cpuMs: id, memoryMb: id, subrequests: count, wasm: z.boolean(), secrets: text, shadow: z.boolean(),
});
const logRow = z.tuple([number, text, text, count, text, text, z.union([z.null(), text])]);

export const frameSchemas = {
  hello: z.tuple([lit(FRAME.hello), lit(0), count, z.enum(['gateway', 'host', 'sidecar', 'control']), text, id, id]),
  goaway: z.tuple([lit(FRAME.goaway), lit(0), text]),
  ping: z.tuple([lit(FRAME.ping), lit(0), count]),
  pong: z.tuple([lit(FRAME.pong), lit(0), count]),
  data: z.tuple([lit(FRAME.data), id, bytes]),
  end: z.tuple([lit(FRAME.end), id]),
  credit: z.tuple([lit(FRAME.credit), id, id]),
  cancel: z.tuple([lit(FRAME.cancel), id, text]),
  fail: z.tuple([lit(FRAME.fail), id, text, z.union([z.null(), object]), number, cold, z.union([z.null(), text])]),
  target: z.tuple([lit(FRAME.target), id, target]),
  forget: z.tuple([lit(FRAME.forget), id]),
  invoke: withBody(z.tuple([lit(FRAME.invoke), id, id, text, mode, body, number]), 4),
  respond: withBody(z.tuple([lit(FRAME.respond), id, count, text, mode, body, z.boolean(), number, cold]), 4),
  done: z.tuple([lit(FRAME.done), id, number]),
  load: z.tuple([lit(FRAME.load), lit(0), count, count, count, count]),
  event: z.tuple([lit(FRAME.event), id, text, count, text, text, text]),
  outcome: z.tuple([lit(FRAME.outcome), id, count, count, text, number, number, text, text]),
  warm: z.tuple([lit(FRAME.warm), id, count]),
  entries: z.tuple([lit(FRAME.entries), lit(0), z.array(z.tuple([id, count, count, count]))]),
  tenants: z.tuple([lit(FRAME.tenants), lit(0), z.array(z.tuple([text, count, count]))]),
  pardon: z.tuple([lit(FRAME.pardon), id, text]),
  call: withBody(z.tuple([lit(FRAME.call), id, text, text, text, mode, body, number, text, text, text, text, z.boolean()]), 5),
  reply: withBody(z.tuple([lit(FRAME.reply), id, text, mode, body]), 3),
  logs: z.tuple([lit(FRAME.logs), lit(0), z.array(logRow), z.record(text, count)]),
  figures: z.tuple([lit(FRAME.figures), lit(0), object]),
  subscribe: z.tuple([lit(FRAME.subscribe), lit(0), count, count]),
  table: z.tuple([lit(FRAME.table), lit(0), object]),
  delta: z.tuple([lit(FRAME.delta), lit(0), object]),
  applied: z.tuple([lit(FRAME.applied), lit(0), count]),
  shadow: z.tuple([lit(FRAME.shadow), lit(0), object]),
  quotas: z.tuple([lit(FRAME.quotas), lit(0), z.array(z.tuple([text, count]))]),
} as const satisfies Record<keyof typeof FRAME, z.ZodType>;

export const frameSchema = z.union(Object.values(frameSchemas) as unknown as [z.ZodType, z.ZodType]);
